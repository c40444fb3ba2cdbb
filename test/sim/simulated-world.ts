/** One seeded world: our engine, a mail server, a rival client, and everything that can go wrong between them. */

import { accountId, type MessageStore, type MessageView, SyncError, UidSet } from '@tidemail/core'
import { createMailEngine, type MailEngine } from '@tidemail/engine'
import {
  type Extension,
  MemoryDisk,
  MemoryMessageStore,
  ModelAccount,
  type ModelMailbox,
  SimulatedRemote,
  type StepFault,
} from '@tidemail/testing/simulated'
import { dyingStore, ProcessDied } from './dying-store.ts'
import { type NormalForm, serverForm, storeForm } from './equality.ts'
import { SeededRandom, VirtualClock } from './virtual-time.ts'

const ME = accountId('me')
const MAILBOXES = ['INBOX', 'Archive', 'Work'] as const
const FLAGS = ['\\Seen', '\\Flagged', '\\Answered', '$Work'] as const
const FAULTS: readonly StepFault[] = [
  'cut',
  'lose-request',
  'lose-answer',
  'lose-tail',
  'ghost',
  'reject',
  { kind: 'reject', rejection: { status: 'NO', code: 'INUSE', text: 'Busy.' } },
  { kind: 'reject', rejection: { status: 'NO', code: 'OVERQUOTA', text: 'Full.' } },
  { kind: 'reject', rejection: { status: 'NO', code: 'CANNOT', text: 'Never.' } },
]
const SYNCS_TO_CONVERGE_MAX = 30
/** How long after its connection ended the server still carries out what it had received: less than the engine waits. */
const GHOST_LIFE_MS = 1_500

/** What became of the world at its end. */
export interface Ending {
  readonly store: NormalForm
  readonly server: NormalForm
  /** Entries that the user would have to decide on, and why. */
  readonly undecided: number
  readonly parkedFor: readonly string[]
  readonly pending: number
  /** What waits, for the one who reads a failure. */
  readonly log: string
  /** Copies on the server of each message, by Message-ID. */
  readonly copies: ReadonlyMap<string, number>
  readonly ledger: ReadonlyMap<string, Expected>
}

/** What was done to a message, by us and by the rival. */
export interface Expected {
  /** How many there may be: one, and one more for each copy that was asked for. */
  copiesMax: number
  /** Whether anybody asked to remove one. */
  isRemovable: boolean
}

export interface WorldOptions {
  readonly seed: number
  readonly without: readonly Extension[]
  readonly events: number
}

/** A world that lives through random events and then comes to rest. */
export class SimulatedWorld {
  readonly random: SeededRandom
  readonly clock = new VirtualClock()
  readonly account = new ModelAccount({ mailboxes: { Archive: 'archive', Work: null } })
  readonly remote: SimulatedRemote
  readonly disk = new MemoryDisk()
  readonly ledger = new Map<string, Expected>()
  readonly story: string[] = []
  /** What hardly ever happens, and did. */
  readonly upheavals: Set<string> = new Set()
  private readonly options: WorldOptions
  private engine: MailEngine | null = null
  private messages = 0
  private ghostSince: number | null = null

  constructor(options: WorldOptions) {
    this.options = options
    this.random = new SeededRandom(options.seed)
    this.remote = new SimulatedRemote({
      account: this.account,
      clock: this.clock,
      without: options.without,
      inFlightMax: this.random.pick([1, 4]),
    })
    this.clock.beforeMove = (to) => {
      if (this.ghostSince !== null && to - this.ghostSince >= GHOST_LIFE_MS) this.layGhosts()
    }
    for (let i = 0; i < 12; i += 1) this.rivalAppends()
  }

  async live(): Promise<Ending> {
    for (let i = 0; i < this.options.events; i += 1) await this.event()
    this.remote.fault = () => 'pass'
    this.layGhosts()
    for (let tries = 0; tries < SYNCS_TO_CONVERGE_MAX; tries += 1) {
      if (await this.sync()) break
      this.clock.advance(120_000)
    }
    return this.ending()
  }

  private async event(): Promise<void> {
    this.clock.advance(this.random.below(5_000))
    const kind = this.random.below(10)
    if (kind < 4) await this.userActs()
    else if (kind < 6) this.rivalActs()
    else if (kind < 7) await this.crash()
    else {
      const rate = this.random.pick([0, 0.05, 0.2])
      this.remote.fault = () => (this.random.chance(rate) ? this.befall() : 'pass')
      this.account.moveStopsAfter = this.random.pick([null, null, 1])
      await this.sync()
      this.account.moveStopsAfter = null
    }
  }

