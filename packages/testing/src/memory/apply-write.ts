/** What each write of a change does to the memory store, one at a time and one message at a time. */

import {
  applyFlagDelta,
  assertNever,
  type BodyId,
  type BoxEpoch,
  type ClaimRecord,
  type ConflictOn,
  type EntryRecord,
  type ForwardSource,
  type LocalMessage,
  type MailboxId,
  type MailboxRecord,
  namesStored,
  normaliseFlags,
  type ReceiptRecord,
  type Summary,
  SyncError,
  type Write,
} from '@tidemail/core'
import { addParts, carryFormerParts, linkParts, putPart, putPartPiece, releaseParts, removeParts, setParts } from './parts.ts'
import { type MemoryRow, type MemoryState, partsOf, rowsOf } from './state.ts'

/** Thrown inside a commit when what it was planned on is gone; the commit answers `conflict`. */
export class MemoryConflict extends Error {
  readonly on: ConflictOn

  constructor(on: ConflictOn, what: string) {
    super(what)
    this.on = on
  }
}

/** Applies one write. `digests` names the bytes of parts. */
export function applyWrite(state: MemoryState, write: Write, digests: ReadonlyMap<Uint8Array, BodyId>): void {
  switch (write.kind) {
    case 'put-account': {
      const before = state.accounts.get(write.account.id)
      state.accounts.set(write.account.id, { nextLocal: 1, leaderEpoch: 0, ...before, record: write.account })
      return
    }
    case 'put-mailbox':
      putMailbox(state, write.mailbox)
      return
    case 'remove-mailbox': {
      const mailbox = state.mailboxes.get(write.mailboxId)
      for (const box of boxesOf(mailbox)) dropBox(state, box)
      state.mailboxes.delete(write.mailboxId)
      return
    }
    case 'put-messages':
    case 'put-flags':
    case 'infer-flags':
    case 'remove-messages':
      applyToRows(state, mailboxOf(state, write.mailboxId), write)
      return
    case 'evict-messages':
      evict(state, write)
      return
    case 'carry-messages':
      carry(state, boxOf(state, write.from), boxOf(state, write.to), write.pairs)
      return
    case 'carry-parts':
      carryFormerParts(state, mailboxOf(state, write.mailboxId), write.pairs)
      return
    case 'land-local':
      land(state, write)
      return
    case 'put-part':
      putPart(state, boxOf(state, write.mailboxId), write, digests)
      return
    case 'put-part-piece':
      putPartPiece(state, boxOf(state, write.mailboxId), write, digests)
      return
    case 'link-parts':
      linkParts(state, mailboxOf(state, write.mailboxId), write.uids)
      return
    case 'release-parts':
      releaseParts(state, write.accountId)
      return
    case 'put-entry':
      putEntry(state, write.entry)
      return
    case 'remove-entry':
      state.entries.delete(write.seq)
      return
    case 'put-claim':
      state.claims.set(write.claim.id, ownBytes<ClaimRecord>(write.claim))
      return
    case 'remove-claim':
      state.claims.delete(write.id)
      return
    case 'put-receipt':
      state.receipts.set(`${write.receipt.accountId} ${write.receipt.seq}`, ownBytes<ReceiptRecord>(write.receipt))
      return
    case 'forward': {
      const { accountId, from, to, pairs } = write
      state.forwards = [...state.forwards, { accountId, from, to, pairs }]
      return
    }
    case 'end-forward':
      endForward(state, write)
      return
    default:
      assertNever(write)
  }
}

function endForward(state: MemoryState, { accountId, from, numbers }: Extract<Write, { kind: 'end-forward' }>): void {
  state.forwards = state.forwards.map((forward) => {
    if (forward.accountId !== accountId || !isSameSource(forward.from, from)) return forward
    return { ...forward, pairs: forward.pairs.restrict(forward.pairs.sources.difference(numbers)) }
  })
}

function isSameSource(one: ForwardSource, other: ForwardSource): boolean {
  return one.kind === 'stored' ? other.kind === 'stored' && other.box === one.box : other.kind === 'local'
}

/** @throws MemoryConflict when the mailbox is gone. */
function mailboxOf(state: MemoryState, mailboxId: MailboxId): MailboxRecord {
  const mailbox = state.mailboxes.get(mailboxId)
  if (mailbox === undefined) throw new MemoryConflict('mailbox', `Mailbox ${mailboxId} is gone.`)
  return mailbox
}

/** The box a mailbox is in. @throws MemoryConflict when the mailbox is gone. */
function boxOf(state: MemoryState, mailboxId: MailboxId): BoxEpoch {
  return mailboxOf(state, mailboxId).box
}

function putMailbox(state: MemoryState, mailbox: MailboxRecord): void {
  const before = state.mailboxes.get(mailbox.id)
  for (const box of boxesOf(before)) if (box !== mailbox.box && box !== mailbox.formerBox) dropBox(state, box)
  state.mailboxes.set(mailbox.id, mailbox)
  state.nextMailbox = Math.max(state.nextMailbox, mailbox.id + 1)
  state.nextBox = Math.max(state.nextBox, mailbox.box + 1)
}

