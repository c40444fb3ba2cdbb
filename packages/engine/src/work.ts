/** What one pass works with: the session, the leader's word, the mailboxes as last written, and what it has done so far. */

import {
  type AccountId,
  type Change,
  type ClaimId,
  type Clock,
  type MailboxId,
  type MailboxIdentity,
  type MailboxRecord,
  type MessageStore,
  missingRows,
  type Observation,
  type Random,
  type RemoteSession,
  type ServerProfile,
  type Step,
  type Submitter,
  SyncError,
  type Write,
} from '@tidemail/core'
import { type Conditions, type Policy, type StepNamer, stepNamer, withLivingLimit } from '@tidemail/planner'
import { decodeClaim } from '@tidemail/replay-log'
import type { GuessedRename, LogEvent, Phase, SyncProblem } from './api.ts'

/** Counts of one synchronisation; the report is made of them. */
export interface Tally {
  mailboxesChecked: number
  mailboxesOpened: number
  messagesFetched: number
  messagesRemoved: number
  flagsChanged: number
  partsFetched: number
  entriesSettled: number
  readonly renamesGuessed: GuessedRename[]
  readonly problems: SyncProblem[]
}

/** What a session has open. */
export interface Selection {
  isOpen: boolean
  /** Null while that is not known. */
  mailbox: MailboxIdentity | null
}

export const NOTHING_OPEN: Selection = { isOpen: false, mailbox: null }

export interface WorkOptions {
  readonly accountId: AccountId
  readonly store: MessageStore
  readonly session: RemoteSession
  /** What the session found of the server, and what was learnt of it before. */
  readonly server: ServerProfile
  /** Whether the session has a mailbox open: it outlives the pass. */
  readonly selection: Selection
  readonly leaderEpoch: number
  readonly policy: Policy
  /** As they are now. */
  readonly conditions: () => Conditions
  /** Serves what the app has asked for meanwhile, on this connection. */
  readonly onTurn: (work: Work) => Promise<void>
  /** Whether the store may keep parts of messages that have left; it outlives the pass. */
  readonly released: { isPossible: boolean }
  /** Of which mailboxes many messages may go at once. */
  readonly consents: { has(mailboxId: MailboxId): boolean }
  readonly submitter: Submitter | null
  readonly clock: Clock
  readonly random: Random
  readonly signal: AbortSignal
  readonly startedAt: number
  /** When this engine claimed what it has claimed: a claim that another engine has taken over is of another time. */
  readonly ownClaims: Map<ClaimId, number>
  /** Only these mailboxes, by path; null: all. */
  readonly only: ReadonlySet<string> | null
  readonly tally: Tally
  readonly log: (event: LogEvent) => void
  readonly onPhase: (phase: Phase) => void
  readonly onProgress: (progress: { readonly done: number; readonly total: number; readonly mailbox: string | null }) => void
}

/** The effects of a pass, thin: run steps, commit changes, remember the mailboxes. */
export class Work {
  readonly options: WorkOptions
  readonly name: StepNamer = stepNamer()
  readonly mailboxes: Map<MailboxId, MailboxRecord> = new Map()
  /** How many messages each mailbox has, as the look at the account told; by path. */
  readonly messagesOnServer: Map<string, number> = new Map()
  /** See `ReplayState.marksLeft`. */
  readonly marksLeft: Set<MailboxId> = new Set()
  /** What may be relied on, as of now. */
  server: ServerProfile

  constructor(options: WorkOptions) {
    this.options = options
    this.server = options.server
  }

  async loadMailboxes(): Promise<void> {
    const { accountId, clock, store } = this.options
    this.mailboxes.clear()
    for (const mailbox of await store.planning.mailboxes(accountId))
      this.mailboxes.set(mailbox.id, withLivingLimit(mailbox, clock.now()))
  }

  /** Adds the mailboxes that were made in the store meanwhile, by the user. */
  async loadNewMailboxes(): Promise<void> {
    for (const mailbox of await this.options.store.planning.mailboxes(this.options.accountId))
      if (!this.mailboxes.has(mailbox.id)) this.mailboxes.set(mailbox.id, mailbox)
  }

  /** Whether the caller asked for this mailbox. */
  isWanted(mailbox: { readonly path: string }): boolean {
    return this.options.only === null || this.options.only.has(mailbox.path)
  }

