/** Decides what of a mailbox is still to be fetched: summaries newest first, in chunks, then the parts that the policy wants. */

import type {
  BodySeen,
  FetchBodyStep,
  FetchStep,
  MailboxRecord,
  MissingPart,
  Observation,
  ServerMessage,
  Step,
  Write,
} from '@tidemail/core'
import { UidSet } from '@tidemail/core'
import type { Policy } from './policy.ts'
import type { StepNamer } from './step-ids.ts'
import { UID_SET_OCTETS_MAX } from './uid-set-limit.ts'

/** Messages whose summaries one step fetches and one transaction writes. */
export const FILL_CHUNK_MESSAGES = 500
/** Steps planned at once, so that other work comes in between. */
export const FILL_STEPS_MAX = 8
/** Octets and parts that one step fetches and one transaction writes. */
export const PART_CHUNK_BYTES_MAX = 2_097_152
export const PART_CHUNK_PARTS_MAX = 200

/** Opens the mailbox and fetches the newest summaries that are missing; empty when nothing is. */
export function planFill(mailbox: MailboxRecord, name: StepNamer): Step[] {
  const { checkpoint, uidValidity } = mailbox
  if (checkpoint === null || uidValidity === null) return []
  const identity = { path: mailbox.path, uidValidity }
  let missing = checkpoint.known.difference(checkpoint.covered)
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

/** The name of a policy's wish for parts, as kept in `partsHeldFor`. */
export function partsKey(policy: Policy): string {
  return `${policy.bodies}/${policy.partBytesMax}/${policy.newestMessages}`
}

/** Opens the mailbox and fetches these parts, in chunks; empty when there are none. */
export function planParts(mailbox: MailboxRecord, missing: readonly MissingPart[], name: StepNamer): Step[] {
  if (mailbox.uidValidity === null || missing.length === 0) return []
  const identity = { path: mailbox.path, uidValidity: mailbox.uidValidity }
  const steps: FetchBodyStep[] = []
  let parts: MissingPart[] = []
  let octets = 0
  const close = (): void => {
    if (parts.length > 0)
      steps.push({ kind: 'fetch-body', id: name('parts'), mailbox: identity, parts, reason: 'the policy wants these parts here' })
    parts = []
    octets = 0
  }
  for (const part of missing) {
    if (parts.length === PART_CHUNK_PARTS_MAX || octets + part.sizeBytes > PART_CHUNK_BYTES_MAX) close()
    parts.push(part)
    octets += part.sizeBytes
  }
  close()
  return [reopen(mailbox, name), ...steps]
}

/** What the bytes of one step change. A section the server had nothing for stays missing. */
export function takeParts(mailbox: MailboxRecord, observations: readonly Observation[]): Write[] {
  return observations
    .filter((item): item is BodySeen => item.kind === 'body' && item.mailbox.path === mailbox.path)
    .flatMap(({ uid, section, bytes }) =>
      bytes === null ? [] : [{ kind: 'put-part' as const, mailboxId: mailbox.id, uid, section, bytes }],
    )
}

/** Opens the mailbox anew and asks which of the messages are in it. */
export function planStillThere(mailbox: MailboxRecord, uids: UidSet, name: StepNamer): Step[] {
  if (mailbox.uidValidity === null) return []
  const identity = { path: mailbox.path, uidValidity: mailbox.uidValidity }
  const reason = 'a part is not as long as announced: see whether its message is still there'
  return [reopen(mailbox, name), { kind: 'search', id: name('search'), mailbox: identity, uids, reason }]
}

function reopen(mailbox: MailboxRecord, name: StepNamer): Step {
  return { kind: 'open', id: name('open'), path: mailbox.path, access: 'examine', reason: 'read more of it' }
}
