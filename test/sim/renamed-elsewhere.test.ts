/** What becomes of mailboxes that another client renames: they are followed, with all that is held of them and queued for them. */

import type { LogEvent, MailEngine, MailEngineOptions } from '@tidemail/engine'
import { MemoryMessageStore, SimulatedRemote } from '@tidemail/testing/simulated'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EngineLab, ME, message, messagesOf, subjectsOf } from './engine-lab.ts'
import { serverForm, storeForm } from './equality.ts'

let lab: EngineLab
let events: LogEvent[]

beforeEach(() => {
  events = []
  lab = new EngineLab()
  for (const path of ['Work/Sub', 'Old']) lab.account.create(path)
  for (const [path, count] of Object.entries({ INBOX: 2, Work: 3, 'Work/Sub': 1, Old: 2 })) lab.fill(path, count)
})

afterEach(() => lab.close())

/** What tells that a mailbox is the same: MAILBOXID, or its state alone. */
const EVIDENCES = ['mailbox-id', 'guess'] as const
type By = (typeof EVIDENCES)[number]

async function synchronised(by: By): Promise<MailEngine> {
  const { account, clock } = lab
  const remote = by === 'mailbox-id' ? lab.remote : new SimulatedRemote({ account, clock, without: ['OBJECTID'] })
  const policy: MailEngineOptions['policy'] = { bodies: 'all' }
  return lab.openSynchronised({ remote, policy, log: (event) => events.push(event) })
}

async function idsOf(mail: MailEngine, ...paths: readonly string[]): Promise<readonly number[]> {
  return Promise.all(paths.map(async (path) => (await mail.mailbox(path)).id))
}

const renamings = (): readonly string[] => events.flatMap(({ event }) => (event.startsWith('mailbox.renamed') ? [event] : []))

/** One synchronisation, however it ends; time passes while the engine waits. */
async function pass(mail: MailEngine): Promise<void> {
  let isOver = false
  const over = mail.syncOnce().then(
    () => {
      isOver = true
    },
    () => {
      isOver = true
    },
  )
  while (!isOver) {
    await new Promise(setImmediate)
    lab.clock.advance(1_000)
  }
  await over
}

async function expectEqual(mail: MailEngine): Promise<void> {
  expect((await mail.entries()).map(({ seq, progress }) => ({ seq, progress }))).toEqual([])
  expect(await storeForm(new MemoryMessageStore({ disk: lab.disk }), ME.id)).toEqual(serverForm(lab.account))
}

