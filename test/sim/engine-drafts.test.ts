/** Drafts: a version takes the place of the one before, and nobody's text is lost on the way. */

import { type MessageReference, uid } from '@tidemail/core'
import type { MailEngine } from '@tidemail/engine'
import type { Extension } from '@tidemail/testing/simulated'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { dyingStore } from './dying-store.ts'
import { EngineLab, message, messagesOf, subjectsOf } from './engine-lab.ts'
import { SendingLab } from './sending-lab.ts'

let lab: SendingLab

beforeEach(() => {
  lab = new SendingLab()
})

afterEach(() => lab.close())

async function saved(mail: MailEngine, subject: string, replaces?: MessageReference): Promise<MessageReference> {
  return mail.saveDraft({ bytes: message(subject), ...(replaces === undefined ? {} : { replaces }) }).message
}

const SERVERS: readonly (readonly [string, readonly Extension[]])[] = [
  ['with REPLACE', []],
  ['without REPLACE', ['REPLACE']],
  ['without UIDPLUS', ['UIDPLUS']],
  ['plain', ['REPLACE', 'UIDPLUS', 'MOVE', 'QRESYNC', 'CONDSTORE', 'ESEARCH', 'OBJECTID', 'MULTIAPPEND']],
]

describe.each(SERVERS)('a draft, on a server %s', (_, without) => {
  beforeEach(() => {
    lab = new SendingLab(without)
  })

  it('is uploaded as \\Draft and \\Seen into the mailbox with the role', async () => {
    const mail = await lab.openSynchronised()
    const reference = await saved(mail, 'One')
    expect(await subjectsOf(mail, 'Drafts')).toEqual(['One'])
    await lab.rest(mail)
    expect(lab.account.open('Drafts').messages.map(({ flags }) => [...flags].sort())).toEqual([['\\Draft', '\\Seen']])
    expect((await mail.message(reference))?.reference.kind).toBe('stored')
  })

  it('takes the place of the version before, and the app keeps its reference', async () => {
    const mail = await lab.openSynchronised()
    const first = await saved(mail, 'One')
    await lab.rest(mail)
    const second = await saved(mail, 'Two', first)
    expect(await subjectsOf(mail, 'Drafts')).toEqual(['Two'])
    await lab.rest(mail)
    expect(lab.onServer('Drafts')).toEqual(['Two'])
    expect(await subjectsOf(mail, 'Drafts')).toEqual(['Two'])
    expect((await mail.message(second))?.envelope.subject).toBe('Two')
    expect(await mail.entries()).toEqual([])
  })

  it('saved ten times in a row is uploaded once', async () => {
    const mail = await lab.openSynchronised()
    const before = await saved(mail, 'Before')
    await lab.rest(mail)
    const sentBefore = lab.kinds.length
    let last = before
    for (let version = 1; version <= 10; version += 1) last = await saved(mail, `Version ${version}`, last)
    expect(await subjectsOf(mail, 'Drafts')).toEqual(['Version 10'])
    await lab.rest(mail)
    expect(lab.onServer('Drafts')).toEqual(['Version 10'])
    expect(lab.kinds.slice(sentBefore).filter((kind) => kind === 'append' || kind === 'replace')).toHaveLength(1)
    const superseded = (await mail.receipts()).filter(({ outcomes }) => outcomes.some(({ outcome }) => outcome === 'superseded'))
    expect(superseded).toHaveLength(9)
  })

  it('that a rival has deleted is no hindrance to the next version', async () => {
    const mail = await lab.openSynchronised()
    const first = await saved(mail, 'One')
    await lab.rest(mail)
    await saved(mail, 'Two', first)
    const drafts = lab.account.open('Drafts')
    drafts.remove(drafts.uids)
    await lab.rest(mail)
    expect(lab.onServer('Drafts')).toEqual(['Two'])
    expect(await mail.entries()).toEqual([])
  })

  it('that is removed while it waits is never sent, and takes the version before along', async () => {
    const mail = await lab.openSynchronised()
    const first = await saved(mail, 'One')
    await lab.rest(mail)
    const sentBefore = lab.kinds.length
    const second = await saved(mail, 'Two', first)
    await mail.expunge(second).accepted
    expect(await subjectsOf(mail, 'Drafts')).toEqual([])
    await lab.rest(mail)
    expect(lab.onServer('Drafts')).toEqual([])
    expect(lab.kinds.slice(sentBefore)).not.toContain('append')
  })

  // Verifies: I-LOG-3
  it.each(['lose-answer', 'lose-tail', 'lose-request', 'cut'] as const)(
    'whose answer is lost (%s) is there once, and the version before is not',
    async (fault) => {
      const mail = await lab.openSynchronised()
      const first = await saved(mail, 'One')
      await lab.rest(mail)
      lab.strike(fault, ['append', 'replace'])
      await saved(mail, 'Two', first)
      await lab.rest(mail)
      expect(lab.onServer('Drafts')).toEqual(['Two'])
      expect(await subjectsOf(mail, 'Drafts')).toEqual(['Two'])
      expect(await mail.entries()).toEqual([])
    },
  )

  // Verifies: I-SYNC-3, I-STORE-2
  it('comes to the same end wherever the process dies', { timeout: 60_000 }, async () => {
    const mail = await lab.openSynchronised()
    const first = await saved(mail, 'Version 0')
    await lab.rest(mail)
    let last = first
    for (const moment of ['before', 'after'] as const) {
      for (let atCommit = 0; ; atCommit += 1) {
        last = await saved(await lab.open(), `Version ${moment} ${atCommit}`, last)
        const store = dyingStore(lab.store(), { atCommit, moment })
        const dying = await lab.open({ store }).catch(() => null)
        await dying?.syncOnce().catch(() => null)
        lab.remote.disconnectAll()
        lab.clock.advance(120_000)
        const next = await lab.open()
        await lab.rest(next)
        expect(lab.onServer('Drafts'), `${moment} commit ${atCommit}`).toEqual([`Version ${moment} ${atCommit}`])
        expect(await subjectsOf(next, 'Drafts')).toEqual(lab.onServer('Drafts'))
        if (!store.hasDied) break
      }
    }
  })
})

