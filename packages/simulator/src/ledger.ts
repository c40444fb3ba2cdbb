/** Keeps account of what was asked for each message, and of what the server carried out: nothing more often than asked, nothing unasked. */

import { type Flag, flagKey, hasFlag, isMutating, type Step } from '@tidemail/core'
import type { Operation } from '@tidemail/replay-log'
import type { Executed } from '@tidemail/testing/simulated'
import { messageIdIn } from './equality.ts'
import { SubmissionLedger } from './submission-ledger.ts'

interface Account {
  /** How often the user asked for it. */
  readonly asked: { append: number; copy: number; move: number; expunge: number }
  /** How often the server did it for us. */
  readonly done: { append: number; copy: number; move: number }
  /** How often the log says that it is done. */
  readonly confirmed: { append: number; copy: number; move: number }
  /** How often somebody else brought it elsewhere. */
  broughtByOthers: number
  /** `add \seen`, `remove $work` ... that the user asked for. */
  readonly flags: Set<string>
  /** Whether somebody else marked it for deletion: the mark may be taken off and put on again, to spare it. */
  isMarked: boolean
  /** Whether anybody had a right to make it disappear. */
  isLosable: boolean
  /** Whether what was to bring it there was taken back, or never accepted. */
  isWithdrawn: boolean
  /** Later versions of it, where it is a draft. */
  readonly later: Set<string>
}

export type Deed = 'append' | 'copy' | 'move' | 'expunge'

const DELETED = flagKey('\\Deleted')

/** Messages are told apart by their Message-ID. */
export class Ledger {
  readonly #hasMove: boolean
  readonly #hasUidplus: boolean
  readonly submissions: SubmissionLedger = new SubmissionLedger()
  readonly #accounts = new Map<string, Account>()
  readonly #mailboxes = new Map<string, number>()
  #repeats = 0

  constructor({ hasMove, hasUidplus }: { readonly hasMove: boolean; readonly hasUidplus: boolean }) {
    this.#hasMove = hasMove
    this.#hasUidplus = hasUidplus
  }

  get messageIds(): Iterable<string> {
    return this.#accounts.keys()
  }

  /** The user asks for it, of each of these messages. */
  ask(deed: Deed, messageIds: readonly string[]): void {
    for (const id of deed === 'append' ? messageIds : this.#ledTo(messageIds)) {
      const account = this.#of(id)
      account.asked[deed] += 1
      if (deed === 'expunge') account.isLosable = true
    }
  }

  /** The user saves another version of a draft: it takes the place of those before, each of which stays until a later one is there. */
  askReplacement(messageId: string, before: readonly string[]): void {
    for (const id of before) {
      const account = this.#of(id)
      account.asked.expunge += 1
      account.later.add(messageId)
    }
  }

  /** What was to bring these there is taken back, or was never accepted: they may never be seen, but then what they replaced must stay. */
  withdraw(messageIds: readonly string[]): void {
    for (const id of messageIds) this.#of(id).isWithdrawn = true
    this.submissions.withdraw(messageIds)
  }

  askFlags(messageIds: readonly string[], change: { readonly add: readonly Flag[]; readonly remove: readonly Flag[] }): void {
    for (const id of this.#ledTo(messageIds)) {
      for (const flag of change.add) this.#of(id).flags.add(`add ${flagKey(flag)}`)
      for (const flag of change.remove) this.#of(id).flags.add(`remove ${flagKey(flag)}`)
    }
  }

  /** Somebody else, or the user giving an upload up, makes these disappear. */
  allowLoss(messageIds: readonly string[]): void {
    for (const id of messageIds) this.#of(id).isLosable = true
    this.submissions.withdraw(messageIds)
  }

  /** Somebody else brings these to another mailbox: there they may be taken for what we were to bring (H-10). */
  allowMistaking(messageIds: readonly string[]): void {
    for (const id of messageIds) this.#of(id).broughtByOthers += 1
  }

  /** Somebody else marks these for deletion. */
  allowMarking(messageIds: readonly string[]): void {
    for (const id of messageIds) this.#of(id).isMarked = true
  }

  /** The user wants a mailbox of that name, or one of those there to go. */
  askForMailbox(deed: 'create' | 'rename' | 'delete', path: string): void {
    const key = `${deed} ${path}`
    this.#mailboxes.set(key, (this.#mailboxes.get(key) ?? 0) + 1)
  }

