/** A world: a mail server, a disk, time, and the processes that work on them; every write and every step is checked. */

import { isMutating, type MessageView, type Step, SyncError } from '@tidemail/core'
import type { Hold, MailEngine, SyncReport } from '@tidemail/engine'
import { decodeEntry } from '@tidemail/replay-log'
import {
  type Executed,
  type Extension,
  MemoryDisk,
  MemoryMessageStore,
  type MemoryState,
  ModelAccount,
} from '@tidemail/testing/simulated'
import { ClaimChecks } from './checks/claim-checks.ts'
import { checkIndependent, DependencyChecks } from './checks/dependency-checks.ts'
import { NetChecks, nameOf } from './checks/net-checks.ts'
import { ParkedChecks } from './checks/parked-checks.ts'
import { SettlementChecks } from './checks/settlement-checks.ts'
import { StoreChecks } from './checks/store-checks.ts'
import { checkView } from './checks/view-check.ts'
import { Coverage, type LogState } from './coverage.ts'
import { messageIdIn } from './equality.ts'
import { isFault, losesAnswer } from './faults.ts'
import { type Finding, TOLERATED } from './finding.ts'
import { type Circumstances, type Interruption, TIERS } from './history.ts'
import { Ledger } from './ledger.ts'
import { type Disturbance, ME, SimulatedProcess, UNDISTURBED } from './simulated-process.ts'
import { VirtualClock } from './virtual-time.ts'

/** How long a server that restarts is away. */
const RESTART_MS = 1_000

export class SimulatedWorld {
  readonly circumstances: Circumstances
  readonly without: readonly Extension[]
  readonly clock: VirtualClock = new VirtualClock()
  readonly account: ModelAccount
  readonly disk: MemoryDisk = new MemoryDisk()
  readonly coverage: Coverage = new Coverage()
  readonly ledger: Ledger
  readonly net: NetChecks = new NetChecks()
  readonly findings: Finding[] = []
  /** What happened, a line each, for the one who reads a failure. */
  readonly story: string[] = []
  /** What each write since the last event was for. */
  readonly writes: string[] = []
  /** Steps sent since the last event that change the server. */
  readonly mutations: string[] = []
  /** Which messages a process holds that opens the store now. */
  hold: Hold
  /** How many operations were accepted. */
  accepted = 0
  /** Messages that the user has seen, and may still act on. */
  remembered: readonly MessageView[] = []
  readonly uploaded: { readonly id: string; readonly bytes: Uint8Array }[] = []
  /** Message-IDs of what the user wrote. */
  readonly composed: string[] = []
  readonly #checks: StoreChecks
  readonly #claims = new ClaimChecks()
  readonly #dependencies: DependencyChecks
  readonly #settlements: SettlementChecks
  readonly parkedChecks: ParkedChecks
  /** What is on the disk, read past every process. */
  readonly onDisk: MemoryMessageStore
  readonly #processes = new Map<number, SimulatedProcess>()
  readonly #onInterruption: (event: Interruption['event']) => Promise<void>
  #offlineUntil = 0
  #processCount = 0