  /** Whether the mailbox is open, under the UIDVALIDITY that is known. */
  isOpen({ path, uidValidity }: MailboxRecord): boolean {
    const { mailbox } = this.options.selection
    return mailbox?.path === path && mailbox.uidValidity === uidValidity
  }

  /** Carries out the steps and gives all that was observed. */
  async run(steps: readonly Step[]): Promise<Observation[]> {
    const observations: Observation[] = []
    for await (const item of this.stream(steps)) observations.push(item)
    return observations
  }

  /** Carries out the steps, and yields what is observed as it comes. */
  async *stream(steps: readonly Step[]): AsyncGenerator<Observation> {
    if (steps.length === 0) return
    const { selection, session, signal, store } = this.options
    const leaving = new Set(steps.filter((step) => step.kind === 'leave').map((step) => step.id))
    const opening = new Set(steps.filter((step) => step.kind === 'open').map((step) => step.id))
    const bodies = { bytes: (bodyId: Parameters<typeof store.planning.body>[0]) => store.planning.body(bodyId) }
    for await (const item of session.run(steps, { bodies, signal })) {
      if (item.kind === 'opened') Object.assign(selection, { isOpen: true, mailbox: item.mailbox })
      if (item.kind === 'done' && leaving.has(item.id)) Object.assign(selection, NOTHING_OPEN)
      else if (item.kind === 'done' && opening.has(item.id) && item.outcome !== 'ok') selection.mailbox = null
      if (item.kind === 'alert') this.options.log({ level: 'info', event: 'server.alert', sentence: item.text })
      yield item
    }
  }

  /**
   * Writes a change under the leader's epoch. Answers false when something it was decided on has changed: load and decide again.
   * @throws SyncError `engine.not-leader` when another engine has taken over
   */
  async commit(reason: string, writes: readonly Write[], expect: Change['expect'] = {}): Promise<boolean> {
    if (writes.length === 0) return true
    const { leaderEpoch, store } = this.options
    const result = await store.commit({ reason, expect: { ...expect, leaderEpoch }, writes })
    if (result.kind === 'conflict') {
      if (result.on === 'leader') {
        throw notLeader()
      }
      await this.loadMailboxes()
      return false
    }
    for (const write of writes) {
      if (write.kind === 'remove-messages' || write.kind === 'evict-messages') this.options.released.isPossible = true
      if (write.kind === 'put-claim') this.options.ownClaims.set(write.claim.id, decodeClaim(write.claim).claimedAt)
      if (write.kind === 'remove-claim') this.options.ownClaims.delete(write.id)
      if (write.kind === 'put-mailbox') this.mailboxes.set(write.mailbox.id, write.mailbox)
      if (write.kind === 'remove-mailbox') this.mailboxes.delete(write.mailboxId)
    }
    return true
  }

  /** Lets what the app asks for come in between (RFC 4549 §4.3.1). What was open may not be open afterwards. */
  async attendRequests(): Promise<void> {
    await this.options.onTurn(this)
  }

  /** Stops the pass when the connection has ended or the caller has had enough. */
  assertAlive(): void {
    const { ended } = this.options.session
    if (this.options.signal.aborted) throw new SyncError('engine.aborted', 'The synchronisation was interrupted.')
    if (ended !== null) throw new SyncError(ended.code, ended.text, { recovery: 'retry-later' })
  }

  /** Tells how many of the account's messages are here, after some of this mailbox came in. */
  tellMessages(mailbox: string): void {
    let done = 0
    let total = 0
    for (const record of this.mailboxes.values()) {
      if (!this.isWanted(record)) continue
      const covered = record.checkpoint?.covered.size ?? 0
      done += covered
      const wanted =
        record.checkpoint === null ? (this.messagesOnServer.get(record.path) ?? 0) : covered + missingRows(record).size
      total += Math.max(covered, wanted)
    }
    this.options.onProgress({ done, total, mailbox })
  }

  problem(problem: SyncProblem): void {
    this.options.tally.problems.push(problem)
    this.options.log({ level: 'error', event: problem.code, sentence: problem.message })
  }
}

export function notLeader(): SyncError {
  return new SyncError('engine.not-leader', 'Another engine has taken over this account.', {
    hint: 'Let only one run at a time.',
  })
}
