/** What becomes of mailboxes that an app makes, renames, deletes and subscribes to: offline, with answers lost, beside a rival. */

import { type MailboxId, SyncError } from '@tidemail/core'
import type { MailEngine } from '@tidemail/engine'
import { MemoryMessageStore, type StepFault } from '@tidemail/testing/simulated'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { dyingStore, ProcessDied } from './dying-store.ts'
import { EngineLab, ME, message, messagesOf, subjectsOf } from './engine-lab.ts'
import { serverForm, storeForm } from './equality.ts'
import { SeededRandom } from './virtual-time.ts'

const SYNCS_MAX = 8

let lab: EngineLab

beforeEach(() => {
  lab = furnished()
})

afterEach(() => lab.close())

function furnished(): EngineLab {
  const made = new EngineLab()
  for (const path of ['Work/Sub', 'Old']) made.account.create(path)
  made.fill('INBOX', 3)
  made.fill('Work', 3)
  made.fill('Work/Sub', 1)
  made.fill('Old', 2)
  return made
}

async function idOf(mail: MailEngine, path: string): Promise<MailboxId> {
  return (await mail.mailbox(path)).id
}

async function pathsOf(mail: MailEngine): Promise<readonly string[]> {
  return (await mail.mailboxes()).map(({ path, isPending }) => (isPending ? `(${path})` : path))
}

const serverPaths = (): readonly string[] => lab.account.mailboxes.map(({ path }) => path)

/** Steps that were sent which change mailboxes as such. */
function mailboxSteps(): readonly string[] {
  return lab.remote.sent.flatMap(({ step }) => {
    if (step.kind === 'rename') return [`rename ${step.path} ${step.to}`]
    return ['create', 'delete', 'subscribe', 'unsubscribe'].includes(step.kind) && 'path' in step
      ? [`${step.kind} ${step.path}`]
      : []
  })
}

/** Until all is done, or nothing more can be: connections may end, and the server may finish what it had received. */
async function settle(mail: MailEngine, on: EngineLab = lab): Promise<void> {
  for (let syncs = 0; syncs < SYNCS_MAX; syncs += 1) {
    const syncing = mail.syncOnce().catch((error: unknown) => {
      if (error instanceof ProcessDied || !(error instanceof SyncError) || error.code === 'engine.bug') throw error
      return null
    })
    let isOver = false
    const over = syncing.finally(() => {
      isOver = true
    })
    // Time passes while the engine waits.
    while (!isOver) {
      await new Promise(setImmediate)
      on.clock.advance(1_000)
      on.remote.releaseGhosts()
    }
    if ((await over)?.outcome === 'done') return
    on.clock.advance(120_000)
  }
}

async function expectEqual(mail: MailEngine, on: EngineLab = lab): Promise<void> {
  expect((await mail.entries()).map(({ seq, progress }) => ({ seq, progress }))).toEqual([])
  expect(await storeForm(new MemoryMessageStore({ disk: on.disk }), ME.id)).toEqual(serverForm(on.account))
}

