/** What needs what failed waits, and nothing else does (I-LOG-5). */

import type { MailEngine } from '@tidemail/engine'
import type { StepFault } from '@tidemail/testing/simulated'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { messagesOf } from './engine-lab.ts'
import { ReviewWorld } from './review/review-world.ts'

/** The server takes nothing into this mailbox. */
const FULL = 'Full'
const MESSAGES = 5
const OVER_QUOTA: StepFault = { kind: 'reject', rejection: { status: 'NO', code: 'OVERQUOTA', text: 'Full.' } }

interface Deed {
  readonly number: number
  readonly kind: 'flag' | 'copy' | 'copy to Full' | 'move' | 'move to Full' | 'expunge'
}

const deed: fc.Arbitrary<Deed> = fc.record({
  number: fc.integer({ min: 1, max: MESSAGES }),
  kind: fc.constantFrom<Deed['kind']>('flag', 'copy', 'copy to Full', 'move', 'move to Full', 'expunge'),
})

it('carries out what has nothing to do with what failed, and removes nothing that was to be saved first', async () => {
  // Verifies: I-LOG-5, H-4
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { maxLength: 16 }), async (deeds) => {
      const stuck = new Set(deeds.filter(isIntoFull).map(({ number }) => number))
      const isFree = ({ number }: { readonly number: number }): boolean => !stuck.has(number)
      const all = await endOf(deeds)
      const alone = await endOf(deeds.filter(isFree))
      expect(alone.waiting).toBe(0)
      expect(all.there.filter(isFree)).toEqual(alone.there.filter(isFree))
      for (const number of stuck) {
        const own = deeds.filter((one) => one.number === number).map(({ kind }) => kind)
        const removal = own.indexOf('expunge')
        // What was only to be moved first may be removed where it is.
        const isCopiedFirst = own.includes('copy to Full') && (removal < 0 || own.indexOf('copy to Full') < removal)
        if (!isCopiedFirst || own.includes('move to Full')) continue
        expect(all.there.some((one) => one.number === number)).toBe(true)
      }
    }),
    { numRuns: process.env['TIDEMAIL_CAMPAIGN'] === undefined ? 60 : 2_000 },
  )
}, 600_000)

function isIntoFull({ kind }: Deed): boolean {
  return kind.endsWith(FULL)
}

interface End {
  /** What is on the server: each copy of each message. */
  readonly there: readonly { readonly number: number; readonly path: string; readonly flags: string }[]
  /** How many entries wait, parked ones too. */
  readonly waiting: number
}

async function endOf(deeds: readonly Deed[]): Promise<End> {
  const world = new ReviewWorld({ mailboxes: ['Archive', FULL] })
  world.remote.fault = (step) => ('target' in step && step.target === FULL ? OVER_QUOTA : 'pass')
  world.arrive('INBOX', MESSAGES)
  const engine = await world.open()
  await engine.syncOnce()
  for (const one of deeds) await carryOut(engine, one)
  await world.settle(engine)
  const waiting = (await engine.entries()).length
  await engine.close()
  const there = world.account.mailboxes.flatMap(({ path, messages }) =>
    messages.map(({ bytes, flags }) => {
      const number = Number(new TextDecoder().decode(bytes).match(/Subject: n(\d+)/)?.[1])
      return { number, path, flags: flags.join(' ') }
    }),
  )
  return { there, waiting }
}

/** On the first copy of the message in view. */
async function carryOut(engine: MailEngine, { kind, number }: Deed): Promise<void> {
  const shown = [
    ...(await messagesOf(engine, 'INBOX')),
    ...(await messagesOf(engine, 'Archive')),
    ...(await messagesOf(engine, FULL)),
  ]
  const message = shown.find(({ envelope: { subject } }) => subject === `n${number}`)
  if (message === undefined) return
  const { mailboxId, reference } = message
  const target = (await engine.mailbox(kind.endsWith(FULL) ? FULL : 'Archive')).id
  switch (kind) {
    case 'flag':
      await engine.flag(reference, { add: ['$Work'] }).accepted
      return
    case 'copy':
    case 'copy to Full':
      await engine.copy(reference, target).accepted
      return
    case 'move':
    case 'move to Full':
      if (mailboxId !== target) await engine.move(reference, target).accepted
      return
    case 'expunge':
      await engine.expunge(reference).accepted
  }
}
