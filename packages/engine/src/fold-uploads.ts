/** Leaves out what need not be sent, before it is: drafts that a later version replaces, uploads that are removed (I-LOG-4). */

import { foldUploads as fold } from '@tidemail/planner'
import { changeLog, replayState } from './change-log.ts'
import type { Work } from './work.ts'

/** Writes nothing where nothing can be left out. */
export async function foldUploads(work: Work): Promise<void> {
  if (fold((await replayState(work)).entries).length === 0) return
  await changeLog(work, { reason: 'leave out what is replaced or removed already', decide: (ledger) => ledger.foldUploads() })
}
