/** Runs passes over one account, one at a time, until nothing is left that can be done now. */

import {
  type AccountId,
  type ClaimId,
  type Clock,
  type MessageStore,
  type Random,
  type Remote,
  type RemoteSession,
  type ServerProfile,
  type Submitter,
  SyncError,
} from '@tidemail/core'
import type { Conditions, Policy } from '@tidemail/planner'
import { decodeEntry } from '@tidemail/replay-log'
import PQueue from 'p-queue'
import type { EngineStatus, LogEvent, SyncOptions, SyncProblem, SyncReport } from './api.ts'
import { asSyncError } from './as-sync-error.ts'
import { canonicalPath } from './canonical-path.ts'
import { DeletionConsents } from './deletion-consents.ts'
import type { LiveValue } from './live-value.ts'
import { type PartRequest, PartRequests } from './part-requests.ts'
import { type PassResult, runPass } from './pass.ts'
import { connectKnowing, rememberServer, serverNow } from './server-memory.ts'
import { newTally, progressOf } from './tally.ts'
import { NOTHING_OPEN, type Selection, type Tally, Work } from './work.ts'

/** Passes of one synchronisation: recovery, replay, and a look at what the replay changed need a few; more is a loop. */
const PASSES_MAX = 12
/** The longest a synchronisation waits for a lost claim to become decidable, or for a refused entry's next try. */
const WAIT_MS_MAX = 10_000

export interface SynchroniserOptions {
  readonly accountId: AccountId
  readonly store: MessageStore
  readonly remote: Remote
  readonly submitter: Submitter | null
  readonly policy: Policy
  readonly conditions: () => Conditions
  /** What the app knows of the server. */
  readonly serverProfile: ServerProfile | null
  readonly clock: Clock
  readonly random: Random
  readonly log: (event: LogEvent) => void
  readonly status: LiveValue<EngineStatus>
}

/** What has priority on the one connection: the app's own request, then passes, and a watch when there is nothing else. */
export const PRIORITY = { request: 10, pass: 0, watch: -10 } as const

export class Synchroniser {
  readonly options: SynchroniserOptions
  private readonly queue = new PQueue({ concurrency: 1 })
  private readonly ending = new AbortController()
  private readonly startedAt: number
  private readonly ownClaims = new Map<ClaimId, number>()
  private readonly requests = new PartRequests()
  /** What an engine before this one kept of messages that had left is not known. */
  private readonly released = { isPossible: true }
  readonly consents: DeletionConsents
  private session: RemoteSession | null = null
  private selection: Selection = { ...NOTHING_OPEN }
  private leaderEpoch: number | null = null
  private watching: AbortController | null = null

  constructor(options: SynchroniserOptions) {
    this.options = options
    this.consents = new DeletionConsents(options.clock)
    this.startedAt = options.clock.now()
  }

  /** @see MailEngine.syncOnce */
  syncOnce(options: SyncOptions): Promise<SyncReport> {
    return this.alone(PRIORITY.pass, () => this.synchronise(options))
  }

  /** @see MailEngine.fetchPart */
  fetchPart(request: PartRequest): Promise<Uint8Array> {
    const part = this.requests.add(request)
    this.alone(PRIORITY.request, () => this.serveRequests()).catch((error: unknown) => this.requests.fail(asSyncError(error)))
    return part
  }

  /** Runs the task when nothing else uses the connection; a watch gives way. Rejects with `engine.closed` once the engine is closed. */
  async alone<T>(priority: number, task: () => Promise<T>): Promise<T> {
    this.watching?.abort()
    return this.enqueue(priority, task)
  }

  /** The session, connected if need be. */
  async connect(signal: AbortSignal): Promise<RemoteSession> {
    if (this.session !== null && this.session.ended === null) return this.session
    this.phase('connecting')
    await this.disconnect()
    this.session = await connectKnowing(this.options, signal)
    this.selection = { ...NOTHING_OPEN }
    this.options.status.set({ ...this.options.status.getSnapshot(), isConnected: true })
    return this.session
  }

