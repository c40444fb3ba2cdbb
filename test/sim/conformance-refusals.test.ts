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
  ['CORRUPTION', 'tried again', 'tried again'],
  ['EXPUNGEISSUED', 'tried again', 'tried again'],
  ['X-UNHEARD-OF', 'tried again', 'tried again'],
  ['OVERQUOTA', 'parked (over-quota)', 'parked (over-quota)'],
  ['NOPERM', 'parked (not-permitted)', 'parked (not-permitted)'],
  ['CONTACTADMIN', 'parked (not-permitted)', 'parked (not-permitted)'],
  ['EXPIRED', 'parked (not-permitted)', 'parked (not-permitted)'],
  ['AUTHENTICATIONFAILED', 'parked (not-permitted)', 'parked (not-permitted)'],
  ['AUTHORIZATIONFAILED', 'parked (not-permitted)', 'parked (not-permitted)'],
  ['PRIVACYREQUIRED', 'parked (not-permitted)', 'parked (not-permitted)'],
  ['NONEXISTENT', 'parked (mailbox-gone)', 'parked (mailbox-gone)'],
  ['ALREADYEXISTS', 'rejected', 'parked (rejected-repeatedly)'],
  ['TOOBIG', 'rejected', 'parked (rejected-repeatedly)'],
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

  it.each(
    (['store', 'copy', 'move', 'expunge', 'append'] as const).flatMap((kind) => [
      [kind, 'UNAVAILABLE'] as const,
      [kind, null] as const,
    ]),
  )(
    'of a step %s with the code %s, again and again, is taken a bounded number of times; then the wish is shown',
    async (kind, code) => {
      // Verifies: DC-5530-3, I-NET-1, FIELD-13, I-STORE-2
      const world = new ReviewWorld()
      world.arrive('INBOX', 2)
      const engine = await world.open()
      await world.settle(engine)
      const [message, other] = (await world.messages(engine, 'INBOX')).map(({ reference }) => reference)
      const to = (await engine.mailbox('Work')).id
      if (message === undefined || other === undefined) throw new Error('no messages')
      if (kind === 'store') await engine.flag(message, { add: ['\\Flagged'] }).accepted
      if (kind === 'expunge') await engine.expunge(message).accepted
      if (kind === 'copy' || kind === 'move') await engine[kind](message, to).accepted
      if (kind === 'append') await engine.append({ to, bytes: world.message() }).accepted
      // What stands behind it goes on.
      await engine.flag(other, { add: ['$Work'] }).accepted
      let refusals = 0
      world.bend = {
        answer: (step) => {
          const isOther = step.kind === 'store' && step.flags.includes('$Work')
          if (step.kind !== kind || isOther) return null
          refusals += 1
          return refused(step, code)
        },
      }
      await world.settle(engine, 20)
      expect(refusals).toBe(3)
      expect(await outcomesOf(world, engine)).toEqual(['applied', 'parked (rejected-repeatedly)'])
    },
  )
})