describe('a mailbox made offline', () => {
  // Verifies: I-LOG-1, I-STORE-3
  it('is there at once, takes messages, and is made before they are moved into it', async () => {
    const mail = await lab.openSynchronised()
    lab.remote.goOffline()
    const made = mail.createMailbox('Projects/2026')
    const target = await made.mailbox
    const [newest] = await messagesOf(mail, 'INBOX')
    await mail.move(newest?.reference ?? [], target).accepted
    await mail.append({ to: target, bytes: message('note') }).accepted
    expect(await pathsOf(mail)).toContain('(Projects/2026)')
    expect(await subjectsOf(mail, 'Projects/2026')).toEqual(['Message 3', 'note'])
    lab.remote.goOnline()
    await mail.syncOnce()
    expect(await pathsOf(mail)).toContain('Projects/2026')
    expect(lab.account.open('Projects/2026').messages).toHaveLength(2)
    expect((await made.settled).map(({ outcomes }) => outcomes.map(({ outcome, evidence }) => [outcome, evidence.kind]))).toEqual(
      [[['applied', 'tagged-ok']]],
    )
    await expectEqual(mail)
  })

  it('is never asked for, nor taken away, while the server does not know it', async () => {
    const mail = await lab.openSynchronised()
    lab.remote.fault = (step) =>
      step.kind === 'create' ? { kind: 'reject', rejection: { status: 'NO', code: 'INUSE', text: 'Busy.' } } : 'pass'
    await mail.createMailbox('Later').accepted
    const syncing = mail.syncOnce()
    await syncing
    expect(await pathsOf(mail)).toContain('(Later)')
    const asked = lab.remote.sent.filter(({ step }) => step.kind !== 'create' && 'path' in step && step.path === 'Later')
    expect(asked).toEqual([])
    lab.remote.fault = () => 'pass'
    lab.clock.advance(120_000)
    await mail.syncOnce()
    await expectEqual(mail)
  })

  // Verifies: I-STORE-2
  it('goes when its making is taken back, and what was to go into it shows where it was', async () => {
    const mail = await lab.openSynchronised()
    lab.remote.goOffline()
    const making = mail.createMailbox('Nowhere')
    const [newest] = await messagesOf(mail, 'INBOX')
    await mail.move(newest?.reference ?? [], await making.mailbox).accepted
    await making.undo()
    expect(await pathsOf(mail)).not.toContain('(Nowhere)')
    expect(await subjectsOf(mail, 'INBOX')).toHaveLength(3)
    const [left] = await mail.entries()
    expect(left?.progress.map(({ parkedFor }) => parkedFor)).toEqual(['mailbox-gone'])
    lab.remote.goOnline()
    await mail.syncOnce()
    expect(mailboxSteps()).toEqual([])
  })

  it('goes as well when the server refuses it for good', async () => {
    const mail = await lab.openSynchronised()
    lab.remote.fault = (step) =>
      step.kind === 'create' ? { kind: 'reject', rejection: { status: 'NO', code: 'CANNOT', text: 'Never.' } } : 'pass'
    const making = mail.createMailbox('Forbidden')
    const [newest] = await messagesOf(mail, 'INBOX')
    await mail.move(newest?.reference ?? [], await making.mailbox).accepted
    await mail.syncOnce()
    expect(await pathsOf(mail)).not.toContain('(Forbidden)')
    expect(await subjectsOf(mail, 'INBOX')).toHaveLength(3)
  })

  it('is the one that a rival made meanwhile', async () => {
    const mail = await lab.openSynchronised()
    lab.remote.goOffline()
    const target = await mail.createMailbox('Shared').mailbox
    const [newest] = await messagesOf(mail, 'INBOX')
    await mail.move(newest?.reference ?? [], target).accepted
    lab.account.create('Shared')
    lab.fill('Shared', 1)
    lab.remote.goOnline()
    await mail.syncOnce()
    expect(mailboxSteps()).toEqual([])
    expect((await mail.mailbox('Shared')).id).toBe(target)
    expect(lab.account.open('Shared').messages).toHaveLength(2)
    await expectEqual(mail)
  })

  it('is made although a rival has made one below it, so that its name is there already', async () => {
    const mail = await lab.openSynchronised()
    lab.remote.goOffline()
    const target = await mail.createMailbox('Upper').mailbox
    await mail.append({ to: target, bytes: message('note') }).accepted
    lab.account.create('Upper/Lower')
    lab.remote.goOnline()
    await settle(mail)
    expect(lab.account.open('Upper').messages).toHaveLength(1)
    await expectEqual(mail)
  })

  it('is never made when it was deleted again before the server heard of it', async () => {
    const mail = await lab.openSynchronised()
    lab.remote.goOffline()
    const target = await mail.createMailbox('Brief').mailbox
    await mail.deleteMailbox(target).accepted
    lab.remote.goOnline()
    await mail.syncOnce()
    expect(mailboxSteps()).toEqual([])
    expect((await mail.receipts()).map(({ outcomes }) => outcomes.map(({ outcome }) => outcome))).toEqual([
      ['superseded'],
      ['superseded'],
    ])
    await expectEqual(mail)
  })

  it('may be made while a pass is under way', async () => {
    const mail = await lab.openSynchronised()
    const [newest] = await messagesOf(mail, 'INBOX')
    let target: Promise<unknown> = Promise.resolve()
    let isAsked = false
    lab.remote.fault = (step) => {
      if (step.kind === 'list' && !isAsked) {
        isAsked = true
        const { accepted, mailbox } = mail.createMailbox('Sudden')
        target = accepted.then(async () => mail.move(newest?.reference ?? [], await mailbox).accepted)
      }
      return 'pass'
    }
    await mail.syncOnce()
    await target
    await settle(mail)
    expect(lab.account.open('Sudden').messages).toHaveLength(1)
    await expectEqual(mail)
  })
})

