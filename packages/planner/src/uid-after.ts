/** The lowest UID that a message may have which comes after these. */

import { UID_MAX, type UidSet } from '@tidemail/core'

/** At least as high as the others. After the last UID there is no other: asked for from there on, the last comes again. */
export function uidAfter(known: UidSet, ...others: readonly number[]): number {
  return Math.min(UID_MAX, Math.max((known.max ?? 0) + 1, ...others))
}