  private befall(): StepFault {
    const fault = this.random.pick(FAULTS)
    if (fault === 'ghost') this.ghostSince ??= this.clock.now()
    return fault
  }

  /** The server carries out what it had received from connections that are gone. */
  private layGhosts(): void {
    this.ghostSince = null
    this.remote.releaseGhosts()
  }

  private async sync(): Promise<boolean> {
    const engine = await this.open()
    try {
      const report = await engine.syncOnce()
      this.story.push(`sync ${report.outcome}${report.problems.map((problem) => ` ${problem.message}`).join('')}`)
      return report.outcome === 'done'
    } catch (error) {
      if (error instanceof ProcessDied) return false
      if (!(error instanceof SyncError) || error.code === 'engine.bug') throw error
      this.story.push(`sync stopped: ${error.code}`)
      return false
    }
  }

  /** The process dies at a commit of its next synchronisation: what is in memory is gone, what the store said to be written is there. */
  private async crash(): Promise<void> {
    await this.engine?.close()
    const death = { atCommit: this.random.below(8), moment: this.random.pick(['before', 'after'] as const) }
    const store = dyingStore(this.openStore(), death)
    this.engine = await this.openEngine(store).catch(() => null)
    this.story.push(`dies ${death.moment} commit ${death.atCommit}`)
    await this.sync()
    this.remote.disconnectAll()
    await this.engine?.close().catch(() => {})
    this.engine = null
  }

  private async open(): Promise<MailEngine> {
    this.engine ??= await this.openEngine(this.openStore())
    return this.engine
  }

  private openStore(): MessageStore {
    return new MemoryMessageStore({ disk: this.disk, clock: this.clock })
  }

  private openEngine(store: MessageStore): Promise<MailEngine> {
    return createMailEngine({
      store,
      remote: this.remote,
      account: { id: ME, host: 'mail.example', user: 'me' },
      policy: { bodies: 'none' },
      clock: this.clock,
      random: this.random,
    })
  }

  private async userActs(): Promise<void> {
    const engine = await this.open()
    const mailboxes = await engine.mailboxes()
    if (mailboxes.length === 0) return
    const mailbox = this.random.pick(mailboxes)
    const { messages } = await engine.page({ mailboxId: mailbox.id, limit: 100 })
    const chosen = messages.filter(() => this.random.chance(0.2))
    const kind = this.random.pick(['flag', 'flag', 'move', 'copy', 'expunge', 'append', 'undo'] as const)
    this.story.push(`user ${kind} ${mailbox.path} ${chosen.map(nameOf).join(',')}`)
    if (kind === 'append') await this.userAppends(engine, mailbox.id)
    else if (kind === 'undo') await this.userTakesBack(engine)
    else if (chosen.length > 0) await this.userChanges(engine, kind, chosen, this.random.pick(mailboxes).id)
  }

  private async userAppends(engine: MailEngine, to: MessageView['mailboxId']): Promise<void> {
    const { bytes } = this.newMessage()
    await engine.append({ to, bytes, flags: [this.random.pick(FLAGS)] }).accepted
  }

  private async userTakesBack(engine: MailEngine): Promise<void> {
    const entries = (await engine.entries()).filter((entry) => entry.operation.kind === 'flag')
    const last = entries.at(-1)
    if (last === undefined) return
    await engine.undo(last.seq).catch((error: unknown) => {
      if (!(error instanceof SyncError) || error.code !== 'input.not-undoable') throw error
    })
  }

  private async userChanges(
    engine: MailEngine,
    kind: 'flag' | 'move' | 'copy' | 'expunge',
    chosen: readonly MessageView[],
    to: MessageView['mailboxId'],
  ): Promise<void> {
    const references = chosen.map((message) => message.reference)
    const isElsewhere = chosen.every((message) => message.mailboxId !== to)
    if (kind === 'flag') {
      const flag = this.random.pick(FLAGS)
      await engine.flag(references, this.random.chance(0.6) ? { add: [flag] } : { remove: [flag] }).accepted
    } else if (kind === 'expunge') {
      for (const message of chosen) this.expectation(message).isRemovable = true
      await engine.expunge(references).accepted
    } else if (isElsewhere) {
      if (kind === 'copy') for (const message of chosen) this.expectation(message).copiesMax += 1
      await (kind === 'move' ? engine.move(references, to) : engine.copy(references, to)).accepted
    }
  }

