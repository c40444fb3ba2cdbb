/** Decides which summaries of a mailbox are still to be fetched: newest first, in chunks. */

import {
  type FetchStep,
  type MailboxRecord,
  missingRows,
  type Observation,
  type ServerMessage,
  type Step,
  UidSet,
  type Write,
} from '@tidemail/core'
import type { StepNamer } from './step-ids.ts'
import { UID_SET_OCTETS_MAX } from './uid-set-limit.ts'

/** Messages whose summaries one step fetches and one transaction writes. */
export const FILL_CHUNK_MESSAGES = 500
/** Steps planned at once, so that other work comes in between. */
export const FILL_STEPS_MAX = 8

/** Opens the mailbox and fetches the newest summaries of these, left out: of those that are missing; empty when there are none. */
export function planFill(mailbox: MailboxRecord, name: StepNamer, uids: UidSet = missingRows(mailbox)): Step[] {
  const { checkpoint, uidValidity } = mailbox
  if (checkpoint === null || uidValidity === null) return []
  const identity = { path: mailbox.path, uidValidity }
  let missing = uids
  const steps: FetchStep[] = []
  while (!missing.isEmpty && steps.length < FILL_STEPS_MAX) {
    const chunk = missing.highest(FILL_CHUNK_MESSAGES)
    missing = missing.difference(chunk)
    for (const uids of chunk.chunksOfOctets(UID_SET_OCTETS_MAX)) {
      steps.push({
        kind: 'fetch',
        id: name('fetch'),
        mailbox: identity,
        uids,
        items: 'summary',
        reason: 'fetch the newest messages that are missing',
      })
    }
  }
  return steps.length === 0 ? [] : [reopen(mailbox, name), ...steps]
}

/** What one chunk of summaries changes: rows, and the coverage that they justify, in one transaction (I-STORE-1). */
export function takeFill(
  mailbox: MailboxRecord,
  rows: readonly Observation[],
): { readonly mailbox: MailboxRecord; readonly writes: readonly Write[]; readonly fetched: number } {
  const { checkpoint } = mailbox
  if (checkpoint === null) return { mailbox, writes: [], fetched: 0 }
  const messages = rows.flatMap((item): ServerMessage[] =>
    item.kind === 'row' &&
    item.summary !== null &&
    item.flags !== null &&
    item.mailbox.path === mailbox.path &&
    checkpoint.known.has(item.uid) &&
    !checkpoint.covered.has(item.uid)
      ? [{ uid: item.uid, flags: item.flags, modSeq: item.modSeq, ...item.summary }]
      : [],
  )
  if (messages.length === 0) return { mailbox, writes: [], fetched: 0 }
  const covered = checkpoint.covered.union(UidSet.from(messages.map((message) => message.uid)))
  const updated = { ...mailbox, partsHeldFor: null, checkpoint: { ...checkpoint, covered } }
  return {
    mailbox: updated,
    writes: [
      { kind: 'put-mailbox', mailbox: updated },
      { kind: 'put-messages', mailboxId: mailbox.id, messages },
    ],
    fetched: messages.length,
  }
}

export function reopen(mailbox: MailboxRecord, name: StepNamer): Step {
  return { kind: 'open', id: name('open'), path: mailbox.path, access: 'examine', reason: 'read more of it' }
}
