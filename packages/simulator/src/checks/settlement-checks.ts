/** Checks what is settled as applied against what the server did: nothing is told to be done that was not (I-LOG-2). */

import type { BoxEpoch, EntrySeq, Targets } from '@tidemail/core'
import { decodeEntry, decodeReceipt, isUpload, type Operation, type Settlement } from '@tidemail/replay-log'
import type { MemoryState, ModelAccount } from '@tidemail/testing/simulated'
import type { Finding } from '../finding.ts'
import type { Ledger } from '../ledger.ts'

type StoredTargets = Extract<Targets, { readonly kind: 'stored' }>

export class SettlementChecks {
  readonly #account: ModelAccount
  readonly #ledger: Ledger
  /** Message-IDs of what entries name, by UID: the rows may be gone when the entries are settled. */
  readonly #named = new Map<BoxEpoch, Map<number, string>>()

  constructor(account: ModelAccount, ledger: Ledger) {
    this.#account = account
    this.#ledger = ledger
  }

  check(before: MemoryState, after: MemoryState): Finding[] {
    if (before.entries === after.entries) return []
    const found: Finding[] = []
    for (const [seq, record] of after.entries) {
      if (before.entries.get(seq) === record) continue
      const { operation, progress, settled } = decodeEntry(record)
      for (const { targets } of progress) if (targets.kind === 'stored') this.#remember(targets, after)
      found.push(...this.#checkSettled(seq, operation, settled, before))
    }
    for (const [seq, { accountId }] of before.entries) {
      const record = after.entries.has(seq) ? undefined : after.receipts.get(`${accountId} ${seq}`)
      if (record === undefined) continue
      const { operation, outcomes } = decodeReceipt(record)
      found.push(...this.#checkSettled(seq, operation, outcomes, before))
    }
    return found
  }

  #remember({ box, uids }: StoredTargets, { rows }: MemoryState): void {
    const named = this.#named.get(box) ?? new Map<number, string>()
    this.#named.set(box, named)
    for (const uid of uids.values()) {
      const messageId = rows.get(box)?.get(uid)?.summary.envelope.messageId
      if (messageId != null) named.set(uid, messageId)
    }
  }

  /** Settlements are only added to those of before. */
  #checkSettled(seq: EntrySeq, operation: Operation, settled: readonly Settlement[], before: MemoryState): Finding[] {
    const earlier = before.entries.get(seq)
    const fresh = settled.slice(earlier === undefined ? 0 : decodeEntry(earlier).settled.length)
    return fresh
      .filter(({ outcome }) => outcome === 'applied')
      .flatMap((settlement) => [
        ...this.#uploadProblems(operation, settlement),
        ...this.#copyProblems(operation, settlement),
        ...this.#sourcesLeft(operation, settlement, before),
      ])
      .map((what) => ({ check: 'I-LOG-2', what: `entry ${seq} is settled, but ${what}` }))
  }

  #uploadProblems(operation: Operation, { targets }: Settlement): string[] {
    if (!isUpload(operation) || targets.kind !== 'local') return []
    const id = operation.message.envelope.messageId ?? ''
    // Where the submission server keeps the copy itself, nothing is uploaded.
    const isUploaded = operation.to !== null && targets.locals.has(operation.message.local)
    const isSent = operation.kind === 'submit' && targets.locals.has(operation.deed)
    return [
      ...(isUploaded ? this.#ledger.confirm('append', id) : []),
      ...(isSent && this.#ledger.submissions.isUnsent(id) ? [`${id} was not sent`] : []),
    ]
  }

  #copyProblems({ kind }: Operation, { targets }: Settlement): string[] {
    if ((kind !== 'copy' && kind !== 'move') || targets.kind !== 'stored') return []
    const named = this.#named.get(targets.box)
    return [...targets.uids.values()].flatMap((uid) => {
      const id = named?.get(uid)
      return id === undefined ? [] : this.#ledger.confirm(kind, id)
    })
  }

  /** What was moved or removed is not where it was; UIDs are never given again (RFC 9051 §2.3.1.1). */
  #sourcesLeft({ kind }: Operation, { targets }: Settlement, { mailboxes }: MemoryState): string[] {
    if ((kind !== 'move' && kind !== 'expunge') || targets.kind !== 'stored') return []
    const mailbox = mailboxes.get(targets.mailboxId)
    const server = mailbox?.box === targets.box ? this.#account.mailbox(mailbox.path) : undefined
    if (server === undefined || server.uidValidity !== mailbox?.uidValidity) return []
    const left = [...targets.uids.values()].filter((uid) => server.get(uid) !== undefined)
    return left.length === 0 ? [] : [`${server.path} ${left} is still there`]
  }
}
