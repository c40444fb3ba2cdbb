import type { Clock } from '@tidemail/core'
import { describe, expect, it } from 'vitest'
import { AnswerGuard, type OwedAnswer } from './answer-guard.ts'

const BOUNDS = { silenceMsMax: 60, commandMsMax: 300, transferMsMax: 1_800 }

class StepClock implements Clock {
  #now = 0
  readonly #sleepers = new Set<() => void>()

  now(): number {
    return this.#now
  }

  sleep(_delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#sleepers.add(resolve)
      signal?.addEventListener('abort', () => resolve(), { once: true })
    })
  }

  /** Goes on in small steps, so that everyone who sleeps looks at the time. */
  async go(milliseconds: number, each: () => void = () => {}): Promise<void> {
    for (let left = milliseconds; left > 0; left -= 10) {
      this.#now += 10
      each()
      for (const wake of [...this.#sleepers]) wake()
      this.#sleepers.clear()
      for (let turns = 0; turns < 3; turns += 1) await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

function guarded(first: OwedAnswer | null): {
  readonly clock: StepClock
  readonly guard: AnswerGuard
  readonly why: string[]
  owe(answer: OwedAnswer | null): void
} {
  const clock = new StepClock()
  const why: string[] = []
  let owed = first
  const guard: AnswerGuard = new AnswerGuard({ ...BOUNDS, clock, owed: () => owed, onOverdue: (reason) => why.push(reason) })
  guard.check()
  return {
    clock,
    guard,
    why,
    owe: (answer) => {
      owed = answer
      guard.check()
    },
  }
}

// Verifies: I-NET-1, H-6
describe('an answer', () => {
  it('is overdue after silence, and not while something is said', async () => {
    const { clock, guard, why } = guarded({ isTransfer: false })
    await clock.go(290, () => guard.sign())
    expect(why).toEqual([])
    await clock.go(10)
    expect(why).toEqual(['The server did not end its answer within 0 seconds.'])
    const silent = guarded({ isTransfer: true })
    await silent.clock.go(60)
    expect(silent.why).toEqual(['The server was silent for 0 seconds.'])
  })

  it('is not owed while the server may be silent, and has all its time when it is owed again', async () => {
    const { clock, guard, why, owe } = guarded({ isTransfer: false })
    await clock.go(250, () => guard.sign())
    owe(null)
    await clock.go(500)
    owe({ isTransfer: false })
    await clock.go(290, () => guard.sign())
    expect(why).toEqual([])
    await clock.go(20, () => guard.sign())
    expect(why).toHaveLength(1)
  })

  it('is given the time in which we do not read, and no more than that', async () => {
    const { clock, guard, why } = guarded({ isTransfer: true })
    for (let pauses = 0; pauses < 17; pauses += 1) {
      await clock.go(100, () => guard.progress())
      guard.suspend()
      await clock.go(1_000)
      guard.resume()
    }
    expect(why).toEqual([])
    await clock.go(110, () => guard.progress())
    expect(why).toEqual(['The server did not end its answer within 2 seconds.'])
  })

  it('of much may last as long as it goes on, and is overdue when it does not', async () => {
    const { clock, guard, why } = guarded({ isTransfer: true })
    await clock.go(1_000, () => guard.progress())
    await clock.go(290, () => guard.sign())
    expect(why).toEqual([])
    await clock.go(20, () => guard.sign())
    expect(why).toEqual(['The server did not go on with its answer for 0 seconds.'])
  })
})