export function boxesOf(mailbox: MailboxRecord | undefined): readonly BoxEpoch[] {
  if (mailbox === undefined) return []
  return mailbox.formerBox === null ? [mailbox.box] : [mailbox.box, mailbox.formerBox]
}

export function dropBox(state: MemoryState, box: BoxEpoch): void {
  state.rows.delete(box)
  state.parts.delete(box)
}

/** What an open entry names is not to go (I-STORE-2). */
function evict(state: MemoryState, { mailboxId, uids }: Extract<Write, { kind: 'evict-messages' }>): void {
  const box = boxOf(state, mailboxId)
  for (const { seq, effects } of state.entries.values())
    if (namesStored(effects, { box, uids }))
      throw new MemoryConflict('entry', `Entry ${seq} waits on a message that was to leave.`)
  applyToRows(state, mailboxOf(state, mailboxId), { kind: 'remove-messages', mailboxId, uids })
}

type RowsWrite = Extract<Write, { kind: 'put-messages' | 'put-flags' | 'infer-flags' | 'remove-messages' }>

function applyToRows(state: MemoryState, mailbox: MailboxRecord, write: RowsWrite): void {
  const { box } = mailbox
  const rows = new Map(rowsOf(state, box))
  switch (write.kind) {
    case 'put-messages':
      for (const { uid, flags, modSeq, ...summary } of write.messages) {
        rows.set(uid, { flags: normaliseFlags(flags), modSeq, summary: plainSummary(summary) })
      }
      break
    case 'put-flags':
      for (const { uid, flags, modSeq } of write.states) {
        const row = rows.get(uid)
        const isOlder = row !== undefined && row.modSeq !== null && modSeq !== null && modSeq <= row.modSeq
        if (row === undefined || isOlder) continue
        rows.set(uid, { ...row, flags: normaliseFlags(flags), modSeq })
      }
      break
    case 'infer-flags':
      for (const [uid, row] of rowsOf(state, box)) {
        if (write.uids.has(uid)) rows.set(uid, { ...row, flags: applyFlagDelta(row.flags, write.delta), modSeq: null })
      }
      break
    case 'remove-messages':
      for (const uid of rowsOf(state, box).keys()) if (write.uids.has(uid)) rows.delete(uid)
      removeParts(state, mailbox, write.uids)
      break
    default:
      assertNever(write)
  }
  state.rows.set(box, rows)
}

/** A row that stands in the target already is the server's own word, and stays. */
function carry(
  state: MemoryState,
  from: BoxEpoch,
  to: BoxEpoch,
  pairs: Extract<Write, { kind: 'carry-messages' }>['pairs'],
): void {
  const target = new Map(rowsOf(state, to))
  for (const [uid, row] of rowsOf(state, from)) {
    const landed = pairs.get(uid)
    if (landed === undefined) continue
    if (!target.has(landed)) target.set(landed, { ...row, modSeq: null })
    addParts(state, to, landed, partsOf(state, from, uid))
  }
  state.rows.set(to, target)
}

function land(state: MemoryState, write: Extract<Write, { kind: 'land-local' }>): void {
  const box = boxOf(state, write.mailboxId)
  const message = localMessageOf(state.entries.get(write.entry), write.local)
  if (message === undefined) {
    throw new SyncError('engine.bug', `Entry ${write.entry} makes no message local:${write.local} that could land.`)
  }
  const { local: _, bodyId, flags, ...summary } = message
  const row: MemoryRow = { flags: normaliseFlags(flags), modSeq: null, summary: plainSummary(summary) }
  if (!rowsOf(state, box).has(write.uid)) state.rows.set(box, new Map(rowsOf(state, box)).set(write.uid, row))
  const whole = { ids: [bodyId], octets: state.bodies.get(bodyId)?.length ?? 0, isWhole: true }
  setParts(state, box, write.uid, new Map(partsOf(state, box, write.uid)).set('', whole))
}

export function localMessageOf(entry: EntryRecord | undefined, local: number): LocalMessage | undefined {
  for (const effect of entry?.effects ?? []) {
    if (effect.kind === 'new' && effect.message.local === local) return effect.message
  }
  return undefined
}

/** The revision rises even where the writer forgot. */
function putEntry(state: MemoryState, entry: EntryRecord): void {
  const before = state.entries.get(entry.seq)
  const revision = before === undefined ? entry.revision : Math.max(entry.revision, before.revision + 1)
  state.entries.set(entry.seq, { ...ownBytes<EntryRecord>(entry), revision })
}

export function ownBytes<T extends { readonly bytes: Uint8Array }>(record: T): T {
  return { ...record, bytes: record.bytes.slice() }
}

function plainSummary({ internalDate, sizeBytes, envelope, parts, emailId }: Summary): Summary {
  return { internalDate, sizeBytes, envelope, parts, emailId }
}
