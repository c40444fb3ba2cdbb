/** Checks each write of the store against what was there before, and against the server: checkpoints, rows, and the replay log. */

import { type BoxEpoch, type EntrySeq, type MailboxRecord, normaliseFlags, type Targets } from '@tidemail/core'
import { decodeEntry, decodeReceipt, type Operation, type Progress, type UploadOperation } from '@tidemail/replay-log'
import type { MemoryState, ModelAccount, ModelMailbox } from '@tidemail/testing/simulated'
import type { Finding } from '../finding.ts'

type Checkpoint = NonNullable<MailboxRecord['checkpoint']>

export class StoreChecks {
  readonly #account: ModelAccount
  /** Whether the server may not name what is there: it is believed. */
  readonly #isListingLate: boolean
  /** UIDs that were dropped, and are gone from the server: they must never come back. */
  readonly #gone = new Map<BoxEpoch, Set<number>>()

  constructor(account: ModelAccount, { isListingLate }: { readonly isListingLate: boolean }) {
    this.#account = account
    this.#isListingLate = isListingLate
  }

  check(before: MemoryState, after: MemoryState): Finding[] {
    return [...this.#checkMailboxes(before, after), ...checkLog(before, after)]
  }

  #checkMailboxes(before: MemoryState, after: MemoryState): Finding[] {
    const found: Finding[] = []
    for (const mailbox of after.mailboxes.values()) {
      const { box, checkpoint } = mailbox
      const earlier = before.mailboxes.get(mailbox.id)
      if (checkpoint === null || (earlier === mailbox && before.rows.get(box) === after.rows.get(box))) continue
      const rows = after.rows.get(box) ?? new Map<number, never>()
      const server = this.#account.mailbox(mailbox.path)
      const isSame = server !== undefined && server.uidValidity === mailbox.uidValidity
      const problems = [
        ...coverageProblems(checkpoint, rows),
        ...(isSame ? checkpointProblems(checkpoint, rows, server) : []),
        ...this.#resurrections(mailbox, earlier, isSame ? server : undefined),
      ]
      for (const { check, what } of problems) found.push({ check, what: `${mailbox.path}: ${what}` })
    }
    return found
  }

  #resurrections(mailbox: MailboxRecord, earlier: MailboxRecord | undefined, server: ModelMailbox | undefined): Finding[] {
    const known = mailbox.checkpoint?.known
    const knownBefore = earlier?.box === mailbox.box ? earlier.checkpoint?.known : undefined
    if (known === undefined || knownBefore === undefined) return []
    const gone = this.#gone.get(mailbox.box) ?? new Set<number>()
    this.#gone.set(mailbox.box, gone)
    const risen = [...known.difference(knownBefore).values()].filter((uid) => gone.has(uid))
    const kept: number[] = []
    if (server !== undefined) {
      for (const uid of knownBefore.difference(known).values()) {
        if (server.get(uid) !== undefined && !this.#isListingLate) kept.push(uid)
        else if (!isThere(server, uid)) gone.add(uid)
      }
    }
    return [
      ...(risen.length === 0 ? [] : [{ check: 'resurrection', what: `UIDs ${risen} had gone, and are back` }]),
      ...(kept.length === 0 ? [] : [{ check: 'I-SYNC-2', what: `UIDs ${kept} are dropped, and are there` }]),
    ]
  }
}

type Rows = ReadonlyMap<number, { readonly flags: readonly string[] }>

/** Rows and the checkpoint they justify are written together (I-STORE-1, H-13). */
function coverageProblems({ covered, known }: Checkpoint, rows: Rows): Finding[] {
  const problems: Finding[] = []
  const unheld = [...covered.values()].filter((uid) => !rows.has(uid))
  if (unheld.length > 0) problems.push({ check: 'I-STORE-1', what: `UIDs ${unheld} count as held, and are not` })
  const unknown = covered.difference(known)
  if (!unknown.isEmpty) problems.push({ check: 'I-STORE-1', what: `UIDs ${unknown} count as held, and are not known` })
  return problems
}

