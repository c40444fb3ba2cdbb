/** The parts that the memory store holds: whole ones, those begun, and those of messages that have left. */

import type { AccountId, BodyId, BoxEpoch, MailboxId, MailboxRecord, UidPairs, UidSet, Write } from '@tidemail/core'
import { type HeldParts, type MemoryPart, type MemoryState, partsOf, rowsOf } from './state.ts'

type WriteOf<Kind extends Write['kind']> = Extract<Write, { kind: Kind }>
type Digests = ReadonlyMap<Uint8Array, BodyId>

/** Bytes of a message that is not held are passed over: it vanished while they were on their way. */
export function putPart(state: MemoryState, box: BoxEpoch, write: WriteOf<'put-part'>, digests: Digests): void {
  const { uid, section, bytes } = write
  if (!rowsOf(state, box).has(uid)) return
  const id = digests.get(bytes) as BodyId
  state.bodies.set(id, bytes.slice())
  setParts(state, box, uid, new Map(partsOf(state, box, uid)).set(section, { ids: [id], octets: bytes.length, isWhole: true }))
}

export function putPartPiece(state: MemoryState, box: BoxEpoch, write: WriteOf<'put-part-piece'>, digests: Digests): void {
  const { uid, section, offset, bytes, isLast } = write
  if (!rowsOf(state, box).has(uid)) return
  const held = partsOf(state, box, uid)
  const before = held.get(section)
  if (before?.isWhole === true || (offset !== 0 && before?.octets !== offset)) return
  const id = digests.get(bytes) as BodyId
  state.bodies.set(id, bytes.slice())
  const ids = [...(offset === 0 ? [] : (before?.ids ?? [])), ...(bytes.length === 0 ? [] : [id])]
  setParts(state, box, uid, new Map(held).set(section, { ids, octets: offset + bytes.length, isWhole: isLast }))
}

/** Gives a message the parts of another; what it holds whole stays. */
export function addParts(state: MemoryState, box: BoxEpoch, uid: number, added: HeldParts): void {
  const held = new Map(partsOf(state, box, uid))
  for (const [section, part] of added) {
    const before = held.get(section)
    if (before === undefined || (!before.isWhole && part.octets > before.octets)) held.set(section, part)
  }
  setParts(state, box, uid, held)
}

export function wholeParts(parts: HeldParts): HeldParts {
  return new Map([...parts].filter(([, { isWhole }]) => isWhole))
}

export function setParts(state: MemoryState, box: BoxEpoch, uid: number, held: HeldParts): void {
  if (held.size === 0) return
  state.parts.set(box, new Map(state.parts.get(box) ?? []).set(uid, held))
}

/** Keeps what is held of messages with an EMAILID for whoever has it as well; the rest goes. */
export function removeParts(state: MemoryState, mailbox: MailboxRecord, uids: UidSet): void {
  const { box, accountId } = mailbox
  const parts = new Map(state.parts.get(box) ?? [])
  for (const [uid, held] of [...parts]) {
    if (!uids.has(uid)) continue
    parts.delete(uid)
    const content = contentOf(state, box, uid)
    if (content !== null) state.released = [...state.released, { accountId, content, held: wholeParts(held) }]
  }
  state.parts.set(box, parts)
}

export function releaseParts(state: MemoryState, accountId: AccountId): void {
  state.released = state.released.filter((left) => left.accountId !== accountId)
}

/** Parts of the box before, for the messages that were found again. */
export function carryFormerParts(state: MemoryState, mailbox: MailboxRecord, pairs: UidPairs): void {
  const { box, formerBox } = mailbox
  if (formerBox === null) return
  for (const uid of rowsOf(state, formerBox).keys()) {
    const landed = pairs.get(uid)
    if (landed === undefined || !rowsOf(state, box).has(landed)) continue
    addParts(state, box, landed, wholeParts(partsOf(state, formerBox, uid)))
  }
}

export function linkParts(state: MemoryState, mailbox: MailboxRecord, uids: UidSet): void {
  const gaining = [...rowsOf(state, mailbox.box).keys()].filter((uid) => uids.has(uid))
  const found = gaining.map((uid) => ({ uid, parts: partsElsewhere(state, mailbox, uid) }))
  for (const { uid, parts } of found) for (const held of parts) addParts(state, mailbox.box, uid, held)
}

/** Which of the messages gain something. */
export function linkable(state: MemoryState, mailboxId: MailboxId, uids: UidSet): number[] {
  const mailbox = state.mailboxes.get(mailboxId)
  if (mailbox === undefined) return []
  return [...rowsOf(state, mailbox.box).keys()].filter((uid) => {
    if (!uids.has(uid)) return false
    const held = partsOf(state, mailbox.box, uid)
    const found = partsElsewhere(state, mailbox, uid).flatMap((parts) => [...parts.keys()])
    return found.some((section) => held.get(section)?.isWhole !== true)
  })
}

/** What is held of messages of the same content in the account, in the order of mailboxes and UIDs, and of those that have left. */
function partsElsewhere(state: MemoryState, { box, accountId }: MailboxRecord, uid: number): HeldParts[] {
  const content = contentOf(state, box, uid)
  if (content === null) return []
  const found: HeldParts[] = []
  for (const other of [...state.mailboxes.values()].sort((a, b) => a.id - b.id)) {
    if (other.accountId !== accountId) continue
    for (const twin of [...rowsOf(state, other.box).keys()].sort((a, b) => a - b)) {
      if (other.box === box && twin === uid) continue
      if (contentOf(state, other.box, twin) === content) found.push(wholeParts(partsOf(state, other.box, twin)))
    }
  }
  for (const left of state.released) if (left.accountId === accountId && left.content === content) found.push(left.held)
  return found
}

/** Names the content of a message; null where the server has no name for it. */
function contentOf(state: MemoryState, box: BoxEpoch, uid: number): string | null {
  const summary = rowsOf(state, box).get(uid)?.summary
  return summary === undefined || summary.emailId === null ? null : `${summary.sizeBytes} ${summary.emailId}`
}

/** The bytes of a part, its pieces joined; undefined when one of them is not there. */
export function bytesOfPart(state: MemoryState, { ids, octets }: MemoryPart): Uint8Array | undefined {
  const pieces = ids.map((id) => state.bodies.get(id))
  const joined = new Uint8Array(octets)
  let at = 0
  for (const piece of pieces) {
    if (piece === undefined) return undefined
    joined.set(piece, at)
    at += piece.length
  }
  return joined
}