describe('a mailbox that is renamed', () => {
  it('keeps its messages and takes along what is below it: nothing is fetched again', async () => {
    const mail = await lab.openSynchronised()
    const id = await idOf(mail, 'Work')
    const sub = await idOf(mail, 'Work/Sub')
    lab.remote.goOffline()
    await mail.renameMailbox(id, 'Job').accepted
    expect(await pathsOf(mail)).toEqual(expect.arrayContaining(['(Job)', '(Job/Sub)']))
    lab.remote.goOnline()
    expect(await mail.syncOnce()).toMatchObject({ messagesFetched: 0, messagesRemoved: 0 })
    expect(serverPaths()).toEqual(['INBOX', 'Archive', 'Job', 'Job/Sub', 'Old'])
    expect([await idOf(mail, 'Job'), await idOf(mail, 'Job/Sub')]).toEqual([id, sub])
    await expectEqual(mail)
  })

  it('stays subscribed', async () => {
    const mail = await lab.openSynchronised()
    lab.account.subscribe('Work/Sub')
    await mail.syncOnce()
    await mail.renameMailbox(await idOf(mail, 'Work'), 'Job').accepted
    await mail.syncOnce()
    expect([...lab.account.subscriptions].toSorted()).toEqual(['Archive', 'Job', 'Job/Sub'])
    await mail.syncOnce()
    expect((await mail.mailboxes()).filter(({ isSubscribed }) => isSubscribed).map(({ path }) => path)).toEqual([
      'Archive',
      'Job',
      'Job/Sub',
    ])
  })

  it.each(['lose-answer', 'ghost'] as const)('stays subscribed also when the answer is lost: %s', async (fault) => {
    const mail = await lab.openSynchronised()
    let faults = 0
    lab.remote.fault = (step) => {
      if (step.kind !== 'rename' || faults > 0) return 'pass'
      faults += 1
      return fault
    }
    await mail.renameMailbox(await idOf(mail, 'Work'), 'Job').accepted
    await settle(mail)
    await mail.syncOnce()
    expect([...lab.account.subscriptions].toSorted()).toEqual(['Archive', 'Job'])
    expect(await mail.mailbox('Job')).toMatchObject({ isSubscribed: true })
    await expectEqual(mail)
  })

  // Verifies: DC-2180-3
  it('has its old name again when the server refuses the new one', async () => {
    const mail = await lab.openSynchronised()
    await mail.renameMailbox(await idOf(mail, 'Work'), 'Elsewhere').accepted
    lab.account.create('Elsewhere')
    await mail.syncOnce()
    expect(await pathsOf(mail)).toEqual(['INBOX', 'Archive', 'Elsewhere', 'Old', 'Work', 'Work/Sub'])
    await expectEqual(mail)
  })

  it('sends what waits for it under the new name', async () => {
    const mail = await lab.openSynchronised()
    lab.remote.goOffline()
    const id = await idOf(mail, 'Work')
    const [newest] = await messagesOf(mail, 'Work')
    await mail.flag(newest?.reference ?? [], { add: ['\\Flagged'] }).accepted
    await mail.append({ to: id, bytes: message('note') }).accepted
    await mail.renameMailbox(id, 'Job').accepted
    lab.remote.goOnline()
    await mail.syncOnce()
    expect(lab.account.open('Job').messages.map(({ flags }) => flags)).toEqual([[], [], ['\\Flagged'], []])
    await expectEqual(mail)
  })
})

