/** An engine that was started: what it does without being asked, when the network goes, and when it is told to rest. */

import { type EntrySeq, SyncError } from '@tidemail/core'
import type { EngineStatus, MailEngine, Phase } from '@tidemail/engine'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EngineLab, message, messagesOf, totalsOf, until } from './engine-lab.ts'

const POLL_MS = 300_000
const RETRY_MS_MAX = 300_000
/** Turns of the microtask queue that are tried; the end of a pass takes fewer. */
const MOMENTS = 300

let lab: EngineLab

beforeEach(() => {
  lab = new EngineLab()
  lab.fill('INBOX', 3)
})

afterEach(() => lab.close())

/** Resolves when the engine comes into that phase from another one. */
function coming(mail: MailEngine, phase: Phase): Promise<EngineStatus> {
  let before = mail.status.getSnapshot().phase
  return new Promise((resolve) => {
    const stop = mail.status.subscribe(() => {
      const now = mail.status.getSnapshot()
      if (now.phase === phase && before !== phase) {
        stop()
        resolve(now)
      }
      before = now.phase
    })
  })
}

/** Whatever can be done without waiting for time or for the network is done by then. */
function turnOfTheEventLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

async function started(): Promise<MailEngine> {
  const mail = await lab.open()
  const watching = coming(mail, 'watching')
  mail.start()
  await watching
  return mail
}

describe('a started engine', () => {
  it('synchronises at once, and watches', async () => {
    const mail = await started()
    expect(await totalsOf(mail)).toEqual({ INBOX: 3, Archive: 0, Work: 0 })
    expect(mail.status.getSnapshot()).toMatchObject({ isConnected: true, problem: null, syncedAt: lab.clock.now() })
  })

  it('sends what the user does without another call', async () => {
    const mail = await started()
    const [newest] = await messagesOf(mail, 'INBOX')
    const handle = mail.flag(newest?.reference ?? [], { add: ['seen'] })
    expect((await handle.settled)[0]?.outcomes).toMatchObject([{ outcome: 'applied' }])
    expect(lab.account.inbox.messages.at(-1)?.flags).toEqual(['\\Seen'])
  })

  it('sends also what the user does while a pass is under way', async () => {
    const mail = await lab.openSynchronised()
    const [newest] = await messagesOf(mail, 'INBOX')
    lab.fill('INBOX', 1)
    const settled: Promise<unknown>[] = []
    lab.remote.fault = (step) => {
      if (step.kind === 'fetch' && settled.length === 0) {
        settled.push(mail.flag(newest?.reference ?? [], { add: ['seen'] }).settled)
      }
      return 'pass'
    }
    mail.start()
    await until(mail.status, ({ phase }) => phase === 'watching')
    await Promise.all(settled)
    expect(lab.mutations).toEqual(['store'])
  })

  it('sends what the user does at whatever moment between the last step of a pass and the watch', async () => {
    for (let ticks = 0; ticks < MOMENTS; ticks += 1) {
      const late = new EngineLab()
      late.fill('INBOX', 1)
      const mail = await late.openSynchronised()
      const [newest] = await messagesOf(mail, 'INBOX')
      const act = async (): Promise<void> => {
        for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve()
        mail.flag(newest?.reference ?? [], { add: ['seen'] })
      }
      const acts: Promise<void>[] = []
      const sent = new Promise<void>((resolve) => {
        late.remote.fault = ({ kind }) => {
          if (kind === 'list' && acts.length === 0) acts.push(act())
          if (kind === 'store') resolve()
          return 'pass'
        }
      })
      mail.start()
      await sent
      await Promise.all(acts)
      await late.close()
    }
  })

  it.each(['undo', 'discard'] as const)('takes the mark of a refused removal off at once after %s', async (decision) => {
    // Verifies: I-STORE-2
    const mail = await started()
    const [newest] = await messagesOf(mail, 'INBOX')
    lab.remote.fault = ({ kind }) => (kind === 'expunge' ? 'reject' : 'pass')
    const refused = coming(mail, 'watching')
    const [seq] = await mail.expunge(newest?.reference ?? []).accepted
    await refused
    expect(lab.account.inbox.messages.at(-1)?.flags).toEqual(['\\Deleted'])
    const decided = coming(mail, 'watching')
    await mail[decision](seq as EntrySeq)
    await decided
    expect(lab.account.inbox.messages.at(-1)?.flags).toEqual([])
  })

  it('takes in news of INBOX as they come', async () => {
    const mail = await started()
    const page = mail.live.page({ mailboxId: (await mail.mailbox('INBOX')).id, limit: 10 })
    await until(page, ({ messages }) => messages.length === 3)
    lab.fill('INBOX', 1)
    expect((await until(page, ({ messages }) => messages.length === 4)).messages[0]?.envelope.subject).toBe('Message 4')
  })

  it('takes in news of the other mailboxes by the timer', async () => {
    const mail = await started()
    lab.fill('Work', 1)
    const watching = coming(mail, 'watching')
    lab.clock.advance(POLL_MS)
    await watching
    expect(await totalsOf(mail)).toMatchObject({ Work: 1 })
  })

  // Verifies: H-5
  it('makes room for a synchronisation and a plan that the app asks for while it watches', async () => {
    const mail = await started()
    lab.fill('Work', 1)
    const plan = await mail.plan()
    expect(plan.steps.map(({ mailbox }) => mailbox)).toContain('Work')
    const report = await mail.syncOnce()
    expect(report.outcome).toBe('done')
    expect(await totalsOf(mail)).toMatchObject({ Work: 1 })
  })

  it('may be started twice, and works once', async () => {
    const mail = await started()
    mail.start()
    const [newest] = await messagesOf(mail, 'INBOX')
    await mail.expunge(newest?.reference ?? []).settled
    expect(lab.mutations).toEqual(['store', 'expunge'])
  })

  it('closes while it watches, and while it waits', async () => {
    const mail = await started()
    await mail.close()
    expect(mail.status.getSnapshot()).toMatchObject({ phase: 'closed', isConnected: false })
    lab.remote.goOffline()
    const waiting = await lab.open()
    const waits = coming(waiting, 'waiting')
    waiting.start()
    await waits
    await waiting.close()
    expect(waiting.status.getSnapshot()).toMatchObject({ phase: 'closed' })
  })
})

