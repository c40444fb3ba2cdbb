/** Sending: at most once, whatever happens, and the copy for Sent only when it was sent. */

import type { ErrorCode } from '@tidemail/core'
import type { MailEngine, NewSubmission } from '@tidemail/engine'
import { MemoryMessageStore } from '@tidemail/testing/simulated'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { dyingStore } from './dying-store.ts'
import { codeOf, message, subjectsOf } from './engine-lab.ts'
import { FakeSubmitter } from './fake-submitter.ts'
import { SendingLab } from './sending-lab.ts'

let lab: SendingLab
let submitter: FakeSubmitter

beforeEach(() => {
  lab = new SendingLab()
  submitter = new FakeSubmitter()
})

afterEach(() => lab.close())

const LETTER: NewSubmission = {
  bytes: message('Hello'),
  sender: 'ann@example.org',
  recipients: ['bob@example.org', 'eve@example.org'],
}

async function parkedFor(mail: MailEngine): Promise<readonly (string | null)[]> {
  return (await mail.entries()).flatMap(({ progress }) => progress.map((group) => group.parkedFor)).filter((why) => why !== null)
}

describe('submit', () => {
  it('sends the message, and then puts a copy into Sent', async () => {
    const mail = await lab.openSynchronised({ submitter })
    const handle = mail.submit(LETTER)
    await handle.accepted
    expect(await subjectsOf(mail, 'Sent')).toEqual(['Hello'])
    await lab.rest(mail)
    expect(submitter.taken).toMatchObject([{ sender: 'ann@example.org', recipients: ['bob@example.org', 'eve@example.org'] }])
    expect(submitter.taken[0]?.bytes).toEqual(LETTER.bytes)
    expect(lab.onServer('Sent')).toEqual(['Hello'])
    expect(lab.account.open('Sent').messages.map(({ flags }) => flags)).toEqual([['\\Seen']])
    const [receipt] = await handle.settled
    expect(receipt?.outcomes).toMatchObject([
      { outcome: 'applied', evidence: { kind: 'submitted', text: 'Queued.' } },
      { outcome: 'applied', evidence: { kind: 'append-uid' } },
    ])
  })

  it('keeps no copy where the server keeps one itself, and nowhere else', async () => {
    const mail = await lab.openSynchronised({ submitter })
    const handle = mail.submit({ ...LETTER, saveTo: null })
    await handle.accepted
    expect(await subjectsOf(mail, 'Sent')).toEqual([])
    await lab.rest(mail)
    expect(submitter.taken).toHaveLength(1)
    expect(lab.kinds).toEqual([])
    expect((await handle.settled)[0]?.outcomes).toMatchObject([{ outcome: 'applied', evidence: { kind: 'submitted' } }])
    expect(lab.disk.state.bodies.size).toBe(0)
  })

  it('can be taken back while it waits', async () => {
    const mail = await lab.openSynchronised({ submitter })
    const handle = mail.submit(LETTER)
    expect(await handle.undo()).toMatchObject([{ kind: 'undone' }])
    await lab.rest(mail)
    expect(submitter.tries).toBe(0)
    expect(await subjectsOf(mail, 'Sent')).toEqual([])
  })

  // Verifies: I-NET-1, FIELD-19
  it('waits while there is no network, however long, and is sent once there is', async () => {
    const mail = await lab.openSynchronised({ submitter })
    submitter.fault = () => 'unreachable'
    await mail.submit(LETTER).accepted
    for (let tries = 0; tries < 7; tries += 1) {
      expect(await mail.syncOnce()).toMatchObject({
        outcome: 'incomplete',
        problems: expect.arrayContaining([expect.objectContaining({ code: 'remote.unreachable' })]),
      })
    }
    expect(submitter.tries).toBeGreaterThan(6)
    expect(lab.onServer('Sent')).toEqual([])
    submitter.fault = () => 'pass'
    await lab.rest(mail)
    expect(submitter.taken).toHaveLength(1)
    expect(lab.onServer('Sent')).toEqual(['Hello'])
  })

  it('tries again what is refused for now, a bounded number of times, and then asks', async () => {
    const mail = await lab.openSynchronised({ submitter })
    submitter.fault = () => 'refuse-for-now'
    await mail.submit(LETTER).accepted
    await lab.rest(mail)
    expect(submitter.tries).toBe(3)
    expect(await parkedFor(mail)).toEqual(['rejected-repeatedly'])
    submitter.fault = () => 'pass'
    const [entry] = await mail.entries()
    if (entry !== undefined) await mail.retry(entry.seq)
    await lab.rest(mail)
    expect(submitter.taken).toHaveLength(1)
    expect(lab.onServer('Sent')).toEqual(['Hello'])
  })

  // Verifies: I-STORE-2
  it('keeps what is refused for good, and shows it', async () => {
    const mail = await lab.openSynchronised({ submitter })
    submitter.fault = () => 'refuse'
    await mail.submit(LETTER).accepted
    await lab.rest(mail)
    expect(submitter.tries).toBe(1)
    expect(await parkedFor(mail)).toEqual(['rejected-repeatedly'])
    expect(await subjectsOf(mail, 'Sent')).toEqual(['Hello'])
    expect(lab.onServer('Sent')).toEqual([])
    const [entry] = await mail.entries()
    if (entry !== undefined) await mail.discard(entry.seq)
    expect(await subjectsOf(mail, 'Sent')).toEqual([])
    expect(await mail.entries()).toEqual([])
  })

  // Verifies: I-LOG-2, I-SYNC-4, H-9
  it.each([
    ['pass', 'Hello', []],
    ['refuse', undefined, ['rejected-repeatedly']],
    ['lose-answer', undefined, ['uncertain']],
  ] as const)('tells what came of it (%s) also when another tab leads by then', async (fault, kept, parked) => {
    const others: MailEngine[] = []
    const tab = () => ({ store: new MemoryMessageStore({ disk: lab.disk, clock: lab.clock, ownership: 'shared' }), submitter })
    const mail = await lab.openSynchronised({
      ...tab(),
      submitter: {
        submit: async (letter) => {
          others.push(await lab.openSynchronised(tab()))
          return submitter.submit(letter)
        },
      },
    })
    submitter.fault = () => fault
    await mail.submit(LETTER).accepted
    expect(await codeOf(mail.syncOnce())).toBe('engine.not-leader')
    expect(await parkedFor(mail)).toEqual(parked)
    for (const other of others) await other.syncOnce()
    expect(submitter.tries).toBe(1)
    expect(lab.onServer('Sent')).toEqual(kept === undefined ? [] : [kept])
  })

  it('tells what came of it to another tab that is just writing, too', async () => {
    const store = new MemoryMessageStore({ disk: lab.disk, clock: lab.clock, ownership: 'shared' })
    const commit = store.commit.bind(store)
    const left: string[] = []
    store.commit = (change) => {
      if (!change.reason.startsWith('leave')) return commit(change)
      left.push(change.reason)
      return left.length === 1 ? Promise.resolve({ kind: 'conflict', on: 'entry', what: 'It was changed.' }) : commit(change)
    }
    const mail = await lab.openSynchronised({
      store,
      submitter: {
        submit: async (letter) => {
          await lab.openSynchronised({ store: new MemoryMessageStore({ disk: lab.disk, clock: lab.clock, ownership: 'shared' }) })
          return submitter.submit(letter)
        },
      },
    })
    await mail.submit(LETTER).accepted
    expect(await codeOf(mail.syncOnce())).toBe('engine.not-leader')
    expect(left).toHaveLength(2)
    expect(await parkedFor(mail)).toEqual([])
  })

  // Verifies: I-LOG-2, H-9, FIELD-19
  it.each(['lose-answer', 'throw'] as const)('never sends again by itself what may have been sent (%s)', async (fault) => {
    const mail = await lab.openSynchronised({ submitter })
    submitter.fault = () => fault
    await mail.submit(LETTER).accepted
    await lab.rest(mail)
    submitter.fault = () => 'pass'
    await lab.rest(mail)
    expect(submitter.tries).toBe(1)
    expect(await parkedFor(mail)).toEqual(['uncertain'])
    const [entry] = await mail.entries()
    if (entry !== undefined) await mail.retry(entry.seq)
    await lab.rest(mail)
    expect(submitter.tries).toBe(2)
    expect(lab.onServer('Sent')).toEqual(['Hello'])
  })

  // Verifies: I-LOG-3, I-SYNC-3
  it('sends at most once wherever the process dies, and asks where nobody can tell', { timeout: 60_000 }, async () => {
    for (const moment of ['before', 'after'] as const) {
      for (let atCommit = 0; ; atCommit += 1) {
        lab = new SendingLab()
        submitter = new FakeSubmitter()
        const mail = await lab.openSynchronised({ submitter })
        await mail.submit(LETTER).accepted
        const store = dyingStore(lab.store(), { atCommit, moment })
        const dying = await lab.open({ store, submitter }).catch(() => null)
        await dying?.syncOnce().catch(() => null)
        lab.remote.disconnectAll()
        lab.clock.advance(200_000)
        const next = await lab.open({ submitter })
        await lab.rest(next)
        const where = `${moment} commit ${atCommit}`
        expect(submitter.tries, where).toBeLessThanOrEqual(1)
        const undecided = await parkedFor(next)
        expect(undecided.length + lab.onServer('Sent').length, where).toBe(1)
        if (undecided.length > 0) expect(undecided, where).toEqual(['uncertain'])
        else expect(submitter.taken, where).toHaveLength(1)
        await lab.close()
        if (!store.hasDied) break
      }
    }
  })

  it('sends without Sent: only the copy waits for a decision when the mailbox is gone', async () => {
    const mail = await lab.openSynchronised({ submitter })
    submitter.fault = () => 'unreachable'
    await mail.submit(LETTER).accepted
    lab.account.delete('Sent')
    await mail.syncOnce()
    expect(await parkedFor(mail)).toEqual(['mailbox-gone'])
    submitter.fault = () => 'pass'
    await lab.rest(mail)
    expect(submitter.taken).toHaveLength(1)
    expect(await parkedFor(mail)).toEqual(['mailbox-gone'])
    const [entry] = await mail.entries()
    if (entry !== undefined) await mail.retarget(entry.seq, (await mail.mailbox('Archive')).id)
    await lab.rest(mail)
    expect(submitter.taken).toHaveLength(1)
    expect(lab.onServer('Archive')).toEqual(['Hello'])
  })

  it('waits in an engine that has nothing to send with', async () => {
    const mail = await lab.openSynchronised({ submitter })
    await mail.submit(LETTER).accepted
    const other = await lab.openSynchronised()
    expect((await other.entries()).map(({ progress }) => progress.map(({ state }) => state))).toEqual([['queued']])
    expect(lab.onServer('Sent')).toEqual([])
  })

  const refusals: readonly [string, ErrorCode, Partial<NewSubmission>][] = [
    ['nobody to send to', 'input.bad-address', { recipients: [] }],
    ['an address with a line end', 'input.bad-address', { recipients: ['bob@example.org\r\nRCPT TO:<eve@example.org>'] }],
    ['an address in brackets', 'input.bad-address', { sender: '<ann@example.org>' }],
    ['no message', 'input.bad-message', { bytes: new Uint8Array() }],
    ['a mailbox that is not there', 'input.unknown-mailbox', { saveTo: 99 as never }],
  ]

  it.each(refusals)('refuses %s', async (_, code, change) => {
    const mail = await lab.openSynchronised({ submitter })
    await expect(mail.submit({ ...LETTER, ...change }).accepted).rejects.toMatchObject({ code })
    expect(await mail.entries()).toEqual([])
  })

  it('is refused without a submitter', async () => {
    const mail = await lab.openSynchronised()
    await expect(mail.submit(LETTER).accepted).rejects.toMatchObject({ code: 'account.no-submitter' })
  })
})