/** A checkpoint never runs ahead of what was taken in (I-STORE-1, I-SYNC-2). */
function checkpointProblems({ covered, highestModSeq, known }: Checkpoint, rows: Rows, server: ModelMailbox): Finding[] {
  if (highestModSeq === null) return []
  const problem = (what: string): Finding => ({ check: 'I-STORE-1', what: `as of mod-sequence ${highestModSeq}, ${what}` })
  if (highestModSeq > server.highestModSeq) return [problem('which the server has not reached')]
  const { vanished } = server.changesSince(highestModSeq)
  const found: Finding[] = []
  for (const { uid, flags, modSeq } of server.messages) {
    if (modSeq > highestModSeq) continue
    if (!known.has(uid)) found.push(problem(`UID ${uid} was there, and is not known`))
    const row = covered.has(uid) ? rows.get(uid) : undefined
    if (row !== undefined && normaliseFlags(row.flags).join() !== normaliseFlags(flags).join()) {
      found.push(problem(`UID ${uid} had the flags ${flags.join(' ')}, not ${row.flags.join(' ')}`))
    }
  }
  for (const uid of known.values()) {
    if (!isThere(server, uid) && !vanished.has(uid)) found.push(problem(`UID ${uid} is known, and was not there`))
  }
  return found
}

function isThere(server: ModelMailbox, uid: number): boolean {
  return server.get(uid) !== undefined || server.arrivals.some((message) => message.uid === uid)
}

/** An entry leaves the log only with a receipt of all its targets (I-LOG-2), and is never half there (H-1). */
function checkLog(before: MemoryState, after: MemoryState): Finding[] {
  if (before.entries === after.entries) return []
  const found: Finding[] = [...checkAccepted(before, after)]
  for (const [seq, { accountId }] of before.entries) {
    if (after.entries.has(seq)) continue
    const record = after.receipts.get(`${accountId} ${seq}`)
    if (record === undefined) found.push({ check: 'I-LOG-2', what: `entry ${seq} has left the log without a receipt` })
    else {
      const { operation, outcomes } = decodeReceipt(record)
      const missing = missingTargets(
        operation,
        outcomes.map(({ targets }) => targets),
      )
      if (missing > 0) found.push({ check: 'I-LOG-2', what: `the receipt of entry ${seq} lacks ${missing} targets` })
      if (missing < 0) found.push({ check: 'H-1 twice', what: `the receipt of entry ${seq} has ${-missing} targets twice` })
    }
  }
  for (const [seq, record] of after.entries) {
    if (before.entries.get(seq) === record) continue
    const { operation, progress, settled } = decodeEntry(record)
    const missing = missingTargets(
      operation,
      [...progress, ...settled].map(({ targets }) => targets),
    )
    if (missing > 0) found.push({ check: 'H-1', what: `entry ${seq} has lost ${missing} targets` })
    if (missing < 0) found.push({ check: 'H-1 twice', what: `entry ${seq} has ${-missing} targets twice` })
  }
  return found
}

/** What is accepted is in the log, with the bytes it brings, as long as it has no receipt (I-LOG-1, I-STORE-2). */
function checkAccepted(before: MemoryState, after: MemoryState): Finding[] {
  const found: Finding[] = []
  for (let seq = before.nextSeq; seq < after.nextSeq; seq += 1) {
    if (!after.entries.has(seq as EntrySeq)) found.push({ check: 'I-LOG-1', what: `entry ${seq} was accepted, and is not there` })
  }
  for (const [seq, record] of after.entries) {
    if (before.entries.get(seq) === record && before.bodies === after.bodies) continue
    const { operation, progress } = decodeEntry(record)
    const isWanted = 'message' in operation && progress.some((group) => bringsMessage(operation, group))
    if (isWanted && !after.bodies.has(operation.message.bodyId))
      found.push({ check: 'I-STORE-2', what: `the bytes of entry ${seq} are gone` })
  }
  return found
}

/** Whether the message itself is still to be brought there; of a draft, the removal of the version before may be all that is left. */
function bringsMessage(operation: UploadOperation, { parkedFor, targets }: Progress): boolean {
  return parkedFor !== 'bytes-lost' && targets.kind === 'local' && targets.locals.has(operation.message.local)
}

const ON_MESSAGES: readonly Operation['kind'][] = ['flag', 'move', 'copy', 'expunge']

/** How many targets are unaccounted for; negative when some are there twice. */
function missingTargets(operation: Operation, groups: readonly Targets[]): number {
  if (!ON_MESSAGES.includes(operation.kind) || !('targets' in operation)) return 0
  return sizeOf(operation.targets) - groups.reduce((sum, targets) => sum + sizeOf(targets), 0)
}

function sizeOf(targets: Targets): number {
  return targets.kind === 'stored' ? targets.uids.size : targets.locals.size
}