describe('a started engine without a network', () => {
  // Verifies: I-NET-1
  it('says so, goes on accepting, and sends everything when the network is back', async () => {
    const mail = await started()
    const cutOff = coming(mail, 'waiting')
    lab.remote.goOffline()
    await cutOff
    const [newest] = await messagesOf(mail, 'INBOX')
    // An operation is a reason to try at once.
    const triedInVain = coming(mail, 'waiting')
    const handle = mail.flag(newest?.reference ?? [], { add: ['seen'] })
    expect(await triedInVain).toMatchObject({ isConnected: false, problem: { code: 'remote.unreachable' } })
    const triedAgain = coming(mail, 'waiting')
    const append = mail.append({ to: (await mail.mailbox('Work')).id, bytes: message('Later') })
    await Promise.all([append.accepted, triedAgain])
    lab.remote.goOnline()
    const watching = coming(mail, 'watching')
    lab.clock.advance(RETRY_MS_MAX)
    await Promise.all([handle.settled, append.settled, watching])
    expect(lab.mutations.toSorted()).toEqual(['append', 'store'])
    expect(mail.status.getSnapshot()).toMatchObject({ isConnected: true, problem: null })
  })

  // Verifies: I-NET-1
  it('tries again ever more rarely, up to a bound, and never counts it against an operation', async () => {
    const mail = await lab.openSynchronised()
    const [newest] = await messagesOf(mail, 'INBOX')
    await mail.flag(newest?.reference ?? [], { add: ['seen'] }).accepted
    lab.remote.goOffline()
    const delays: number[] = []
    let waits = coming(mail, 'waiting')
    mail.start()
    for (let tries = 1; tries <= 12; tries += 1) {
      await waits
      delays.push(lab.clock.slept.at(-1) ?? 0)
      waits = coming(mail, 'waiting')
      lab.clock.advance(delays.at(-1) ?? 0)
    }
    delays.forEach((delayMs, i) => {
      const ceiling = Math.min(RETRY_MS_MAX, 2_000 * 2 ** (i + 1))
      expect(delayMs).toBeGreaterThanOrEqual(ceiling / 2)
      expect(delayMs).toBeLessThanOrEqual(ceiling)
    })
    expect(new Set(delays.slice(-4)).size).toBeGreaterThan(1)
    expect((await mail.entries()).map(({ rejections }) => rejections)).toEqual([0])
  })

  it('connects again when the connection ends while it watches, but not in a rush', async () => {
    const mail = await started()
    const connections = lab.remote.connectionCount
    lab.fill('Work', 1)
    const waits = coming(mail, 'waiting')
    lab.remote.disconnectAll()
    expect(await waits).toMatchObject({ isConnected: false })
    await turnOfTheEventLoop()
    expect(lab.remote.connectionCount).toBe(connections)
    const watching = coming(mail, 'watching')
    lab.clock.advance(2_000)
    expect(await watching).toMatchObject({ isConnected: true })
    expect(lab.remote.connectionCount).toBe(connections + 1)
    expect(await totalsOf(mail)).toMatchObject({ Work: 1 })
  })

  // Verifies: FIELD-15
  it('stays away for as long as the server asks, whatever the user does meanwhile', async () => {
    const mail = await lab.openSynchronised()
    const [newest] = await messagesOf(mail, 'INBOX')
    const asked = { retryAfterMs: 400_000 }
    lab.remote.goOffline(new SyncError('remote.try-later', 'The server asks to come back later.', asked))
    lab.remote.disconnectAll()
    const waits = coming(mail, 'waiting')
    mail.start()
    await waits
    lab.remote.goOnline()
    const connections = lab.remote.connectionCount
    await mail.flag(newest?.reference ?? [], { add: ['flagged'] }).accepted
    await turnOfTheEventLoop()
    lab.clock.advance(399_000)
    await turnOfTheEventLoop()
    expect(lab.remote.connectionCount).toBe(connections)
    const watching = coming(mail, 'watching')
    lab.clock.advance(2_000)
    await watching
    expect(lab.remote.connectionCount).toBe(connections + 1)
    expect(await mail.entries()).toEqual([])
    await mail.pause()
  })

  it('shows what the server refused the login for, and waits to be started again', async () => {
    lab.remote.goOffline(new SyncError('remote.auth-rejected', 'The server refused the login.'))
    const mail = await lab.open()
    const refused = until(mail.status, ({ problem }) => problem !== null)
    mail.start()
    expect(await refused).toMatchObject({ problem: { code: 'remote.auth-rejected', message: 'The server refused the login.' } })
    await until(mail.status, ({ phase }) => phase === 'idle')
    lab.remote.goOnline()
    const watching = coming(mail, 'watching')
    mail.start()
    expect(await watching).toMatchObject({ problem: null })
  })

  it('shows what could not be read of one mailbox, without stopping the others', async () => {
    lab.fill('Archive', 1)
    const mail = await lab.open()
    lab.remote.fault = (step) => (step.kind === 'fetch' && step.mailbox.path === 'INBOX' ? 'reject' : 'pass')
    const first = coming(mail, 'watching')
    mail.start()
    expect(await first).toMatchObject({ problem: { code: 'sync.incomplete', message: expect.stringContaining('INBOX') } })
    expect(await totalsOf(mail)).toMatchObject({ Archive: 1 })
    lab.remote.fault = () => 'pass'
    const whole = until(mail.status, ({ phase, problem }) => phase === 'watching' && problem === null)
    lab.clock.advance(RETRY_MS_MAX)
    await whole
    expect(await totalsOf(mail)).toMatchObject({ INBOX: 3 })
  })
})