  constructor(
    circumstances: Circumstances,
    {
      mailboxes = ['Archive', 'Work'],
      onInterruption = async () => {},
    }: { readonly mailboxes?: readonly string[]; readonly onInterruption?: (event: Interruption['event']) => Promise<void> } = {},
  ) {
    this.circumstances = circumstances
    this.hold = circumstances.hold ?? 'whole'
    this.without = TIERS[circumstances.tier] ?? []
    this.account = new ModelAccount({
      mailboxes: Object.fromEntries(mailboxes.map((path) => [path, path === 'Archive' ? 'archive' : null])),
    })
    const hasUidplus = !this.without.includes('UIDPLUS')
    this.ledger = new Ledger({ hasMove: !this.without.includes('MOVE'), hasUidplus })
    const isListingLate = circumstances.listingLagMs > 0
    this.#checks = new StoreChecks(this.account, { isListingLate })
    this.#dependencies = new DependencyChecks(this.account)
    this.#settlements = new SettlementChecks(this.account, this.ledger)
    this.parkedChecks = new ParkedChecks(this.account, this.ledger.submissions, { hasUidplus })
    this.onDisk = new MemoryMessageStore({ disk: this.disk, clock: this.clock })
    this.#onInterruption = onInterruption
    this.account.listen(({ event, mailbox }) => {
      if (event.kind === 'renamed') this.net.rename(event.from, mailbox)
      if (event.kind !== 'deleted') return
      this.ledger.allowLoss([...mailbox.messages, ...mailbox.arrivals].map(({ bytes }) => messageIdIn(bytes)))
    })
    if (circumstances.listingLagMs > 0) this.#makeListingLate()
  }

  get isOffline(): boolean {
    return this.clock.now() < this.#offlineUntil
  }

  /** Whether the client may not know what became of a step. */
  get hasLostAnswers(): boolean {
    return Object.keys(this.coverage.table).some((what) => what.startsWith('killed') || (isFault(what) && losesAnswer(what)))
  }