describe.each(EVIDENCES)('a mailbox renamed elsewhere, known by %s', (by) => {
  const event = by === 'guess' ? 'mailbox.renamed-guess' : 'mailbox.renamed'

  // Verifies: DC-8474-8.3a, I-SYNC-1
  it('keeps its number and its messages, with what is below it: nothing is fetched', async () => {
    const mail = await synchronised(by)
    const ids = await idsOf(mail, 'Work', 'Work/Sub')
    lab.account.rename('Work', 'Job')
    const guesses = ['', '/Sub'].map((below) => ({ from: `Work${below}`, to: `Job${below}` }))
    expect(await mail.syncOnce()).toMatchObject({
      outcome: 'done',
      renamesGuessed: by === 'guess' ? guesses : [],
      messagesFetched: 0,
      messagesRemoved: 0,
      partsFetched: 0,
      mailboxesOpened: 0,
    })
    expect(await idsOf(mail, 'Job', 'Job/Sub')).toEqual(ids)
    expect((await messagesOf(mail, 'Job')).every(({ heldSections }) => heldSections.length > 0)).toBe(true)
    expect(renamings()).toEqual([event, event])
    await expectEqual(mail)
  })

  // Verifies: I-STORE-2
  it('gets what was queued for it', async () => {
    const mail = await synchronised(by)
    const work = await mail.mailbox('Work')
    const [newest, second] = await messagesOf(mail, 'Work')
    await mail.move(newest?.reference ?? [], (await mail.mailbox('Old')).id).accepted
    await mail.flag(second?.reference ?? [], { add: ['\\Flagged'] }).accepted
    await mail.append({ to: work.id, bytes: message('note') }).accepted
    await mail.createMailbox('Work/New').accepted
    lab.account.rename('Work', 'Job')
    expect(await mail.syncOnce()).toMatchObject({ outcome: 'done' })
    expect(lab.account.mailboxes.map(({ path }) => path).toSorted()).toEqual(
      ['Archive', 'INBOX', 'Job', 'Job/New', 'Job/Sub', 'Old'].toSorted(),
    )
    expect((await subjectsOf(mail, 'Job')).toSorted()).toEqual(['Message 1', 'Message 2', 'note'])
    expect(lab.account.open('Job').messages.filter(({ flags }) => flags.includes('\\Flagged'))).toHaveLength(1)
    expect(lab.account.open('Old').messages).toHaveLength(3)
    expect((await mail.receipts()).flatMap(({ outcomes }) => outcomes.map(({ outcome }) => outcome))).toEqual([
      'applied',
      'applied',
      'applied',
      'applied',
    ])
    await expectEqual(mail)
  })

  it('is followed when there are two at once', async () => {
    const mail = await synchronised(by)
    const ids = await idsOf(mail, 'Work', 'Old')
    lab.account.rename('Work', 'Job')
    lab.account.rename('Old', 'Former')
    expect(await mail.syncOnce()).toMatchObject({ messagesFetched: 0, messagesRemoved: 0 })
    expect(await idsOf(mail, 'Job', 'Former')).toEqual(ids)
    await expectEqual(mail)
  })

  it('is followed when two exchange their names', async () => {
    const mail = await synchronised(by)
    const [inbox, old] = await idsOf(mail, 'Archive', 'Old')
    lab.fill('Archive', 1)
    await mail.syncOnce()
    const [newest] = await messagesOf(mail, 'Old')
    await mail.flag(newest?.reference ?? [], { add: ['\\Seen'] }).accepted
    for (const [from, to] of [
      ['Old', 'Between'],
      ['Archive', 'Old'],
      ['Between', 'Archive'],
    ] as const)
      lab.account.rename(from, to)
    expect(await mail.syncOnce()).toMatchObject({ outcome: 'done', messagesFetched: 0, messagesRemoved: 0 })
    expect(await idsOf(mail, 'Old', 'Archive')).toEqual([inbox, old])
    expect(lab.account.open('Archive').messages.filter(({ flags }) => flags.includes('\\Seen'))).toHaveLength(1)
    await expectEqual(mail)
  })

  it('is followed when there is another one under its old name', async () => {
    const mail = await synchronised(by)
    const [old] = await idsOf(mail, 'Old')
    const [newest] = await messagesOf(mail, 'Old')
    await mail.flag(newest?.reference ?? [], { add: ['\\Seen'] }).accepted
    lab.account.rename('Old', 'Former')
    lab.account.create('Old')
    lab.fill('Old', 4)
    expect(await mail.syncOnce()).toMatchObject({ outcome: 'done', messagesFetched: 4, messagesRemoved: 0 })
    expect(await idsOf(mail, 'Former')).toEqual([old])
    expect(lab.account.open('Former').messages.filter(({ flags }) => flags.includes('\\Seen'))).toHaveLength(1)
    expect(lab.account.open('Old').messages.filter(({ flags }) => flags.includes('\\Seen'))).toHaveLength(0)
    await expectEqual(mail)
  })

  it('takes the name of one that was deleted', async () => {
    const mail = await synchronised(by)
    const [work] = await idsOf(mail, 'Work/Sub')
    lab.account.delete('Old')
    lab.account.rename('Work/Sub', 'Old')
    expect(await mail.syncOnce()).toMatchObject({ outcome: 'done', messagesFetched: 0 })
    expect(await idsOf(mail, 'Old')).toEqual([work])
    await expectEqual(mail)
  })

  it('is renamed once more by what the user asked for', async () => {
    const mail = await synchronised(by)
    const ids = await idsOf(mail, 'Old')
    await mail.renameMailbox((await mail.mailbox('Old')).id, 'Wanted').accepted
    lab.account.rename('Old', 'Former')
    await mail.syncOnce()
    expect(lab.account.mailboxes.map(({ path }) => path)).toContain('Wanted')
    expect(await idsOf(mail, 'Wanted')).toEqual(ids)
    await expectEqual(mail)
  })

  it('keeps the subscriptions that the other client left', async () => {
    const mail = await synchronised(by)
    lab.account.subscribe('Old')
    await mail.syncOnce()
    lab.account.rename('Old', 'Former')
    const subscribed = [...lab.account.subscriptions].toSorted()
    await mail.syncOnce()
    expect([...lab.account.subscriptions].toSorted()).toEqual(subscribed)
    await expectEqual(mail)
  })
})

// Verifies: I-LOG-3
it.each(['Old', 'Work/Sub'])('what was lost on the way is found out under the new name of %s', async (path) => {
  const mail = await synchronised('mailbox-id')
  const [newest] = await messagesOf(mail, 'Work/Sub')
  await mail.copy(newest?.reference ?? [], (await mail.mailbox('Old')).id).accepted
  let isLost = false
  lab.remote.fault = (step) => {
    if (step.kind !== 'copy' || isLost) return 'pass'
    isLost = true
    return 'lose-answer'
  }
  await pass(mail)
  expect(isLost).toBe(true)
  lab.account.rename(path, 'Former')
  for (let passes = 0; passes < 3; passes += 1) await pass(mail)
  expect((await mail.receipts()).map(({ outcomes }) => outcomes.map(({ outcome }) => outcome))).toEqual([['applied']])
  expect(lab.account.open(path === 'Old' ? 'Former' : 'Old').messages).toHaveLength(3)
  await expectEqual(mail)
})

it('is another one when its state is the same and its MAILBOXID is not', async () => {
  const mail = await synchronised('mailbox-id')
  lab.account.delete('Old')
  lab.account.create('New')
  lab.fill('New', 2)
  await mail.syncOnce()
  expect(renamings()).toEqual([])
  await expectEqual(mail)
})

it('is planned as one that is known: nothing of it is to be fetched', async () => {
  const mail = await synchronised('mailbox-id')
  lab.account.rename('Old', 'Former')
  const { steps } = await mail.plan()
  expect(steps.map(({ part, step }) => `${part} ${step.kind}`)).not.toContain('resync fetch')
})