  async disconnect(): Promise<void> {
    const { session } = this
    this.session = null
    this.options.status.set({ ...this.options.status.getSnapshot(), isConnected: false })
    await session?.close()
  }

  /** Runs the task as the leader of the account, over a connection that nothing else uses meanwhile. */
  attend<T>(options: SyncOptions, task: (work: Work) => Promise<T>): Promise<T> {
    return this.alone(PRIORITY.pass, () =>
      this.guarded(options, async (signal) => task(await this.leadingWork(newTally(), options, signal))),
    )
  }

  async work(
    session: RemoteSession,
    leaderEpoch: number,
    tally: Tally,
    options: SyncOptions,
    signal: AbortSignal,
  ): Promise<Work> {
    const { accountId, store, policy, conditions, clock, random, log, status, submitter } = this.options
    const { server } = await serverNow(this.options, session.server)
    return new Work({
      accountId,
      store,
      session,
      server,
      selection: this.selection,
      leaderEpoch,
      policy,
      conditions,
      onTurn: (work) => this.requests.serve(work),
      released: this.released,
      consents: this.consents,
      submitter,
      clock,
      random,
      signal,
      startedAt: this.startedAt,
      ownClaims: this.ownClaims,
      only: options.mailboxes === undefined ? null : new Set(options.mailboxes.map(canonicalPath)),
      tally,
      log,
      onPhase: (phase) => this.phase(phase),
      onProgress: (progress) => status.set({ ...status.getSnapshot(), progress }),
    })
  }

  /**
   * Lends the open connection, until other work comes or the signal aborts.
   * @throws SyncError `remote.disconnected` when there is no connection, or why it has ended
   */
  lend<T>(signal: AbortSignal, task: (session: RemoteSession, until: AbortSignal) => Promise<T>): Promise<T> {
    return this.enqueue(PRIORITY.watch, async () => {
      const { session } = this
      const stop = new AbortController()
      this.watching = stop
      Object.assign(this.selection, { isOpen: true, mailbox: null })
      if (session === null) throw new SyncError('remote.disconnected', 'There is no connection to watch on.')
      const result = await task(session, AbortSignal.any([signal, stop.signal, this.ending.signal]))
      const { ended } = session
      if (ended === null) return result
      await this.disconnect()
      throw new SyncError(ended.code, ended.text)
    })
  }

  /** Has the connection give a sign of life, or end soon. */
  async ping(): Promise<void> {
    await this.session?.ping?.()
  }

  async close(): Promise<void> {
    this.ending.abort()
    await this.queue.onIdle()
    await this.disconnect()
  }

  signalWith(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.ending.signal : AbortSignal.any([this.ending.signal, signal])
  }

  private async enqueue<T>(priority: number, task: () => Promise<T>): Promise<T> {
    const result = await this.queue.add(
      async () => {
        if (this.ending.signal.aborted) throw new SyncError('engine.closed', 'The engine was closed.')
        return { value: await task() }
      },
      { priority },
    )
    return result.value
  }

  private synchronise(options: SyncOptions): Promise<SyncReport> {
    const tally = newTally()
    let waited = 0
    let newestEntry = 0
    let openGroups = 0
    return this.guarded(options, async (signal) => {
      for (let passes = 1; ; passes += 1) {
        const work = await this.leadingWork(tally, options, signal)
        const before = progressOf(tally)
        const left = await runPass(work)
        const hasProgressed = progressOf(tally) > before || left.newestEntry > newestEntry || left.openGroups < openGroups
        newestEntry = left.newestEntry
        openGroups = left.openGroups
        const isDone = left.wakeAt === null && !left.hasMoreToSend && left.toFetch === 0
        const delay = waitFor(left, this.options.clock.now(), { hasProgressed })
        if (isDone || passes === PASSES_MAX || delay === null || waited + delay > WAIT_MS_MAX)
          return await this.report(tally, options, isDone)
        waited += delay
        if (delay > 0) {
          this.phase('waiting')
          await this.options.clock.sleep(delay, signal)
        }
      }
    })
  }

