/** What becomes of bodies, references and entries when a mailbox gets a new UIDVALIDITY: what is found again is not fetched again. */

import { UidSet } from '@tidemail/core'
import type { MailEngine } from '@tidemail/engine'
import { MemoryMessageStore, SimulatedRemote } from '@tidemail/testing/simulated'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { dyingStore } from './dying-store.ts'
import { EngineLab, ME, messagesOf, subjectsOf } from './engine-lab.ts'
import { serverForm, storeForm } from './equality.ts'

const MESSAGES = 200

let lab: EngineLab

beforeEach(() => {
  lab = new EngineLab()
  lab.fill('Work', MESSAGES)
})

afterEach(() => lab.close())

const EVIDENCES = ['EMAILID', 'Message-ID'] as const

async function synchronised(by: (typeof EVIDENCES)[number]): Promise<MailEngine> {
  const { account, clock } = lab
  const remote = by === 'EMAILID' ? lab.remote : new SimulatedRemote({ account, clock, without: ['OBJECTID'] })
  return lab.openSynchronised({ remote, policy: { bodies: 'all' } })
}

/** Two of the oldest are gone, so that every UID is another than before. */
function bump(on: EngineLab = lab): void {
  const work = on.account.open('Work')
  work.remove(UidSet.range(1, 2))
  work.bumpUidValidity()
}

async function formerBoxes(): Promise<readonly unknown[]> {
  const store = new MemoryMessageStore({ disk: lab.disk })
  return (await store.planning.mailboxes(ME.id)).flatMap(({ formerBox }) => formerBox ?? [])
}

async function expectWhole(mail: MailEngine): Promise<void> {
  const messages = await messagesOf(mail, 'Work')
  expect(messages).toHaveLength(lab.account.open('Work').messages.length)
  expect(messages.filter(({ heldSections }) => heldSections.length === 0)).toEqual([])
  expect(await formerBoxes()).toEqual([])
  expect(await storeForm(new MemoryMessageStore({ disk: lab.disk }), ME.id)).toEqual(serverForm(lab.account))
}

describe.each(EVIDENCES)('a mailbox with a new UIDVALIDITY, its messages known by %s', (by) => {
  // Verifies: DC-8474-8.3b, DC-4549-4.1.1, I-SYNC-1
  it('keeps the bodies that it holds', async () => {
    const mail = await synchronised(by)
    bump()
    expect(await mail.syncOnce()).toMatchObject({ outcome: 'done', messagesFetched: MESSAGES - 2, partsFetched: 0 })
    const [newest] = await messagesOf(mail, 'Work')
    const bytes = await mail.part(newest?.reference ?? { kind: 'local', local: 0 as never, accountId: ME.id }, '1')
    expect(new TextDecoder().decode(bytes ?? undefined)).toContain('Text.')
    await expectWhole(mail)
  })

  it('drops what it held before when UIDVALIDITY changes again, and is whole all the same', async () => {
    const mail = await synchronised(by)
    bump()
    await mail.syncOnce()
    bump()
    expect(await mail.syncOnce()).toMatchObject({ outcome: 'done', partsFetched: 0 })
    await expectWhole(mail)
  })
})

// Verifies: DC-4549-4.1.1
it('is asked for its messages once, under the UIDVALIDITY that STATUS told', async () => {
  const mail = await synchronised('EMAILID')
  bump()
  lab.remote.sent.splice(0)
  await mail.syncOnce()
  const onWork = lab.remote.sent.flatMap(({ step }) => ('mailbox' in step && step.mailbox.path === 'Work' ? [step] : []))
  const { uidValidity } = lab.account.open('Work')
  expect(onWork.map(({ kind, mailbox }) => [kind, mailbox.uidValidity])).toEqual([['fetch', uidValidity]])
})

describe('what was queued', () => {
  // Verifies: DC-4549-4.1.1, I-STORE-2
  it('goes on under the new UIDs when EMAILID finds every target', async () => {
    const mail = await synchronised('EMAILID')
    const [newest, second] = await messagesOf(mail, 'Work')
    await mail.flag(
      [newest?.reference, second?.reference].flatMap((one) => one ?? []),
      { add: ['\\Flagged'] },
    ).accepted
    bump()
    await mail.syncOnce()
    await mail.syncOnce()
    const flagged = lab.account.open('Work').messages.filter(({ flags }) => flags.includes('\\Flagged'))
    expect(flagged).toHaveLength(2)
    expect(await mail.entries()).toEqual([])
    expect((await mail.message(newest?.reference as never))?.envelope.subject).toBe(`Message ${MESSAGES}`)
    await expectWhole(mail)
  })

  it.each(['a target that is gone', 'targets without EMAILID'])('stays parked with %s', async (what) => {
    const mail = await synchronised(what === 'a target that is gone' ? 'EMAILID' : 'Message-ID')
    const all = await messagesOf(mail, 'Work')
    const [newest, oldest] = [all[0]?.reference, all.at(-1)?.reference]
    await mail.flag(
      [newest, oldest].flatMap((one) => one ?? []),
      { add: ['\\Flagged'] },
    ).accepted
    bump()
    await mail.syncOnce()
    await mail.syncOnce()
    expect(lab.account.open('Work').messages.filter(({ flags }) => flags.includes('\\Flagged'))).toEqual([])
    const [entry] = await mail.entries()
    expect(entry?.progress.map(({ state, parkedFor }) => [state, parkedFor])).toEqual([['parked', 'uidvalidity-changed']])
    expect(await subjectsOf(mail, 'Work')).toHaveLength(MESSAGES - 2)
  })
})

// Verifies: I-SYNC-3, I-STORE-1
it.each(['before', 'after'] as const)('no body is fetched again when the process dies %s any write', async (moment) => {
  let deaths = 0
  for (let hasDied = true; hasDied; deaths += Number(hasDied)) {
    const small = new EngineLab()
    small.fill('Work', 20)
    await (await small.openSynchronised({ policy: { bodies: 'all' } })).close()
    const bodiesAsked = (): number => small.remote.sent.filter(({ step }) => step.kind === 'fetch-body').length
    const before = bodiesAsked()
    bump(small)
    const store = dyingStore(new MemoryMessageStore({ disk: small.disk }), { atCommit: deaths, moment })
    const dying = await small.open({ store, policy: { bodies: 'all' } }).catch(() => null)
    await dying?.syncOnce().catch(() => null)
    hasDied = store.hasDied
    const mail = await small.open({ policy: { bodies: 'all' } })
    expect(await mail.syncOnce()).toMatchObject({ outcome: 'done' })
    const held = (await messagesOf(mail, 'Work')).filter(({ heldSections }) => heldSections.length > 0)
    expect([deaths, held.length, bodiesAsked() - before]).toEqual([deaths, 18, 0])
    await small.close().catch(() => {})
  }
  expect(deaths).toBeGreaterThan(4)
})
