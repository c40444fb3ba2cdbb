/** One mailbox of the model: its messages, its counters, and the log of what was expunged, without network, clock or chance. */

import {
  type Flag,
  flagKey,
  type MailboxRole,
  normaliseFlags,
  SYSTEM_FLAGS,
  UID_MAX,
  type UidRange,
  UidSet,
} from '@tidemail/core'
import { changedFlags, type FlagChange, sameFlagKeys } from './flag-change.ts'
import type { ChangesSince, MailboxEvent, MailboxStatus, StoreResult } from './mailbox-answers.ts'
import type { ModelMessage, NewMessage } from './message.ts'

export interface ModelMailboxOptions {
  readonly path: string
  readonly objectId: string
  readonly uidValidity: number
  readonly role: MailboxRole | null
  /** Gives the EMAILID of a message that is appended. */
  readonly nextEmailId: () => string
}

/** Up to so many UIDs are looked up one by one. */
const FEW_UIDS_MAX = 64
/** The mod-sequence of what is not listed yet. */
const UNLISTED = 0n

/** A mailbox on the model server. Made by `ModelAccount`, which also holds what concerns two mailboxes: copy, move, rename. */
export class ModelMailbox {
  /** MAILBOXID (RFC 8474 §4): stays the same over RENAME. */
  readonly objectId: string
  /** Changed by `ModelAccount.rename` only. */
  path: string
  role: MailboxRole | null
  /** Knob: nobody may change it, and SELECT answers READ-ONLY. */
  isReadOnly = false
  /** Knob: the flags that can be stored; `\*` stands for new keywords (RFC 9051 §7.1, PERMANENTFLAGS). */
  permanentFlags: readonly Flag[] = [...SYSTEM_FLAGS, '\\*']
  /** Knob: new messages have their UIDs at once, but nobody sees them before `listArrivals()`: the listing lags. */
  isListingLate = false

  readonly #nextEmailId: () => string
  readonly #listeners = new Set<(event: MailboxEvent) => void>()
  #uidValidity: number
  #uidNext = 1
  #highestModSeq = 1n
  #messages: ModelMessage[] = []
  #arrivals: ModelMessage[] = []
  #expunged: { readonly uid: number; readonly modSeq: bigint }[] = []
  #forgottenUpTo = 0n
  #keywords = new Map<string, Flag>()
  #version = 0

  constructor(options: ModelMailboxOptions) {
    this.path = options.path
    this.objectId = options.objectId
    this.role = options.role
    this.#uidValidity = options.uidValidity
    this.#nextEmailId = options.nextEmailId
  }

  get uidValidity(): number {
    return this.#uidValidity
  }

  get uidNext(): number {
    return this.#arrivals[0]?.uid ?? this.#uidNext
  }

  /** What arrived and is not listed yet. */
  get arrivals(): readonly ModelMessage[] {
    return this.#arrivals
  }

  get highestModSeq(): bigint {
    return this.#highestModSeq
  }

  /** Ascending by UID. */
  get messages(): readonly ModelMessage[] {
    return this.#messages
  }

