/** How the engine uses connections: how many, for which mailboxes, and what it says when one ends. */

import { SyncError } from '@tidemail/core'
import type { LogEvent, MailEngine } from '@tidemail/engine'
import type { StepFault } from '@tidemail/testing/simulated'
import { describe, expect, it } from 'vitest'
import { EngineLab, totalsOf, until } from './engine-lab.ts'
import { ReviewWorld } from './review/review-world.ts'

const MAILBOXES = 20

function manyMailboxes(): ReviewWorld {
  const paths = Array.from({ length: MAILBOXES }, (_, i) => `Box ${i + 1}`)
  const world = new ReviewWorld({ mailboxes: paths })
  for (const path of ['INBOX', ...paths]) world.arrive(path, 2)
  return world
}

/** One flag change in each mailbox. */
async function flagAll(world: ReviewWorld, engine: MailEngine): Promise<void> {
  for (const { path } of await engine.mailboxes()) {
    const [message] = await world.messages(engine, path)
    if (message !== undefined) await engine.flag(message.reference, { add: ['\\Flagged'] }).accepted
  }
}

function openedPaths(world: ReviewWorld): ReadonlySet<string> {
  return new Set(world.remote.sent.flatMap(({ step }) => (step.kind === 'open' ? [step.path] : [])))
}

describe('connections', () => {
  it('are one, whatever the number of mailboxes, so that none is open twice', async () => {
    // Verifies: DC-4549-5.3-3a, DC-4549-5.3-3b
    const world = manyMailboxes()
    const bent = world.bent()
    const open = { now: 0, max: 0 }
    const engine = await world.open({
      remote: {
        connect: async (signal) => {
          const session = await bent.connect(signal)
          open.now += 1
          open.max = Math.max(open.max, open.now)
          const close = async (): Promise<void> => {
            open.now -= 1
            await session.close()
          }
          return {
            server: session.server,
            get ended() {
              return session.ended
            },
            run: (steps, options) => session.run(steps, options),
            watch: (path, until) => session.watch(path, until),
            close,
          }
        },
      },
    })
    expect(await world.settle(engine)).toBe('done')
    await flagAll(world, engine)
    // Also when one ends, and another takes its place.
    let stores = 0
    world.remote.fault = (step) => {
      if (step.kind === 'store') stores += 1
      return step.kind === 'store' && stores === 5 ? 'cut' : 'pass'
    }
    expect(await world.settle(engine)).toBe('done')
    expect(openedPaths(world).size).toBe(MAILBOXES + 1)
    expect(world.remote.connectionCount).toBe(2)
    expect(open.max).toBe(1)
    await engine.close()
    expect(open.now).toBe(0)
  })

  it('that end are told once, not for each operation, and stop the replay', async () => {
    // Verifies: DC-4549-5.1-1c
    const world = manyMailboxes()
    const events: LogEvent[] = []
    const engine = await world.open({ log: (event) => events.push(event) })
    expect(await world.settle(engine)).toBe('done')
    await flagAll(world, engine)
    events.length = 0
    let stores = 0
    world.remote.fault = (step) => {
      if (step.kind === 'store') stores += 1
      return step.kind === 'store' ? 'cut' : 'pass'
    }
    await expect(engine.syncOnce()).rejects.toBeInstanceOf(SyncError)
    expect(stores).toBe(1)
    expect(events.filter(({ level }) => level === 'error').length).toBeLessThanOrEqual(1)
    expect(engine.status.getSnapshot().problem?.code).toBe('remote.disconnected')
    expect(await world.waiting(engine)).toEqual(Array.from({ length: MAILBOXES + 1 }, () => 'flag queued'))
    expect(await engine.receipts()).toEqual([])
    world.remote.fault = () => 'pass'
    expect(await world.settle(engine)).toBe('done')
  })
})

describe('the mailboxes of a synchronisation', () => {
  it('are all of them, INBOX first, and only those that are named when some are', async () => {
    // Verifies: DC-4549-3.7
    const world = manyMailboxes()
    const engine = await world.open()
    await engine.syncOnce({ mailboxes: ['Box 3'] })
    expect([...openedPaths(world)]).toEqual(['Box 3'])
    await engine.syncOnce()
    const opened = [...openedPaths(world)]
    expect(opened[1]).toBe('INBOX')
    expect(opened).toHaveLength(MAILBOXES + 1)
  })
})

describe('a mailbox that others hold', () => {
  /** Refused so often, then opened. */
  const REFUSALS = 4
  const TICK_MS = 250
  const RETRY_MS_MAX = 300_000
  const HOUR_MS = 3_600_000
  const refuse: Readonly<Record<string, StepFault>> = {
    'refused while another session has it open': {
      kind: 'reject',
      rejection: { status: 'NO', code: 'INUSE', text: 'The mailbox is in use.' },
    },
    'cut off': 'cut',
  }

  it.each(Object.entries(refuse))('is opened again, ever more rarely, where the second SELECT is %s', async (_, fault) => {
    // Verifies: DC-2683-3.1.1
    const lab = new EngineLab()
    lab.fill('INBOX', 3)
    lab.fill('Work', 2)
    /** When it was tried: several tries at one moment are one. */
    const triedAt = new Set<number>()
    lab.remote.fault = (step) => {
      if (step.kind !== 'open' || step.path !== 'INBOX') return 'pass'
      triedAt.add(lab.clock.now())
      return triedAt.size > REFUSALS ? 'pass' : fault
    }
    const mail = await lab.open()
    const startedAt = lab.clock.now()
    mail.start()
    const isWhole = until(mail.status, ({ phase, problem }) => phase === 'watching' && problem === null)
    while (triedAt.size <= REFUSALS && lab.clock.now() - startedAt < HOUR_MS) {
      for (let turns = 0; turns < 3; turns += 1) await new Promise((resolve) => setImmediate(resolve))
      lab.clock.advance(TICK_MS)
    }
    await isWhole
    const tries = [...triedAt]
    tries.slice(1, REFUSALS + 1).forEach((time, i) => {
      const delayMs = time - (tries[i] ?? 0)
      expect(delayMs).toBeGreaterThanOrEqual(2_000 * 2 ** i - TICK_MS)
      expect(delayMs).toBeLessThanOrEqual(RETRY_MS_MAX + TICK_MS)
    })
    expect(await totalsOf(mail)).toMatchObject({ INBOX: 3, Work: 2 })
    await lab.close()
  })
})