  /** The processes that are alive. */
  get processes(): readonly SimulatedProcess[] {
    return [...this.#processes.values()]
  }

  process(tab: number): SimulatedProcess {
    const known = this.#processes.get(tab)
    if (known !== undefined && !known.isDead) return known
    const fresh = new SimulatedProcess(this, tab)
    this.#processes.set(tab, fresh)
    return fresh
  }

  nextProcessSeed(): number {
    this.#processCount += 1
    return this.#processCount
  }

  /** One event of a process. What the engine throws is part of the history, unless it can not happen. */
  async live(tab: number, disturbance: Disturbance, task: (engine: MailEngine) => Promise<void>): Promise<boolean> {
    this.writes.length = 0
    this.mutations.length = 0
    const earlier = { answered: this.net.answered, rejections: this.#rejections() }
    try {
      return await this.process(tab).live(disturbance, task)
    } catch (error) {
      if (!(error instanceof SyncError) || error.code === 'engine.bug') {
        const cause = error instanceof SyncError && error.cause !== undefined ? error.cause : error
        this.find({ check: 'crash', what: cause instanceof Error ? `${cause.stack}` : String(cause) })
      } else this.story.push(`  stopped: ${error.code} ${error.message}`)
      return false
    } finally {
      if (this.net.answered === earlier.answered && this.#rejections() > earlier.rejections)
        this.find({ check: 'I-NET-1', what: 'something counts as an attempt although nothing was answered' })
    }
  }

  /** How often something was refused of what still waits; what leaves the log takes its count along, so that this may be less later. */
  #rejections(): number {
    return [...this.disk.state.entries.values()].reduce((sum, record) => sum + decodeEntry(record).rejections, 0)
  }

  async sync(tab: number, disturbance: Disturbance = UNDISTURBED): Promise<SyncReport | null> {
    let report: SyncReport | null = null
    const before = { state: this.disk.state, now: this.clock.now() }
    await this.live(tab, disturbance, async (engine) => {
      report = await engine.syncOnce()
    })
    const done = report as SyncReport | null
    if (done !== null) this.story.push(`  ${done.outcome}${done.problems.map(({ message }) => ` ${message}`).join('')}`)
    if (done !== null && this.#isQuiet(disturbance))
      for (const finding of checkIndependent(before.state, this.disk.state, before.now)) this.find(finding)
    return done
  }

  /** Whether nothing befell a synchronisation with this disturbance. */
  #isQuiet({ faults, kill, meanwhile }: Disturbance): boolean {
    const { listingLagMs, tabs } = this.circumstances
    const isCalm = tabs === 1 && listingLagMs === 0 && this.account.moveStopsAfter === null && !this.isOffline
    return isCalm && faults.length === 0 && meanwhile.length === 0 && kill === null
  }

  find(finding: Finding): void {
    this.story.push(`  !! ${finding.check}: ${finding.what}`)
    if (TOLERATED.includes(finding.check)) this.happened(`tolerated: ${finding.check}`)
    else this.findings.push(finding)
  }

  /** Counts it, with where the entries of the log stand. */
  happened(what: string, line?: string): void {
    this.coverage.note(what, this.logStates())
    if (line !== undefined) this.story.push(line)
  }

  logStates(): ReadonlySet<LogState> {
    const states = new Set<LogState>()
    for (const record of this.disk.state.entries.values()) for (const { state } of decodeEntry(record).progress) states.add(state)
    return states.size === 0 ? new Set(['empty log']) : states
  }

  /** The server ends every connection, and is away for a moment. */
  restart(): void {
    this.goOffline(RESTART_MS)
  }

  get isAnyoneBusy(): boolean {
    return [...this.#processes.values()].some(({ isBusy }) => isBusy)
  }

  goOffline(forMs: number): void {
    this.#offlineUntil = Math.max(this.#offlineUntil, this.clock.now() + forMs)
    for (const { isBusy, remote } of this.#processes.values()) if (!isBusy) remote.disconnectAll()
  }

  /** Whatever was still on its way arrives. */
  calm(): void {
    this.#offlineUntil = 0
    this.clock.advance(this.circumstances.ghostLifeMs + this.circumstances.listingLagMs)
    for (const mailbox of this.account.mailboxes) {
      mailbox.isListingLate = false
      mailbox.listArrivals()
    }
  }

  /** A process is about to send this. */
  sending(step: Step): void {
    if (isMutating(step)) {
      this.mutations.push(nameOf(step))
      this.story.push(`  > ${nameOf(step)}`)
    }
    const { state } = this.disk
    for (const finding of [...this.net.check(step, this.clock.now(), state), ...this.#dependencies.check(step, state)])
      this.find(finding)
  }

  /** A process is about to hand a message over. */
  submitting(claim: string, messageId: string): void {
    this.mutations.push(`submit ${messageId}`)
    this.story.push(`  > submit ${messageId}`)
    for (const finding of this.net.checkSubmission(claim, this.clock.now(), this.disk.state)) this.find(finding)
  }

  /** The server did this for us. */
  executed(executed: Executed): void {
    this.#dependencies.executed(executed.step)
    for (const what of this.ledger.enter(executed)) this.find({ check: 'I-LOG-3', what })
  }

  async written(before: MemoryState, what: string, by: SimulatedProcess): Promise<void> {
    this.writes.push(what)
    if (what === 'accept') this.accepted += 1
    const after = this.disk.state
    const found = [
      ...this.#checks.check(before, after),
      ...this.parkedChecks.check(before, after),
      ...this.#settlements.check(before, after),
      ...this.#claims.check(before, after, { by, now: this.clock.now() }),
    ]
    for (const finding of found) this.find({ ...finding, what: `at "${what}": ${finding.what}` })
    for (const finding of await checkView(this.onDisk, after, ME)) {
      this.find({ ...finding, what: `at "${what}": ${finding.what}` })
    }
  }

  async interrupt(process: SimulatedProcess, event: Interruption['event']): Promise<void> {
    if (event.kind === 'sync' && event.tab === process.tab) return
    this.happened(`meanwhile: ${event.kind === 'sync' ? 'another tab' : event.kind}`)
    await this.#onInterruption(event)
  }

  #makeListingLate(): void {
    const lagMs = this.circumstances.listingLagMs
    for (const mailbox of this.account.mailboxes) mailbox.isListingLate = true
    this.account.listen(({ event, mailbox }) => {
      if (event.kind !== 'arrived') return
      this.happened('late listing')
      this.clock.setAlarm(lagMs, () => mailbox.listArrivals())
    })
  }
}