  private rivalActs(): void {
    const mailbox = this.account.open(this.random.pick(MAILBOXES))
    const uids = UidSet.from(mailbox.messages.filter(() => this.random.chance(0.15)).map((message) => message.uid))
    const kind = this.random.pick(['append', 'append', 'flag', 'flag', 'expunge', 'move', 'upheaval'] as const)
    this.story.push(`rival ${kind} ${mailbox.path} ${uids}`)
    if (kind === 'append') this.rivalAppends()
    else if (kind === 'flag') {
      mailbox.store(uids, { direction: this.random.pick(['add', 'remove'] as const), flags: [this.random.pick(FLAGS)] })
    } else if (kind === 'expunge') {
      for (const message of mailbox.select(uids)) this.expected(messageIdIn(message.bytes)).isRemovable = true
      mailbox.remove(uids)
    } else if (kind === 'upheaval') {
      this.rivalUpsets(mailbox)
    } else {
      const to = this.random.pick(MAILBOXES.filter((path) => path !== mailbox.path))
      // Without MOVE ours is a copy first: when the rival takes the original away before we remove it, both moves have happened.
      const isSplit = this.options.without.includes('MOVE')
      for (const message of isSplit ? mailbox.select(uids) : []) this.expected(messageIdIn(message.bytes)).copiesMax += 1
      this.account.move(mailbox, uids, to)
    }
  }

  /** What hardly ever happens: a new UIDVALIDITY, a lost expunge log, a mailbox that comes or goes. */
  private rivalUpsets(mailbox: ModelMailbox): void {
    const extra = this.account.mailbox('Extra')
    const kind = this.random.pick(['uidvalidity', 'forget', 'mailbox'] as const)
    this.story.push(`  upheaval: ${kind}`)
    this.upheavals.add(kind)
    if (kind === 'forget') mailbox.forgetExpunges()
    else if (kind === 'mailbox' && extra === undefined) this.account.create('Extra')
    else if (kind === 'mailbox' && extra !== undefined) {
      for (const message of extra.messages) this.expected(messageIdIn(message.bytes)).isRemovable = true
      this.account.delete('Extra')
    } else if (this.random.chance(0.3)) mailbox.bumpUidValidity()
  }

  private rivalAppends(): void {
    const { bytes } = this.newMessage()
    const internalDate = Math.floor(this.clock.now() / 1000) * 1000
    this.account.open(this.random.pick(MAILBOXES)).append([{ bytes, flags: [], internalDate }])
  }

  private newMessage(): { readonly bytes: Uint8Array } {
    this.messages += 1
    const id = `<m${this.messages}@world.example>`
    this.ledger.set(id, { copiesMax: 1, isRemovable: false })
    const text = `From: a@world.example\r\nSubject: message ${this.messages}\r\nMessage-ID: ${id}\r\n\r\n${'x'.repeat(this.random.below(50))}\r\n`
    return { bytes: new TextEncoder().encode(text) }
  }

  private expectation(message: MessageView): Expected {
    return this.expected(message.envelope.messageId ?? '')
  }

  private expected(messageId: string): Expected {
    const found = this.ledger.get(messageId)
    if (found === undefined) throw new Error(`nobody made ${messageId}`)
    return found
  }

  private async ending(): Promise<Ending> {
    const engine = await this.open()
    const entries = await engine.entries()
    const parked = entries.filter((entry) => entry.progress.every((group) => group.state === 'parked'))
    const copies = new Map<string, number>()
    for (const mailbox of this.account.mailboxes) {
      for (const { bytes } of mailbox.messages) {
        const id = messageIdIn(bytes)
        copies.set(id, (copies.get(id) ?? 0) + 1)
      }
    }
    const store = await storeForm(new MemoryMessageStore({ disk: this.disk }), ME)
    await engine.close()
    return {
      store,
      server: serverForm(this.account),
      undecided: parked.length,
      parkedFor: entries.flatMap(({ progress }) => progress.flatMap(({ parkedFor }) => parkedFor ?? [])),
      pending: entries.length - parked.length,
      log: JSON.stringify(entries.map(({ seq, operation, progress }) => ({ seq, kind: operation.kind, progress }))),
      copies,
      ledger: this.ledger,
    }
  }
}

function messageIdIn(bytes: Uint8Array): string {
  return /^Message-ID: (.*)\r$/m.exec(new TextDecoder().decode(bytes))?.[1] ?? ''
}

function nameOf({ reference }: MessageView): string {
  return reference.kind === 'stored' ? String(reference.uid) : `local:${reference.local}`
}
