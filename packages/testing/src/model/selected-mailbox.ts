/** A mailbox as one session sees it: sequence numbers, and what of the model's changes it was told already (RFC 9051 §7.5). */

import { type Uid, UidSet } from '@tidemail/core'
import type { ModelMailbox } from './mailbox.ts'
import type { ModelMessage } from './message.ts'

/** A message that changed or goes, with its sequence number at that moment. */
export interface Numbered {
  readonly sequence: number
  readonly uid: number
}

export interface News {
  /** Highest first, so that the numbers of the others still hold. */
  readonly expunged: readonly Numbered[]
  /** The new EXISTS, when messages arrived. */
  readonly exists: number | null
  readonly changed: readonly { readonly sequence: number; readonly message: ModelMessage; readonly isSilent: boolean }[]
}

const NO_NEWS: News = { expunged: [], exists: null, changed: [] }

/** Lives from SELECT to the end of the selection. */
export class SelectedMailbox {
  readonly mailbox: ModelMailbox
  readonly isReadOnly: boolean
  /** UIDVALIDITY as it was when the mailbox was opened. */
  readonly uidValidity: number
  #uids: number[]
  #told = new Map<number, bigint>()
  #silent = new Set<number>()
  #version: number
  /** Every flag change up to this mod-sequence was told. */
  #toldUpTo: bigint
  #keywordCount: number

  constructor(mailbox: ModelMailbox, { isReadOnly }: { readonly isReadOnly: boolean }) {
    this.mailbox = mailbox
    this.isReadOnly = isReadOnly || mailbox.isReadOnly
    this.uidValidity = mailbox.uidValidity
    this.#uids = mailbox.messages.map(({ uid }) => uid)
    for (const { uid, modSeq } of mailbox.messages) this.#told.set(uid, modSeq)
    this.#version = mailbox.version
    this.#toldUpTo = mailbox.highestModSeq
    this.#keywordCount = mailbox.keywords.length
  }

  /** Messages in the view of this session. */
  get count(): number {
    return this.#uids.length
  }

  /** Whether something happened that was not told yet. */
  get hasNews(): boolean {
    return this.mailbox.version !== this.#version
  }

  /** What `*` means for UIDs. */
  get lastUid(): number | undefined {
    return this.#uids.at(-1)
  }

  get uids(): readonly number[] {
    return this.#uids
  }

  uidAt(sequence: number): number | undefined {
    return this.#uids[sequence - 1]
  }

  /** The sequence number of a UID, or 0 where the session does not see it. */
  sequenceOf(uid: number): number {
    let low = 0
    let high = this.#uids.length - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      const found = this.#uids[middle] as number
      if (found === uid) return middle + 1
      if (found < uid) low = middle + 1
      else high = middle - 1
    }
    return 0
  }

  /** The UIDs at these sequence numbers. */
  uidsAt(sequences: UidSet): UidSet {
    return UidSet.from(this.#uids.filter((_, i) => sequences.has(i + 1)) as Uid[])
  }

  /** The messages of the view that still exist, with their numbers, in order. */
  messages(uids: UidSet): { readonly sequence: number; readonly message: ModelMessage }[] {
    return this.mailbox.select(uids).flatMap((message) => {
      const sequence = this.sequenceOf(message.uid)
      return sequence === 0 ? [] : [{ sequence, message }]
    })
  }

  /** The client has been told the flags of this message as they are now. */
  markTold(message: ModelMessage): void {
    this.#told.set(message.uid, message.modSeq)
  }

  /** The messages whose latest flags the client knows: only those may a .SILENT store leave untold (RFC 9051 §6.4.6). */
  wellKnown(uids: UidSet): UidSet {
    return UidSet.from(this.mailbox.select(uids).flatMap(({ uid, modSeq }) => (this.#told.get(uid) === modSeq ? [uid] : [])))
  }

  /** The next change that is told of these messages needs no FLAGS. */
  silence(uids: UidSet): void {
    for (const uid of uids.values()) this.#silent.add(uid)
  }

  /** Whether keywords were added that FLAGS has not listed yet. */
  takeNewKeywords(): boolean {
    const hasNew = this.mailbox.keywords.length > this.#keywordCount
    this.#keywordCount = this.mailbox.keywords.length
    return hasNew
  }

  /** What happened since the last call. Expunges wait where the command does not allow them (RFC 9051 §7.5.1). */
  takeNews({ withExpunges }: { readonly withExpunges: boolean }): News {
    if (this.mailbox.version === this.#version) return NO_NEWS
    const { mailbox } = this
    const expunged = withExpunges && this.#hasExpunged() ? this.#dropExpunged() : []
    const countBefore = this.#uids.length
    for (const message of mailbox.messages.slice(mailbox.countUpTo(this.lastUid ?? 0))) {
      this.#uids.push(message.uid)
      this.#told.set(message.uid, message.modSeq)
    }
    const changed = this.#takeChanged()
    if (withExpunges) this.#version = mailbox.version
    return { expunged, exists: this.#uids.length > countBefore ? this.#uids.length : null, changed }
  }

  #hasExpunged(): boolean {
    return this.mailbox.countUpTo(this.lastUid ?? 0) < this.#uids.length
  }

  #dropExpunged(): Numbered[] {
    const { messages } = this.mailbox
    const gone: Numbered[] = []
    const kept: number[] = []
    let next = 0
    for (const [i, uid] of this.#uids.entries()) {
      while (next < messages.length && (messages[next] as ModelMessage).uid < uid) next += 1
      if (messages[next]?.uid === uid) {
        kept.push(uid)
        continue
      }
      gone.push({ sequence: i + 1, uid })
      this.#told.delete(uid)
      this.#silent.delete(uid)
    }
    this.#uids = kept
    return gone.reverse()
  }

  #takeChanged(): News['changed'] {
    const changed: { sequence: number; message: ModelMessage; isSilent: boolean }[] = []
    for (const message of this.mailbox.messages) {
      if (message.modSeq <= this.#toldUpTo || this.#told.get(message.uid) === message.modSeq) continue
      const sequence = this.sequenceOf(message.uid)
      if (sequence === 0) continue
      this.#told.set(message.uid, message.modSeq)
      changed.push({ sequence, message, isSilent: this.#silent.delete(message.uid) })
    }
    this.#toldUpTo = this.mailbox.highestModSeq
    return changed
  }
}