describe('a mailbox that is deleted', () => {
  it('is deleted only when the messages are out of it', async () => {
    const mail = await lab.openSynchronised()
    lab.remote.goOffline()
    await mail.move(
      (await messagesOf(mail, 'Old')).map(({ reference }) => reference),
      await idOf(mail, 'Archive'),
    ).accepted
    await mail.deleteMailbox(await idOf(mail, 'Old')).accepted
    expect(await pathsOf(mail)).not.toContain('Old')
    lab.remote.goOnline()
    await mail.syncOnce()
    const order = lab.remote.sent.map(({ step }) => step.kind).filter((kind) => kind === 'move' || kind === 'delete')
    expect(order).toEqual(['move', 'delete'])
    expect(lab.account.open('Archive').messages).toHaveLength(2)
    await expectEqual(mail)
  })

  // Verifies: I-LOG-5
  it.each([
    ['refused for good', 'CANNOT'],
    ['parked', 'OVERQUOTA'],
  ])('is kept when the move out of it was %s', async (_, code) => {
    const mail = await lab.openSynchronised()
    lab.remote.fault = (step) =>
      step.kind === 'move' ? { kind: 'reject', rejection: { status: 'NO', code, text: 'No.' } } : 'pass'
    await mail.move(
      (await messagesOf(mail, 'Old')).map(({ reference }) => reference),
      await idOf(mail, 'Archive'),
    ).accepted
    const [seq] = await mail.deleteMailbox(await idOf(mail, 'Old')).accepted
    await mail.syncOnce()
    await mail.syncOnce()
    expect(lab.account.open('Old').messages).toHaveLength(2)
    // What there is to decide on can be seen.
    expect(await pathsOf(mail)).toContain('Old')
    const kept = (await mail.entries()).find((entry) => entry.seq === seq)
    expect(kept?.progress.map(({ parkedFor }) => parkedFor)).toEqual(['needs-another'])
    lab.remote.fault = () => 'pass'
    for (const entry of await mail.entries()) await (entry.seq === seq ? mail.retry(entry.seq) : mail.discard(entry.seq))
    await mail.syncOnce()
    expect(serverPaths()).not.toContain('Old')
  })

  // Verifies: DC-2180-3
  it('comes back when the server refuses, as where others are below it', async () => {
    const mail = await lab.openSynchronised()
    await mail.deleteMailbox(await idOf(mail, 'Work')).accepted
    for (let tries = 0; tries < 3; tries += 1) await settle(mail)
    expect((await mail.receipts()).map(({ outcomes }) => outcomes.map(({ outcome }) => outcome))).toEqual([['rejected']])
    expect(await pathsOf(mail)).toEqual(['INBOX', 'Archive', 'Old', 'Work', 'Work/Sub'])
    await expectEqual(mail)
  })

  it('counts as deleted when a rival was faster', async () => {
    const mail = await lab.openSynchronised()
    await mail.deleteMailbox(await idOf(mail, 'Old')).accepted
    lab.account.delete('Old')
    await mail.syncOnce()
    expect(mailboxSteps()).toEqual([])
    expect((await mail.receipts()).map(({ outcomes }) => outcomes.map(({ outcome }) => outcome))).toEqual([['applied']])
    await expectEqual(mail)
  })

  it('is not asked for again after it is gone, though it was seen at the start of the pass', async () => {
    const mail = await lab.openSynchronised()
    lab.fill('Old', 1)
    await mail.deleteMailbox(await idOf(mail, 'Old')).accepted
    const report = await mail.syncOnce()
    expect(report.problems).toEqual([])
    await expectEqual(mail)
  })
})

describe('what cannot be asked of a mailbox', () => {
  it.each([
    ['a name that is taken', (mail: MailEngine) => mail.createMailbox('Work'), 'input.mailbox-exists'],
    ['INBOX in any case', (mail: MailEngine) => mail.createMailbox('Inbox'), 'input.mailbox-exists'],
    ['no name', (mail: MailEngine) => mail.createMailbox(''), 'input.bad-name'],
    ['an empty part', (mail: MailEngine) => mail.createMailbox('A//B'), 'input.bad-name'],
    ['a name that ends with the delimiter', (mail: MailEngine) => mail.createMailbox('A/'), 'input.bad-name'],
    ['a wildcard', (mail: MailEngine) => mail.createMailbox('50%'), 'input.bad-name'],
    ['a control character', (mail: MailEngine) => mail.createMailbox('A\nB'), 'input.bad-name'],
    ['half a character', (mail: MailEngine) => mail.createMailbox('A\ud800'), 'input.bad-name'],
  ])('%s', async (_, ask, code) => {
    const mail = await lab.openSynchronised()
    await expect(ask(mail).accepted).rejects.toMatchObject({ code })
    expect(await mail.entries()).toEqual([])
  })

  it('INBOX is neither renamed nor deleted, and no mailbox goes below itself', async () => {
    const mail = await lab.openSynchronised()
    const [inbox, work] = [await idOf(mail, 'INBOX'), await idOf(mail, 'Work')]
    for (const handle of [
      mail.renameMailbox(inbox, 'Other'),
      mail.deleteMailbox(inbox),
      mail.renameMailbox(work, 'Work/Below'),
    ]) {
      await expect(handle.accepted).rejects.toMatchObject({ code: 'input.bad-name' })
    }
  })

  it('a name that was taken a moment ago, in the same breath', async () => {
    const mail = await lab.openSynchronised()
    const [first, second] = [mail.createMailbox('Twice'), mail.createMailbox('Twice')]
    await first.accepted
    await expect(second.accepted).rejects.toMatchObject({ code: 'input.mailbox-exists' })
    const id = await first.mailbox
    await mail.deleteMailbox(id).accepted
    await expect(
      mail.move(
        (await messagesOf(mail, 'INBOX')).map(({ reference }) => reference),
        id,
      ).accepted,
    ).rejects.toMatchObject({
      code: 'input.unknown-mailbox',
    })
  })
})