  get uids(): UidSet {
    return UidSet.from(this.#messages.map(({ uid }) => uid))
  }

  /** The keywords that were ever used here; like most servers the model never forgets one. */
  get keywords(): readonly Flag[] {
    return [...this.#keywords.values()]
  }

  /** Rises with every event: equal versions mean that nothing happened. */
  get version(): number {
    return this.#version
  }

  get(uid: number): ModelMessage | undefined {
    const index = this.#indexOf(uid)
    return index === -1 ? undefined : this.#messages[index]
  }

  /** How many messages have this UID or a lower one. */
  countUpTo(uid: number): number {
    let low = 0
    let high = this.#messages.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#messages[middle] as ModelMessage).uid <= uid) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The messages whose UID is in the set, ascending. Never costs more than the messages there are, whatever the set spans. */
  select(uids: UidSet): readonly ModelMessage[] {
    if (uids.size <= FEW_UIDS_MAX) return [...uids.values()].flatMap((uid) => this.get(uid) ?? [])
    return this.#messages.filter(({ uid }) => uids.has(uid))
  }

  /** Adds messages in their order, all with one mod-sequence. */
  append(messages: readonly NewMessage[]): readonly ModelMessage[] {
    return this.admit(messages.map((message) => ({ ...message, emailId: this.#nextEmailId() })))
  }

  /** Adds messages that already have an EMAILID: what COPY and MOVE do. */
  admit(messages: readonly (NewMessage & { readonly emailId: string })[]): readonly ModelMessage[] {
    if (messages.length === 0) return []
    if (!this.isListingLate) this.listArrivals()
    const modSeq = this.isListingLate ? UNLISTED : this.#nextModSeq()
    const added = messages.map(({ flags, internalDate, bytes, emailId }) => {
      const uid = this.#uidNext
      this.#uidNext += 1
      return { uid, flags: this.#storable(flags), modSeq, internalDate, bytes, emailId }
    })
    if (this.isListingLate) {
      this.#arrivals.push(...added)
      this.#tell({ kind: 'arrived' })
      return added
    }
    this.#messages.push(...added)
    this.#tell({ kind: 'appended', uids: uidsOf(added) })
    return added
  }

  /** What has arrived is seen from now on, as if it had come now. */
  listArrivals(): void {
    if (this.#arrivals.length === 0) return
    const modSeq = this.#nextModSeq()
    const listed = this.#arrivals.map((message) => ({ ...message, modSeq }))
    this.#arrivals = []
    this.#messages.push(...listed)
    this.#tell({ kind: 'appended', uids: uidsOf(listed) })
  }

  /** Changes flags. A message whose flags stay as they are keeps its mod-sequence, as on Dovecot and Cyrus. */
  store(uids: UidSet, change: FlagChange): StoreResult {
    const flags = this.#storable(change.flags)
    const isNewer = ({ modSeq }: ModelMessage): boolean => change.unchangedSince !== undefined && modSeq > change.unchangedSince
    const named = this.select(uids)
    const altered = named.flatMap((message) => {
      if (isNewer(message)) return []
      const next = changedFlags(message.flags, change.direction, flags)
      return sameFlagKeys(message.flags, next) ? [] : [{ ...message, flags: next }]
    })
    const modified = uidsOf(named.filter(isNewer))
    if (altered.length === 0) return { changed: [], modified }
    const modSeq = this.#nextModSeq()
    const changed = altered.map((message) => ({ ...message, modSeq }))
    for (const message of changed) this.#messages[this.#indexOf(message.uid)] = message
    this.#tell({ kind: 'flags', uids: uidsOf(changed) })
    return { changed, modified }
  }

  /** Removes those of the messages that carry \Deleted: UID EXPUNGE (RFC 4315 §2.1), and EXPUNGE when no set is given. */
  expunge(uids: UidSet = UidSet.ALL): UidSet {
    return this.remove(uidsOf(this.select(uids).filter(({ flags }) => flags.includes('\\Deleted'))))
  }

  /** Removes the messages whatever their flags: what MOVE does. */
  remove(uids: UidSet): UidSet {
    const removed = this.select(uids)
    if (removed.length === 0) return UidSet.EMPTY
    const modSeq = this.#nextModSeq()
    this.#messages = this.#messages.filter(({ uid }) => !uids.has(uid))
    for (const { uid } of removed) this.#expunged.push({ uid, modSeq })
    const gone = uidsOf(removed)
    this.#tell({ kind: 'expunged', uids: gone })
    return gone
  }

  /** What QRESYNC tells of the time after this mod-sequence (RFC 7162 §3.2.5). */
  changesSince(modSeq: bigint): ChangesSince {
    const changed = this.#messages.filter((message) => message.modSeq > modSeq)
    if (modSeq < this.#forgottenUpTo) return { changed, vanished: this.#absent(), isRemembered: false }
    const vanished = UidSet.from(this.#expunged.filter((entry) => entry.modSeq > modSeq).map(({ uid }) => uid))
    return { changed, vanished, isRemembered: true }
  }

  status(): MailboxStatus {
    const count = (isCounted: (message: ModelMessage) => boolean): number => this.#messages.filter(isCounted).length
    return {
      messages: this.#messages.length,
      unseen: count(({ flags }) => !flags.includes('\\Seen')),
      deleted: count(({ flags }) => flags.includes('\\Deleted')),
      sizeOctets: this.#messages.reduce((total, { bytes }) => total + bytes.length, 0),
      uidNext: this.uidNext,
      uidValidity: this.#uidValidity,
      highestModSeq: this.#highestModSeq,
      objectId: this.objectId,
    }
  }

  /**
   * Knob: the UIDs lose their meaning, as after a restored backup. The messages stay, numbered anew from 1, with a new history.
   * Without a value UIDVALIDITY rises by one.
   */
  bumpUidValidity(value: number = this.#uidValidity + 1): void {
    this.listArrivals()
    this.#uidValidity = value
    this.#highestModSeq = BigInt(this.#messages.length + 1)
    this.#messages = this.#messages.map((message, i) => ({ ...message, uid: i + 1, modSeq: BigInt(i + 2) }))
    this.#uidNext = this.#messages.length + 1
    this.#expunged = []
    this.#forgottenUpTo = 0n
    this.#tell({ kind: 'reset' })
  }

  /** Knob: the server loses its log of expunges, so that VANISHED (EARLIER) becomes a superset for all who come from before. */
  forgetExpunges(): void {
    this.#expunged = []
    this.#forgottenUpTo = this.#highestModSeq
  }

  /** Knob: raises the counters, as `doveadm mailbox update --min-next-uid --min-highest-modseq`. They never go down. */
  raiseCounters({ uidNext, highestModSeq }: { readonly uidNext?: number; readonly highestModSeq?: bigint }): void {
    if (uidNext !== undefined && uidNext > this.#uidNext) this.#uidNext = Math.min(uidNext, UID_MAX)
    if (highestModSeq !== undefined && highestModSeq > this.#highestModSeq) this.#highestModSeq = highestModSeq
  }

  /** Calls the listener after every change, in the same turn. Returns how to stop. */
  listen(listener: (event: MailboxEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** For `ModelAccount`: tells what it did to the mailbox as a whole. */
  announce(event: MailboxEvent & { readonly kind: 'renamed' | 'deleted' }): void {
    this.#tell(event)
  }

  #tell(event: MailboxEvent): void {
    this.#version += 1
    for (const listener of [...this.#listeners]) listener(event)
  }

  #nextModSeq(): bigint {
    this.#highestModSeq += 1n
    return this.#highestModSeq
  }

  /** The flags that this mailbox keeps, keywords in the spelling in which they were first used here. */
  #storable(flags: readonly Flag[]): readonly Flag[] {
    const allowed = new Set(this.permanentFlags.map(flagKey))
    const kept = normaliseFlags(flags).filter(
      (flag) => allowed.has(flagKey(flag)) || (allowed.has('\\*') && !flag.startsWith('\\')) || this.#keywords.has(flagKey(flag)),
    )
    return kept.map((flag) => {
      if (flag.startsWith('\\')) return flag
      const known = this.#keywords.get(flagKey(flag))
      if (known === undefined) this.#keywords.set(flagKey(flag), flag)
      return known ?? flag
    })
  }

  #absent(): UidSet {
    return this.uidNext === 1 ? UidSet.EMPTY : UidSet.range(1, this.uidNext - 1).difference(this.uids)
  }

  #indexOf(uid: number): number {
    const index = this.countUpTo(uid) - 1
    return this.#messages[index]?.uid === uid ? index : -1
  }
}

function uidsOf(messages: readonly { readonly uid: number }[]): UidSet {
  const ranges: UidRange[] = messages.map(({ uid }) => ({ first: uid, last: uid }))
  return UidSet.fromRanges(ranges)
}