  /** The user takes something back: what was sent of it by then is done the other way round, of any message it was done with. */
  askBack({ kind: deed, ...operation }: Operation): void {
    if (deed === 'create-mailbox') this.askForMailbox('delete', '')
    if (deed === 'rename-mailbox' && 'from' in operation) this.askForMailbox('rename', operation.from)
    if (deed === 'move')
      this.ask(
        'move',
        [...this.#accounts].filter(([, { asked }]) => asked.move > 0).map(([id]) => id),
      )
    for (const { asked, flags, later } of this.#accounts.values()) {
      if (deed === 'append' || deed === 'copy' || deed === 'draft') asked.expunge += asked.append + asked.copy > 0 ? 1 : 0
      if (deed !== 'flag') continue
      for (const change of [...flags].map(reversed)) {
        flags.add(change)
        for (const id of later) this.#of(id).flags.add(change)
      }
    }
  }

  /** The user lets something be sent again of which nobody knows whether it took effect. */
  allowRepeat(): void {
    this.#repeats += 1
  }

  /** Whether the message may be gone, where these are there. */
  mayBeGone(messageId: string, there: ReadonlySet<string>): boolean {
    const { isLosable, isWithdrawn } = this.#of(messageId)
    return isLosable || isWithdrawn || this.#isReplaced(messageId, there)
  }

  /** Whether somebody else marked the message for deletion. */
  mayBeMarked(messageId: string): boolean {
    return this.#of(messageId).isMarked
  }

  #isReplaced(messageId: string, there: ReadonlySet<string>): boolean {
    return [...this.#of(messageId).later].some((id) => there.has(id) || this.#of(id).isLosable || this.#isReplaced(id, there))
  }

  /** Enters what the server did, and answers what is wrong with it (I-LOG-3, I-STORE-2). */
  enter({ step, messages }: Executed): string[] {
    if (!isMutating(step)) return []
    if (step.kind === 'create') return this.#enterMailbox(`create ${step.path}`)
    if (step.kind === 'rename') return this.#enterMailbox(`rename ${step.to}`)
    if (step.kind === 'delete') return this.#enterMailbox('delete ')
    if (!this.#hasUidplus && (step.kind === 'copy' || step.kind === 'move')) this.#allowMarksAlong(messages)
    return messages.flatMap(({ bytes }) => this.#enterOne(step, messageIdIn(bytes)))
  }

  /** Enters what the log says to be done, and answers what is wrong with it: that the server did it less often (I-LOG-2). */
  confirm(deed: 'append' | 'copy' | 'move', messageId: string): string[] {
    const { broughtByOthers, confirmed, done } = this.#of(messageId)
    const step = deed === 'move' && !this.#hasMove ? 'copy' : deed
    confirmed[step] += 1
    return confirmed[step] > done[step] + broughtByOthers
      ? [`${messageId}: ${step} took effect ${done[step]} times, ${confirmed[step]} are told of`]
      : []
  }

  /** Without COPYUID nobody knows which message bears the mark that a copy took along. */
  #allowMarksAlong(messages: Executed['messages']): void {
    this.allowMarking(messages.filter(({ flags }) => hasFlag(flags, '\\Deleted')).map(({ bytes }) => messageIdIn(bytes)))
  }

  /** Enters a message that somebody else made. */
  meet(messageId: string): void {
    this.#of(messageId)
  }

  /** Who acts on an old version of a draft is led to the one that took its place. */
  #ledTo(messageIds: readonly string[]): readonly string[] {
    return messageIds.flatMap((id) => [id, ...this.#of(id).later])
  }

  /** Whatever its name, a mailbox is not made, renamed or deleted more often than asked. */
  #enterMailbox(key: string): string[] {
    const left = (this.#mailboxes.get(key) ?? 0) - 1
    this.#mailboxes.set(key, left)
    return left + this.#repeats < 0 ? [`${key} took effect once more than asked`] : []
  }

  #enterOne(step: Step, id: string): string[] {
    const { asked, done, flags, isMarked } = this.#of(id)
    const isSplitMove = !this.#hasMove && asked.move > 0
    const tooOften = (deed: 'append' | 'copy' | 'move', times: number): string[] => {
      done[deed] += 1
      return done[deed] > times + this.#repeats ? [`${id}: ${deed} took effect ${done[deed]} times, asked for were ${times}`] : []
    }
    switch (step.kind) {
      case 'append': {
        const isEarly = this.submissions.isUnsent(id)
        return [...tooOften('append', asked.append), ...(isEarly ? [`${id} is kept as sent, and was not sent`] : [])]
      }
      case 'copy':
        return tooOften('copy', asked.copy + (this.#hasMove ? 0 : asked.move))
      case 'move':
        return tooOften('move', asked.move)
      case 'expunge':
      case 'expunge-all':
      case 'replace':
        return asked.expunge > 0 || isSplitMove ? [] : [`${id} was expunged, which nobody asked for`]
      case 'store':
        return step.flags.flatMap((flag) => {
          const isMark = flagKey(flag) === DELETED && (asked.expunge > 0 || isSplitMove || isMarked)
          const isAsked = isMark || flags.has(`${step.direction} ${flagKey(flag)}`)
          return isAsked ? [] : [`${id}: ${step.direction} ${flag} was stored, which nobody asked for`]
        })
      default:
        return []
    }
  }

  #of(id: string): Account {
    const known = this.#accounts.get(id)
    if (known !== undefined) return known
    const account: Account = {
      asked: { append: 0, copy: 0, move: 0, expunge: 0 },
      done: { append: 0, copy: 0, move: 0 },
      confirmed: { append: 0, copy: 0, move: 0 },
      broughtByOthers: 0,
      flags: new Set(),
      isMarked: false,
      isLosable: false,
      isWithdrawn: false,
      later: new Set(),
    }
    this.#accounts.set(id, account)
    return account
  }
}

function reversed(change: string): string {
  return change.startsWith('add ') ? change.replace('add ', 'remove ') : change.replace('remove ', 'add ')
}