describe('an answer that is lost', () => {
  const ASK: Readonly<Record<string, (mail: MailEngine) => Promise<unknown>>> = {
    create: (mail) => mail.createMailbox('New').accepted,
    rename: async (mail) => mail.renameMailbox(await idOf(mail, 'Work'), 'Job').accepted,
    delete: async (mail) => mail.deleteMailbox(await idOf(mail, 'Old')).accepted,
    subscribe: async (mail) => mail.subscribe(await idOf(mail, 'Old')).accepted,
    unsubscribe: async (mail) => mail.unsubscribe(await idOf(mail, 'Archive')).accepted,
  }
  const FAULTS: readonly StepFault[] = ['lose-request', 'lose-answer', 'ghost', 'cut', { kind: 'half-open', isExecuted: true }]
  const cases = Object.keys(ASK).flatMap((kind) =>
    FAULTS.map((fault) => [kind, typeof fault === 'string' ? fault : 'half-open', fault] as const),
  )

  // Verifies: I-LOG-3, H-7
  it.each(cases)('to %s (%s) is decided by the next look: done once, and never parked', async (kind, _, fault) => {
    const mail = await lab.openSynchronised()
    const ids = [await idOf(mail, 'Work'), await idOf(mail, 'Work/Sub')]
    let faults = 0
    lab.remote.fault = (step) => {
      if (step.kind !== kind || faults > 0) return 'pass'
      faults += 1
      return fault
    }
    const asked = ASK[kind]
    await asked?.(mail)
    await settle(mail)
    expect(faults).toBe(1)
    expect((await mail.receipts()).map(({ outcomes }) => outcomes.map(({ outcome }) => outcome))).toEqual([['applied']])
    const work = kind === 'rename' ? 'Job' : 'Work'
    expect([await idOf(mail, work), await idOf(mail, `${work}/Sub`)]).toEqual(ids)
    expect(lab.account.subscriptions.has('Old')).toBe(kind === 'subscribe')
    expect(lab.account.subscriptions.has('Archive')).toBe(kind !== 'unsubscribe')
    await expectEqual(mail)
  })
})

/** Everything at once, offline. */
async function reorganise(mail: MailEngine): Promise<void> {
  const references = async (path: string): Promise<readonly never[]> =>
    (await messagesOf(mail, path)).map(({ reference }) => reference) as unknown as readonly never[]
  const made = await mail.createMailbox('New').mailbox
  await mail.move((await references('INBOX')).slice(0, 1), made).accepted
  await mail.createMailbox('New/Deep').accepted
  await mail.renameMailbox(await idOf(mail, 'Work'), 'Job').accepted
  await mail.move(await references('Old'), await idOf(mail, 'Archive')).accepted
  await mail.deleteMailbox(await idOf(mail, 'Old')).accepted
  await mail.subscribe(made).accepted
  const draft = await mail.createMailbox('Tmp').mailbox
  await mail.renameMailbox(draft, 'Final').accepted
}

const REORGANISED = ['INBOX', 'Archive', 'Final', 'Job', 'Job/Sub', 'New', 'New/Deep']

