/** Taking back what was sent: the opposite, as an operation of its own, and never more than was done. */

import type { EntrySeq } from '@tidemail/core'
import type { MailEngine, OperationHandle } from '@tidemail/engine'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { message, messagesOf, subjectsOf } from './engine-lab.ts'
import { SendingLab } from './sending-lab.ts'

let lab: SendingLab

beforeEach(() => {
  lab = new SendingLab()
  lab.fill('INBOX', 3)
})

afterEach(() => lab.close())

/** The newest messages of INBOX. */
async function newest(mail: MailEngine, count: number): Promise<Parameters<MailEngine['flag']>[0]> {
  return (await messagesOf(mail, 'INBOX')).slice(0, count).map(({ reference }) => reference)
}

async function sent(mail: MailEngine, handle: OperationHandle): Promise<EntrySeq> {
  const [seq] = await handle.accepted
  await lab.rest(mail)
  return seq as EntrySeq
}

function flagsOnServer(path: string): readonly (readonly string[])[] {
  return lab.account.open(path).messages.map(({ flags }) => flags)
}

describe('undo of what was sent', () => {
  // Verifies: H-3
  it('takes flags off again, but for messages that had them before', async () => {
    const inbox = lab.account.open('INBOX')
    inbox.store(inbox.uids, { direction: 'add', flags: ['$Old'] })
    const mail = await lab.openSynchronised()
    await sent(mail, mail.flag(await newest(mail, 1), { add: ['\\Flagged'] }))
    const seq = await sent(mail, mail.flag(await newest(mail, 3), { add: ['\\Flagged'], remove: ['$Old', '$Never'] }))
    expect(await mail.undo(seq)).toMatchObject({ kind: 'compensated' })
    await lab.rest(mail)
    expect(flagsOnServer('INBOX')).toEqual([['$Old'], ['$Old'], ['$Old', '\\Flagged']])
    expect(await mail.entries()).toEqual([])
  })

  it('moves messages back, wherever they are by now', async () => {
    const mail = await lab.openSynchronised()
    const archive = await mail.mailbox('Archive')
    const work = await mail.mailbox('Work')
    const seq = await sent(mail, mail.move(await newest(mail, 2), archive.id))
    const [one] = await messagesOf(mail, 'Archive')
    await sent(mail, mail.move(one?.reference ?? [], work.id))
    const undone = await mail.undo(seq)
    expect(undone).toMatchObject({ kind: 'compensated', seqs: [seq + 2] })
    expect((await subjectsOf(mail, 'INBOX')).toSorted()).toEqual(['Message 1', 'Message 2', 'Message 3'])
    await lab.rest(mail)
    expect([...lab.onServer('INBOX')].sort()).toEqual(['Message 1', 'Message 2', 'Message 3'])
    await expect(mail.undo(seq)).rejects.toMatchObject({ code: 'input.not-undoable' })
  })

  it('moves back what is on its way, when it has arrived', async () => {
    const mail = await lab.openSynchronised()
    const archive = await mail.mailbox('Archive')
    const [seq] = await mail.move(await newest(mail, 2), archive.id).accepted
    lab.strike('lose-answer', ['move'])
    await mail.syncOnce({ mailboxes: ['INBOX', 'Archive'], signal: AbortSignal.timeout(60_000) }).catch(() => null)
    const [entry] = await mail.entries()
    if (entry?.progress[0]?.state === 'unknown' && seq !== undefined) {
      expect(await mail.undo(seq)).toMatchObject({ kind: 'compensated' })
    }
    await lab.rest(mail)
    expect([...lab.onServer('INBOX')].sort()).toHaveLength(entry === undefined ? 1 : 3)
  })

  it('removes copies', async () => {
    const mail = await lab.openSynchronised()
    const archive = await mail.mailbox('Archive')
    const seq = await sent(mail, mail.copy(await newest(mail, 2), archive.id))
    expect(lab.onServer('Archive')).toHaveLength(2)
    await mail.undo(seq)
    await lab.rest(mail)
    expect(lab.onServer('Archive')).toEqual([])
    expect(lab.onServer('INBOX')).toHaveLength(3)
  })

  it('removes an upload, and a first draft', async () => {
    const mail = await lab.openSynchronised()
    const archive = await mail.mailbox('Archive')
    const upload = await sent(mail, mail.append({ to: archive.id, bytes: message('Upload') }))
    const draft = await sent(mail, mail.saveDraft({ bytes: message('Draft') }))
    for (const seq of [upload, draft]) expect(await mail.undo(seq)).toMatchObject({ kind: 'compensated' })
    await lab.rest(mail)
    expect([...lab.onServer('Archive'), ...lab.onServer('Drafts')]).toEqual([])
  })

  // Verifies: I-STORE-2
  it('is refused for a draft whose version before is gone: nothing would be left', async () => {
    const mail = await lab.openSynchronised()
    const first = await mail.saveDraft({ bytes: message('One') }).message
    await lab.rest(mail)
    const seq = await sent(mail, mail.saveDraft({ bytes: message('Two'), replaces: first }))
    await expect(mail.undo(seq)).rejects.toMatchObject({ code: 'input.not-undoable' })
    expect(lab.onServer('Drafts')).toEqual(['Two'])
  })

  // Verifies: I-STORE-2
  it('of a first draft does not take the version along that is in its place by now', async () => {
    const mail = await lab.openSynchronised()
    const handle = mail.saveDraft({ bytes: message('One') })
    const seq = await sent(mail, handle)
    await sent(mail, mail.saveDraft({ bytes: message('Two'), replaces: await handle.message }))
    await expect(mail.undo(seq)).rejects.toMatchObject({ code: 'input.not-undoable' })
    await lab.rest(mail)
    expect(lab.onServer('Drafts')).toEqual(['Two'])
  })

  it('is refused for a removal', async () => {
    const mail = await lab.openSynchronised()
    const seq = await sent(mail, mail.expunge(await newest(mail, 1)))
    await expect(mail.undo(seq)).rejects.toMatchObject({ code: 'input.not-undoable' })
    await expect(mail.undo((seq + 9) as EntrySeq)).rejects.toMatchObject({ code: 'input.unknown-operation' })
  })

  it('is refused for what is parked, and changes nothing', async () => {
    const mail = await lab.openSynchronised()
    lab.strike({ kind: 'reject', rejection: { status: 'NO', code: 'OVERQUOTA', text: 'Full.' } }, ['append'])
    const archive = await mail.mailbox('Archive')
    const seq = await sent(mail, mail.append({ to: archive.id, bytes: message('Upload') }))
    await expect(mail.undo(seq)).rejects.toMatchObject({ code: 'input.not-undoable' })
    expect(await subjectsOf(mail, 'Archive')).toEqual(['Upload'])
  })

  it('can itself be undone', async () => {
    const mail = await lab.openSynchronised()
    const seq = await sent(mail, mail.flag(await newest(mail, 1), { add: ['\\Flagged'] }))
    const undone = await mail.undo(seq)
    await lab.rest(mail)
    expect(flagsOnServer('INBOX').flat()).toEqual([])
    if (undone.kind === 'compensated') for (const other of undone.seqs) await mail.undo(other)
    await lab.rest(mail)
    expect(flagsOnServer('INBOX').flat()).toEqual(['\\Flagged'])
  })
})

