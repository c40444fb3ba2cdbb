/** Checks, when something is put to the user, that nobody but the user can decide it. */

import { decodeEntry, type Entry, type Progress } from '@tidemail/replay-log'
import type { MemoryState, ModelAccount, ModelMailbox } from '@tidemail/testing/simulated'
import type { Finding } from '../finding.ts'
import type { SubmissionLedger } from '../submission-ledger.ts'

export class ParkedChecks {
  readonly #account: ModelAccount
  readonly #submissions: SubmissionLedger
  /** Whether the server tells which UIDs an append or a copy gave. */
  readonly #hasUidplus: boolean
  /** Whether what proves that a step took effect may be gone: then a lost answer may be a matter for the user. */
  #isProofLost = false
  /** By mailbox and UID: the mod-sequence of the last change that was not ours. */
  readonly #changedByOthers = new WeakMap<ModelMailbox, Map<number, bigint>>()

  constructor(account: ModelAccount, submissions: SubmissionLedger, { hasUidplus }: { readonly hasUidplus: boolean }) {
    this.#account = account
    this.#submissions = submissions
    this.#hasUidplus = hasUidplus
  }

  /** Somebody else removed messages, or gave mailboxes other UIDs or names; or the server refused a look at them. */
  loseProof(): void {
    this.#isProofLost = true
  }

  /** Somebody else acts on the mailbox: what has another mod-sequence afterwards, was changed. */
  whileOthersAct(mailbox: ModelMailbox, act: () => boolean): boolean {
    const before = new Map(mailbox.messages.map(({ modSeq, uid }) => [uid as number, modSeq]))
    const hasActed = act()
    const changed = this.#changedByOthers.get(mailbox) ?? new Map<number, bigint>()
    this.#changedByOthers.set(mailbox, changed)
    for (const { modSeq, uid } of mailbox.messages) if (before.get(uid) !== modSeq) changed.set(uid, modSeq)
    return hasActed
  }

  check(before: MemoryState, after: MemoryState): Finding[] {
    if (before.entries === after.entries) return []
    const found: Finding[] = []
    const uncertain: Entry[] = []
    for (const [seq, record] of after.entries) {
      const earlier = before.entries.get(seq)
      if (earlier === record) continue
      const entry = decodeEntry(record)
      const parked = (reason: Progress['parkedFor']): boolean => entry.progress.some(({ parkedFor }) => parkedFor === reason)
      const known = earlier === undefined ? [] : decodeEntry(earlier).conflicts
      if (parked('conflict') && known.length !== entry.conflicts.length) found.push(...this.#checkConflicts(entry, after))
      const wasUncertain = earlier !== undefined && isUncertain(decodeEntry(earlier))
      if (isUncertain(entry) && !wasUncertain) uncertain.push(entry)
      if (parked('uncertain') && entry.operation.kind === 'submit') found.push(...this.#checkSubmission(entry))
    }
    found.push(...this.#checkUncertain(uncertain))
    return found
  }

  /** A change of flags that was to be made only if nobody else made one meets no change but those of others (RFC 7162 §3.1.3). */
  #checkConflicts({ conflicts, operation, progress, seq }: Entry, { mailboxes }: MemoryState): Finding[] {
    if (operation.kind !== 'flag' || operation.ifUnchanged === undefined) return []
    const { since } = operation.ifUnchanged
    const place = progress.find(({ parkedFor }) => parkedFor === 'conflict')?.targets.mailboxId
    const mailbox = place === undefined ? undefined : mailboxes.get(place)
    const there = mailbox === undefined ? undefined : this.#account.mailbox(mailbox.path)
    if (there === undefined || there.uidValidity !== mailbox?.uidValidity) return []
    const changed = this.#changedByOthers.get(there)
    return conflicts.flatMap(({ uid }) => {
      const isOthers = there.get(uid) === undefined || (changed?.get(uid) ?? 0n) > since
      return isOthers
        ? []
        : [{ check: 'conflict', what: `entry ${seq} is parked, but nobody else changed ${mailbox?.path} ${uid}` }]
    })
  }

  /** With UIDPLUS, and all that was there to be seen, a probe tells what became of a step; of a handing over nobody can (H-9). */
  #checkUncertain(entries: readonly Entry[]): Finding[] {
    if (!this.#hasUidplus || this.#isProofLost) return []
    return entries
      .filter((entry) => !isDeedUncertain(entry))
      .map(({ operation, seq }) => ({
        check: 'H-9',
        what: `entry ${seq} (${operation.kind}) is put to the user as uncertain, though a probe can tell`,
      }))
  }

  /** What the submission server answered is no matter of doubt (H-9). */
  #checkSubmission(entry: Entry): Finding[] {
    const { operation, seq } = entry
    if (operation.kind !== 'submit') return []
    const isAnswered = this.#submissions.isAnswered(operation.message.envelope.messageId ?? '')
    return isDeedUncertain(entry) && isAnswered
      ? [{ check: 'H-9', what: `entry ${seq} is put to the user, though it was answered` }]
      : []
  }
}

/** Whether it is the handing over of a message that is put to the user, and not only its copy. */
function isDeedUncertain({ operation, progress }: Entry): boolean {
  if (operation.kind !== 'submit') return false
  return progress.some(
    ({ parkedFor, targets }) => parkedFor === 'uncertain' && targets.kind === 'local' && targets.locals.has(operation.deed),
  )
}

function isUncertain({ progress }: Entry): boolean {
  return progress.some(({ parkedFor }) => parkedFor === 'uncertain')
}