async function expectReorganised(mail: MailEngine, on: EngineLab): Promise<void> {
  await expectEqual(mail, on)
  expect(on.account.mailboxes.map(({ path, messages }) => [path, messages.length])).toEqual(
    REORGANISED.map((path) => [path, { INBOX: 2, Archive: 2, Job: 3, 'Job/Sub': 1, New: 1 }[path] ?? 0]),
  )
  expect(on.account.subscriptions.has('New')).toBe(true)
}

async function reorganisedOffline(): Promise<{ readonly on: EngineLab; readonly mail: MailEngine }> {
  const on = furnished()
  const mail = await on.openSynchronised()
  on.remote.goOffline()
  await reorganise(mail)
  on.remote.goOnline()
  return { on, mail }
}

describe('everything at once', () => {
  // Verifies: I-SYNC-3, I-LOG-3
  it.each(['lose-request', 'lose-answer', 'lose-tail', 'ghost'] as const)(
    'comes out right whichever answer is lost: %s',
    async (fault) => {
      for (let at = 0; ; at += 1) {
        const { on, mail } = await reorganisedOffline()
        const first = on.remote.sent.length
        on.remote.fault = (_, index) => (index === first + at ? fault : 'pass')
        await settle(mail, on)
        await expectReorganised(mail, on)
        const isOver = on.remote.sent.length <= first + at
        await on.close()
        if (isOver) return
      }
    },
    60_000,
  )

  it.each(['before', 'after'] as const)(
    'comes out right when the process dies %s any write',
    async (moment) => {
      for (let atCommit = 0; ; atCommit += 1) {
        const { on, mail } = await reorganisedOffline()
        await mail.close()
        const dying = dyingStore(new MemoryMessageStore({ disk: on.disk }), { atCommit, moment })
        const dead = await on.open({ store: dying, random: new SeededRandom(100) }).catch(() => null)
        const hasDied = await dead?.syncOnce().then(
          () => false,
          () => true,
        )
        on.remote.disconnectAll()
        await dead?.close().catch(() => {})
        on.clock.advance(120_000)
        const next = await on.open()
        await settle(next, on)
        await expectReorganised(next, on)
        await on.close()
        if (hasDied === false) return
      }
    },
    60_000,
  )
})

// Verifies: DC-4549-2.3, DC-4549-5.1-2
describe('a destination that is gone', () => {
  const lose = async (policy: Parameters<EngineLab['open']>[0]): Promise<MailEngine> => {
    const mail = await lab.openSynchronised(policy)
    lab.remote.goOffline()
    const [newest] = await messagesOf(mail, 'INBOX')
    await mail.move(newest?.reference ?? [], await idOf(mail, 'Old')).accepted
    await mail.append({ to: await idOf(mail, 'Old'), bytes: message('note') }).accepted
    lab.account.delete('Old')
    lab.remote.goOnline()
    await settle(mail)
    return mail
  }
  const parked = async (mail: MailEngine): Promise<readonly unknown[]> =>
    (await mail.entries()).flatMap(({ operation, progress }) => progress.map(({ parkedFor }) => [operation.kind, parkedFor]))

  it('is shown to the user, unless the policy says otherwise', async () => {
    const mail = await lose({})
    expect(await parked(mail)).toEqual([
      ['move', 'mailbox-gone'],
      ['append', 'mailbox-gone'],
    ])
  })

  it('is made again', async () => {
    const mail = await lose({ policy: { bodies: 'none', missingMailbox: 'create' } })
    expect(lab.account.open('Old').messages).toHaveLength(2)
    await expectEqual(mail)
  })

  it('is replaced by another', async () => {
    const mail = await lose({ policy: { bodies: 'none', missingMailbox: { other: 'Archive' } } })
    expect(lab.account.open('Archive').messages).toHaveLength(2)
    await expectEqual(mail)
  })

  // Verifies: I-STORE-2
  it('is passed over, but what the user made is not thrown away', async () => {
    const mail = await lose({ policy: { bodies: 'none', missingMailbox: 'skip' } })
    expect((await mail.receipts()).map(({ outcomes }) => outcomes.map(({ outcome }) => outcome))).toEqual([['skipped']])
    expect(await parked(mail)).toEqual([['append', 'mailbox-gone']])
    expect(lab.account.inbox.messages).toHaveLength(3)
  })
})