describe('a draft', () => {
  it('goes in one REPLACE where the server can, and references to the version before lead to it', async () => {
    const mail = await lab.openSynchronised()
    const first = await saved(mail, 'One')
    await lab.rest(mail)
    const [stored] = await messagesOf(mail, 'Drafts')
    await saved(mail, 'Two', first)
    await lab.rest(mail)
    expect(lab.kinds).toEqual(['append', 'replace'])
    for (const reference of [first, stored?.reference]) {
      expect(reference === undefined ? null : (await mail.message(reference))?.envelope.subject).toBe('Two')
    }
  })

  it('leads references of the version before to the new one without REPLACE too', async () => {
    lab = new SendingLab(['REPLACE'])
    const mail = await lab.openSynchronised()
    const first = await saved(mail, 'One')
    await lab.rest(mail)
    await saved(mail, 'Two', first)
    await lab.rest(mail)
    expect(lab.kinds).toEqual(['append', 'append', 'store', 'expunge'])
    expect((await mail.message(first))?.envelope.subject).toBe('Two')
  })

  // Verifies: I-STORE-2
  it('is spared by what was asked of the version before, and was parked', async () => {
    const mail = await lab.openSynchronised()
    const first = await saved(mail, 'One')
    await lab.rest(mail)
    const refused = { kind: 'reject', rejection: { status: 'NO', code: 'NOPERM', text: 'No.' } } as const
    lab.strike(refused, ['expunge'])
    const [seq] = await mail.expunge(first).accepted
    await lab.rest(mail)
    expect((await mail.entries()).map(({ progress }) => progress[0]?.parkedFor)).toEqual(['not-permitted'])
    const stored = (await mail.entries())[0]?.progress[0]?.targets
    await saved(mail, 'Two', stored?.kind === 'stored' ? { ...stored, uid: uid(1) } : first)
    await lab.rest(mail)
    if (seq !== undefined) await mail.retry(seq)
    await lab.rest(mail)
    expect(lab.onServer('Drafts')).toEqual(['Two'])
    expect(await mail.entries()).toEqual([])
  })

  it.each([
    ['NO', null],
    ['NO', 'NONEXISTENT'],
    ['NO', 'CANNOT'],
    ['BAD', null],
  ] as const)(
    'is uploaded, and the version before removed, when the server answers %s [%s] to the REPLACE',
    async (status, code) => {
      // Verifies: DC-8508-3.4
      const mail = await lab.openSynchronised()
      const first = await saved(mail, 'One')
      await lab.rest(mail)
      const refused = { kind: 'reject', rejection: { status, code, text: 'Refused.' } } as const
      lab.remote.fault = (step) => (step.kind === 'replace' ? refused : 'pass')
      await saved(mail, 'Two', first)
      await lab.rest(mail)
      expect(lab.onServer('Drafts')).toEqual(['Two'])
      expect(lab.kinds).toEqual(['append', 'replace', 'append', 'store', 'expunge'])
    },
  )

  it('that the server has no room for is parked, and the version before stays there', async () => {
    // Verifies: DC-8508-3.4, I-STORE-2
    const mail = await lab.openSynchronised()
    const first = await saved(mail, 'One')
    await lab.rest(mail)
    const full = { kind: 'reject', rejection: { status: 'NO', code: 'OVERQUOTA', text: 'Full.' } } as const
    lab.remote.fault = (step) => (['append', 'replace'].includes(step.kind) ? full : 'pass')
    const handle = mail.saveDraft({ bytes: message('Two'), replaces: first })
    const [seq] = await handle.accepted
    await lab.rest(mail)
    expect(lab.onServer('Drafts')).toEqual(['One'])
    expect(await subjectsOf(mail, 'Drafts')).toEqual(['Two'])
    lab.remote.fault = () => 'pass'
    const archive = await mail.mailbox('Archive')
    if (seq !== undefined) await mail.retarget(seq, archive.id)
    expect(await subjectsOf(mail, 'Archive')).toEqual(['Two'])
    await lab.rest(mail)
    expect(lab.onServer('Archive')).toEqual(['Two'])
    expect(lab.onServer('Drafts')).toEqual([])
  })

  it('is replaced when it has landed, if the next version comes while it is in flight', async () => {
    const mail = await lab.openSynchronised()
    const first = await saved(mail, 'One')
    const later: Promise<MessageReference>[] = []
    lab.remote.fault = (step) => {
      if (step.kind === 'append' && later.length === 0) later.push(saved(mail, 'Two', first))
      return 'pass'
    }
    await lab.rest(mail)
    expect(await Promise.all(later)).toHaveLength(1)
    await lab.rest(mail)
    expect(lab.onServer('Drafts')).toEqual(['Two'])
    expect(lab.kinds).toEqual(['append', 'replace'])
  })

  it('goes up although nobody can tell what became of the version before', async () => {
    const mail = await lab.openSynchronised()
    const first = await saved(mail, 'One')
    lab.remote.fault = (step) => (step.kind === 'append' ? 'lose-request' : 'pass')
    // A rival's message vanishes above the fence: absence of ours is not proved.
    const sync = mail.syncOnce().catch(() => null)
    await sync
    const drafts = lab.account.open('Drafts')
    drafts.append([{ bytes: message('Rival'), flags: [], internalDate: 0 }])
    drafts.remove(drafts.uids)
    lab.remote.fault = () => 'pass'
    await lab.rest(mail)
    expect((await mail.entries()).map(({ progress }) => progress[0]?.parkedFor)).toEqual(['uncertain'])
    await saved(mail, 'Two', first)
    await lab.rest(mail)
    expect(lab.onServer('Drafts')).toEqual(['Two'])
    const [uncertain, waiting] = await mail.entries()
    expect(uncertain?.progress[0]?.parkedFor).toBe('uncertain')
    expect(waiting?.progress.map(({ state, targets }) => [state, targets.kind])).toEqual([['queued', 'local']])
    if (uncertain !== undefined) await mail.discard(uncertain.seq)
    await lab.rest(mail)
    expect(await mail.entries()).toEqual([])
    expect(await subjectsOf(mail, 'Drafts')).toEqual(['Two'])
  })

  it('is refused where the account has no mailbox for it, unless one is named', async () => {
    const bare = new EngineLab()
    const mail = await bare.openSynchronised()
    await expect(mail.saveDraft({ bytes: message('One') }).accepted).rejects.toMatchObject({ code: 'input.no-drafts' })
    const work = await mail.mailbox('Work')
    await mail.saveDraft({ bytes: message('One'), to: work.id }).accepted
    expect(await subjectsOf(mail, 'Work')).toEqual(['One'])
    await bare.close()
  })
})