describe('retarget', () => {
  const full = { kind: 'reject', rejection: { status: 'NO', code: 'OVERQUOTA', text: 'Full.' } } as const

  it('sends what is parked to another mailbox, and what was done to it meanwhile follows', async () => {
    const mail = await lab.openSynchronised()
    const [archive, work] = [await mail.mailbox('Archive'), await mail.mailbox('Work')]
    lab.strike(full, ['move'])
    const seq = await sent(mail, mail.move(await newest(mail, 2), archive.id))
    await mail.flag(
      (await messagesOf(mail, 'Archive')).map(({ reference }) => reference),
      { add: ['$Later'] },
    ).accepted
    await mail.retarget(seq, work.id)
    expect(await subjectsOf(mail, 'Archive')).toEqual([])
    expect((await messagesOf(mail, 'Work')).map(({ flags }) => flags)).toEqual([['$Later'], ['$Later']])
    await lab.rest(mail)
    expect(lab.onServer('Work')).toHaveLength(2)
    expect(flagsOnServer('Work')).toEqual([['$Later'], ['$Later']])
    expect(await mail.entries()).toEqual([])
  })

  it.each([
    ['what puts messages nowhere', 'input.not-retargetable'],
    ['what is settled', 'input.not-undoable'],
    ['a mailbox that is not there', 'input.unknown-mailbox'],
  ] as const)('refuses %s', async (what, code) => {
    const mail = await lab.openSynchronised()
    const archive = await mail.mailbox('Archive')
    const handle = mail.flag(await newest(mail, 1), { add: ['\\Seen'] })
    const [seq] = await handle.accepted
    if (what === 'what is settled') await lab.rest(mail)
    const to = what === 'a mailbox that is not there' ? (99 as never) : archive.id
    await expect(mail.retarget(seq as EntrySeq, to)).rejects.toMatchObject({ code })
  })
})