  /** A pass may have served them meanwhile. */
  private async serveRequests(): Promise<void> {
    if (this.requests.isEmpty) return
    this.leaderEpoch ??= await this.options.store.lead(this.options.accountId)
    await this.requests.serveFromStore({ store: this.options.store, leaderEpoch: this.leaderEpoch })
    if (this.requests.isEmpty) return
    await this.guarded({}, async (signal) => {
      const work = await this.leadingWork(newTally(), {}, signal)
      await work.loadMailboxes()
      await this.requests.serve(work)
    })
  }

  private async leadingWork(tally: Tally, options: SyncOptions, signal: AbortSignal): Promise<Work> {
    this.leaderEpoch ??= await this.options.store.lead(this.options.accountId)
    const session = await this.connect(signal)
    await rememberServer(this.options, session.server)
    return this.work(session, this.leaderEpoch, tally, options, signal)
  }

  /** Shows in the status what stopped the account, and lets go of a connection that has ended. */
  private async guarded<T>(options: SyncOptions, task: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const signal = this.signalWith(options.signal)
    try {
      return await task(signal)
    } catch (error) {
      if (error instanceof SyncError && error.code === 'engine.not-leader') this.leaderEpoch = null
      const { code, message } = asSyncError(error)
      // Being told to stop is no problem to show.
      if (!signal.aborted) this.options.status.set({ ...this.options.status.getSnapshot(), problem: { code, message } })
      if (this.session?.ended !== null) await this.disconnect()
      throw signal.aborted && this.ending.signal.aborted
        ? new SyncError('engine.closed', 'The engine was closed.', { cause: error })
        : error
    } finally {
      this.phase('idle')
    }
  }

  private async report(tally: Tally, options: SyncOptions, isDone: boolean): Promise<SyncReport> {
    const { accountId, clock, status, store } = this.options
    const entries = (await store.planning.entries(accountId)).map(decodeEntry)
    const parked = entries.filter((entry) => entry.progress.some((group) => group.state === 'parked'))
    const uncertain = parked.filter((entry) => entry.progress.some((group) => group.parkedFor === 'uncertain'))
    const problems: readonly SyncProblem[] = tally.problems
    const outcome = isDone && problems.length === 0 ? ('done' as const) : ('incomplete' as const)
    const isWhole = outcome === 'done' && options.mailboxes === undefined
    const syncedAt = isWhole ? await this.rememberSyncedAt(clock.now()) : status.getSnapshot().syncedAt
    status.set({ ...status.getSnapshot(), syncedAt, problem: problems[0] ?? null, progress: null })
    return {
      ...tally,
      outcome,
      problems,
      entriesPending: entries.length - parked.length,
      entriesParked: parked.length - uncertain.length,
      entriesUncertain: uncertain.length,
    }
  }

  private async rememberSyncedAt(now: number): Promise<number> {
    const { accountId, store } = this.options
    const account = (await store.planning.accounts()).find((record) => record.id === accountId)
    const write = account === undefined ? [] : [{ kind: 'put-account' as const, account: { ...account, syncedAt: now } }]
    await store.commit({ reason: 'remember that everything is synchronised', expect: {}, writes: write })
    return now
  }

  private phase(phase: EngineStatus['phase']): void {
    this.options.status.set({ ...this.options.status.getSnapshot(), phase, ...(phase === 'idle' ? { progress: null } : {}) })
  }
}

/** How long to wait before the next pass, or null when no pass of this synchronisation can help. */
function waitFor(left: PassResult, now: number, { hasProgressed }: { readonly hasProgressed: boolean }): number | null {
  if (hasProgressed && (left.hasMoreToSend || left.toFetch > 0)) return 0
  return left.wakeAt === null ? null : Math.max(0, left.wakeAt - now)
}