describe('delete', () => {
  it('moves to Trash, and removes for good what is there already', async () => {
    lab.fill('INBOX', 2)
    lab.fill('Trash', 1)
    const mail = await lab.openSynchronised()
    const chosen = [...(await messagesOf(mail, 'INBOX')).slice(0, 1), ...(await messagesOf(mail, 'Trash'))]
    await mail.delete(chosen.map(({ reference }) => reference)).accepted
    expect((await mail.entries()).map(({ operation }) => operation.kind).sort()).toEqual(['expunge', 'move'])
    await lab.rest(mail)
    expect(lab.onServer('INBOX')).toEqual(['Message 1'])
    expect(lab.onServer('Trash')).toEqual(['Message 2'])
  })

  it('needs a Trash, or to be told of one', async () => {
    const bare = new EngineLab()
    bare.fill('INBOX', 1)
    const mail = await bare.openSynchronised()
    const [one] = await messagesOf(mail, 'INBOX')
    const reference = one?.reference ?? []
    await expect(mail.delete(reference).accepted).rejects.toMatchObject({ code: 'input.no-trash' })
    const archive = await mail.mailbox('Archive')
    await mail.delete(reference, { to: archive.id }).accepted
    expect(await subjectsOf(mail, 'Archive')).toEqual(['Message 1'])
    await bare.close()
  })
})