describe('a paused engine', () => {
  it('accepts, and sends nothing until it is started again', async () => {
    const mail = await started()
    await mail.pause()
    expect(mail.status.getSnapshot()).toMatchObject({ phase: 'idle', problem: null })
    const [newest] = await messagesOf(mail, 'INBOX')
    const handle = mail.flag(newest?.reference ?? [], { add: ['seen'] })
    await handle.accepted
    lab.clock.advance(POLL_MS)
    expect(await mail.entries()).toHaveLength(1)
    expect(lab.mutations).toEqual([])
    mail.start()
    await handle.settled
    expect(lab.mutations).toEqual(['store'])
  })

  it('still synchronises when it is asked to', async () => {
    const mail = await started()
    await mail.pause()
    lab.fill('INBOX', 1)
    expect(await mail.syncOnce()).toMatchObject({ outcome: 'done', messagesFetched: 1 })
  })

  it('shows no problem when it was paused in the middle of a pass', async () => {
    const mail = await lab.open()
    const pausing: Promise<void>[] = []
    lab.remote.fault = (step) => {
      if (step.kind === 'fetch' && pausing.length === 0) pausing.push(mail.pause())
      return 'pass'
    }
    mail.start()
    await until(mail.status, () => pausing.length > 0)
    await Promise.all(pausing)
    expect(mail.status.getSnapshot()).toMatchObject({ phase: 'idle', problem: null })
  })
})
