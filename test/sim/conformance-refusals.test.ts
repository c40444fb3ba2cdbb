/** What becomes of an operation that the server refuses, by the response code of the refusal (RFC 5530 §3). */

import type { MailEngine } from '@tidemail/engine'
import { describe, expect, it } from 'vitest'
import { ReviewWorld, refused } from './review/review-world.ts'

type Outcome = 'tried again' | `parked (${string})` | 'rejected'

/** A flag change, and an upload. */
const REFUSALS: readonly (readonly [code: string, flag: Outcome, append: Outcome])[] = [
  ['UNAVAILABLE', 'tried again', 'tried again'],
  ['INUSE', 'tried again', 'tried again'],
  ['LIMIT', 'tried again', 'tried again'],
  ['SERVERBUG', 'tried again', 'tried again'],
  ['EXPUNGEISSUED', 'tried again', 'tried again'],
  ['X-UNHEARD-OF', 'tried again', 'tried again'],
  ['OVERQUOTA', 'parked (over-quota)', 'parked (over-quota)'],
  ['NOPERM', 'parked (not-permitted)', 'parked (not-permitted)'],
  ['CONTACTADMIN', 'parked (not-permitted)', 'parked (not-permitted)'],
  ['EXPIRED', 'parked (not-permitted)', 'parked (not-permitted)'],
  ['PRIVACYREQUIRED', 'parked (not-permitted)', 'parked (not-permitted)'],
  ['NONEXISTENT', 'parked (mailbox-gone)', 'parked (mailbox-gone)'],
  ['CANNOT', 'rejected', 'parked (rejected-repeatedly)'],
  ['CLIENTBUG', 'rejected', 'parked (rejected-repeatedly)'],
]

async function outcomesOf(world: ReviewWorld, engine: MailEngine): Promise<readonly string[]> {
  const settled = (await engine.receipts()).flatMap(({ outcomes }) => outcomes.map(({ outcome }) => outcome))
  return [...settled, ...(await world.waiting(engine)).map((line) => line.replace(/^\w+ /, ''))]
}

describe('a refusal', () => {
  it.each(REFUSALS)('with %s: a flag change is %s, an upload %s', async (code, flag, append) => {
    // Verifies: DC-5530-3, I-STORE-2
    for (const [kind, expected] of [
      ['store', flag],
      ['append', append],
    ] as const) {
      const world = new ReviewWorld()
      world.arrive('INBOX', 1)
      const engine = await world.open()
      await world.settle(engine)
      const [message] = await world.messages(engine, 'INBOX')
      if (kind === 'append') await engine.append({ to: (await engine.mailbox('Work')).id, bytes: world.message() }).accepted
      else if (message !== undefined) await engine.flag(message.reference, { add: ['\\Flagged'] }).accepted
      let refusals = 0
      const refuses = expected === 'tried again' ? 1 : Number.MAX_SAFE_INTEGER
      world.bend = {
        answer: (step) => {
          if (step.kind !== kind || refusals === refuses) return null
          refusals += 1
          return refused(step, code)
        },
      }
      await world.settle(engine)
      expect(await outcomesOf(world, engine), kind).toEqual([expected === 'tried again' ? 'applied' : expected])
      expect(refusals, kind).toBe(1)
      await engine.close()
    }
  })

  it('that should pass, and does not, is tried a bounded number of times, and then shown', async () => {
    // Verifies: DC-5530-3, I-NET-1
    const world = new ReviewWorld()
    world.arrive('INBOX', 1)
    const engine = await world.open()
    await world.settle(engine)
    const [message] = await world.messages(engine, 'INBOX')
    if (message !== undefined) await engine.flag(message.reference, { add: ['\\Flagged'] }).accepted
    let refusals = 0
    world.bend = {
      answer: (step) => {
        if (step.kind !== 'store') return null
        refusals += 1
        return refused(step, 'UNAVAILABLE')
      },
    }
    await world.settle(engine, 20)
    expect(refusals).toBe(3)
    expect(await outcomesOf(world, engine)).toEqual(['parked (rejected-repeatedly)'])
  })
})
