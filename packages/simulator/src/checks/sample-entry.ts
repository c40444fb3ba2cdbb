/** An entry for the tests of the checks, with nothing in it but what a test says. */

import { accountId, entrySeq, type Targets, UidPairs } from '@tidemail/core'
import type { Entry, Operation, Progress } from '@tidemail/replay-log'

/** The first entry of the account "me": its targets wait, or are parked for the user. */
export function sampleEntry(
  operation: Operation,
  targets: Targets,
  { parkedFor = null, ...changes }: Partial<Entry> & { readonly parkedFor?: Progress['parkedFor'] } = {},
): Entry {
  const state = parkedFor === null ? 'queued' : 'parked'
  return {
    seq: entrySeq(1),
    accountId: accountId('me'),
    revision: 1,
    acceptedAt: 0,
    operation,
    placed: UidPairs.EMPTY,
    progress: [{ state, targets, claimId: null, parkedFor, placed: UidPairs.EMPTY }],
    settled: [],
    rejections: 0,
    notBefore: 0,
    conflicts: [],
    ...changes,
  }
}
