/** Decides how the parts that are missing of a mailbox are fetched, large ones in pieces, and what their bytes change. */

import type { BodySeen, FetchBodyStep, MailboxRecord, MissingPart, PartAsked, Step, UidSet, Write } from '@tidemail/core'
import { reopen } from './plan-fill.ts'
import type { StepNamer } from './step-ids.ts'

/** Octets and parts that one step fetches and one transaction writes. */
export const PART_CHUNK_BYTES_MAX = 2_097_152
export const PART_CHUNK_PARTS_MAX = 200
/** A larger part comes in pieces of so many octets, each of which is kept as it comes. */
export const PART_PIECE_BYTES = 1_048_576
/** Octets that are asked for at once, so that other work comes in between. */
export const PART_RUN_BYTES_MAX = 8_388_608
/** Larger parts are not taken in. */
export const PART_BYTES_MAX = 268_435_456

/** Opens the mailbox and fetches the first of these parts, in chunks, as much as comes at once; empty when there are none. */
export function planParts(mailbox: MailboxRecord, missing: readonly MissingPart[], name: StepNamer, reason: string): Step[] {
  if (mailbox.uidValidity === null || missing.length === 0) return []
  const identity = { path: mailbox.path, uidValidity: mailbox.uidValidity }
  const steps: FetchBodyStep[] = []
  let parts: PartAsked[] = []
  let octets = 0
  let left = PART_RUN_BYTES_MAX
  const close = (): void => {
    if (parts.length > 0) steps.push({ kind: 'fetch-body', id: name('parts'), mailbox: identity, parts, reason })
    parts = []
    octets = 0
  }
  for (const part of missing) {
    if (left <= 0) break
    if (comesInPieces(part)) {
      close()
      for (const piece of piecesOf(part, left)) {
        parts.push(piece)
        close()
        left -= PART_PIECE_BYTES
      }
      continue
    }
    if (parts.length === PART_CHUNK_PARTS_MAX || octets + part.sizeBytes > PART_CHUNK_BYTES_MAX) close()
    const { uid, section, sizeBytes } = part
    parts.push({ uid, section, sizeBytes })
    octets += sizeBytes
    left -= sizeBytes
  }
  close()
  return [reopen(mailbox, name), ...steps]
}

/** A part that was begun in pieces is ended in pieces. */
function comesInPieces({ sizeBytes, heldBytes }: MissingPart): boolean {
  return sizeBytes > PART_PIECE_BYTES || heldBytes > 0
}

/** The next pieces, whole ones, and one at least: more octets may be there than were announced. */
function piecesOf({ uid, section, sizeBytes, heldBytes }: MissingPart, octetsMax: number): PartAsked[] {
  const pieces: PartAsked[] = []
  for (let offset = heldBytes; pieces.length === 0 || (offset < sizeBytes && offset - heldBytes < octetsMax); ) {
    pieces.push({ uid, section, sizeBytes, range: { offset, lengthBytes: PART_PIECE_BYTES } })
    offset += PART_PIECE_BYTES
  }
  return pieces
}

/** What the bytes of one step change, and which of them are not to be believed yet. */
export interface PartsTaken {
  readonly writes: readonly PartWrite[]
  /** Writes of parts that are not as long as was announced. */
  readonly doubtful: readonly PartWrite[]
}

export type PartWrite = Extract<Write, { kind: 'put-part' | 'put-part-piece' }>

/** A section the server had nothing for stays missing. */
export function takeParts(mailbox: MailboxRecord, step: FetchBodyStep, bodies: readonly BodySeen[]): PartsTaken {
  const writes: PartWrite[] = []
  const doubtful: PartWrite[] = []
  for (const item of bodies) {
    const asked = step.parts.find(
      ({ uid, section, range }) => uid === item.uid && section === item.section && (range?.offset ?? 0) === item.offset,
    )
    const taken = asked === undefined ? null : takePart(mailbox, asked, item)
    if (taken === null) continue
    if (taken.isAsAnnounced) writes.push(taken.write)
    else doubtful.push(taken.write)
  }
  return { writes, doubtful }
}

function takePart(
  { id: mailboxId }: MailboxRecord,
  { sizeBytes, range }: PartAsked,
  { uid, section, bytes }: BodySeen,
): { readonly write: PartWrite; readonly isAsAnnounced: boolean } | null {
  if (range === undefined) {
    if (bytes === null) return null
    return { write: { kind: 'put-part', mailboxId, uid, section, bytes }, isAsAnnounced: bytes.length === sizeBytes }
  }
  const { offset, lengthBytes } = range
  if (bytes === null && offset === 0) return null
  // Beyond the end of a section there is nothing, or NIL.
  const piece = bytes ?? new Uint8Array(0)
  const isLast = isLastPiece({ sizeBytes, endsAt: offset + piece.length, octets: piece.length, askedFor: lengthBytes })
  const write: PartWrite = { kind: 'put-part-piece', mailboxId, uid, section, offset, bytes: piece, isLast }
  return { write, isAsAnnounced: !isLast || offset + piece.length === sizeBytes }
}

/** Servers announce other lengths than they give, and give less than they are asked for: the end is where nothing more comes. */
function isLastPiece(piece: {
  readonly sizeBytes: number
  readonly endsAt: number
  readonly octets: number
  readonly askedFor: number
}): boolean {
  const { sizeBytes, endsAt, octets, askedFor } = piece
  if (octets === 0 || endsAt === sizeBytes) return true
  return endsAt > sizeBytes && octets < askedFor
}

/** Opens the mailbox anew and asks which of the messages are in it. */
export function planStillThere(mailbox: MailboxRecord, uids: UidSet, name: StepNamer): Step[] {
  if (mailbox.uidValidity === null) return []
  const identity = { path: mailbox.path, uidValidity: mailbox.uidValidity }
  const reason = 'a part is not as long as announced: see whether its message is still there'
  return [reopen(mailbox, name), { kind: 'search', id: name('search'), mailbox: identity, uids, reason }]
}
