/** Says what of the work asked for did not come to its end as it was asked for. */

import type { Entry, Receipt } from '@tidemail/engine'
import type { RealAccount } from './real-account.ts'

/** More than any of these accounts has. */
const RECEIPTS_MAX = 1_000
/** Done, or made needless by a later operation of the same user; all else was refused, dropped, or is left for the user to decide. */
const AS_ASKED: ReadonlySet<string> = new Set(['applied', 'superseded'])

/** A sentence for each entry that waits or is parked, for each outcome nobody asked for, and for operations of which nothing is known. */
export async function unsettledWork({ engine }: RealAccount, operations: number): Promise<readonly string[]> {
  const entries = await engine.entries()
  const receipts = await engine.receipts({ limit: RECEIPTS_MAX })
  const known = new Set([...entries, ...receipts].map(({ seq }) => seq))
  return [
    ...entries.flatMap(whatIsLeft),
    ...receipts.flatMap(whatWentOtherwise),
    ...(known.size === operations ? [] : [`of ${operations} operations ${known.size} are known`]),
  ]
}

function whatIsLeft({ operation, progress }: Entry): readonly string[] {
  return progress.map(({ state, parkedFor, targets }) => {
    const why = parkedFor === null ? '' : ` for ${JSON.stringify(parkedFor)}`
    return `${operation.kind} is left ${state}${why}: ${JSON.stringify(targets)}`
  })
}

function whatWentOtherwise({ operation, outcomes }: Receipt): readonly string[] {
  return outcomes
    .filter(({ outcome }) => !AS_ASKED.has(outcome))
    .map(({ outcome, evidence }) => `${operation.kind} was ${outcome} by ${JSON.stringify(evidence)}`)
}
