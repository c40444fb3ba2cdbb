/** Plays a history to its end, lets the world come to rest, and says what went wrong. */

import type { EntrySeq, MessageView } from '@tidemail/core'
import type { MailEngine } from '@tidemail/engine'
import { decodeReceipt, type Entry } from '@tidemail/replay-log'
import type { CoverageTable } from './coverage.ts'
import { type ContentForm, mailboxesIn, messagesIn, serverContent, viewContent, withoutFlags, withoutMarks } from './equality.ts'
import { isFault, losesAnswer } from './faults.ts'
import type { Finding } from './finding.ts'
import { describeEvent, type History, type HistoryEvent, type SyncEvent, type UserEvent } from './history.ts'
import { checkEnd, compare, giveUp, parkedEntries, syncUntilDone } from './rest.ts'
import { rivalAct, someOf } from './rival-acts.ts'
import { ME } from './simulated-process.ts'
import { SimulatedWorld } from './simulated-world.ts'
import { isExpected, type UserScene, userAct } from './user-acts.ts'
import { SeededRandom } from './virtual-time.ts'

const MESSAGES_AT_START = 12

export interface Played {
  readonly history: History
  readonly findings: readonly Finding[]
  readonly story: readonly string[]
  readonly coverage: CoverageTable
  /** Entries that the user had to decide on. */
  readonly undecided: number
}

export async function playHistory(history: History): Promise<Played> {
  const player = new Player(history)
  try {
    await player.play()
  } catch (error) {
    player.world.find({ check: 'crash', what: error instanceof Error ? `${error.stack}` : String(error) })
  }
  const { coverage, findings, story } = player.world
  return { history, findings, story, coverage: coverage.table, undecided: player.undecided }
}

class Player {
  readonly world: SimulatedWorld
  undecided = 0
  readonly #history: History
  /** What the user last saw, where nobody else was there. */
  #wanted: ContentForm | null = null
  #messages = 0
  readonly #draft: UserScene['draft'] = { last: null, ids: [] }
  /** The last act of the user, and what there was to see before it, where nobody else was there. */
  #last: { readonly seqs: readonly EntrySeq[]; readonly before: ContentForm | null } = { seqs: [], before: null }

  constructor(history: History) {
    this.#history = history
    this.world = new SimulatedWorld(history.circumstances, { onInterruption: (event) => this.#happen(event) })
    const random = new SeededRandom(history.seed)
    for (let i = 0; i < MESSAGES_AT_START; i += 1) this.#arrive(random)
    for (const mailbox of this.world.account.mailboxes) mailbox.listArrivals()
  }

  async play(): Promise<void> {
    const { world } = this
    for (const event of this.#history.events) {
      world.story.push(describeEvent(event))
      await this.#happen(event)
      if (world.findings.length > 0) return
    }
    world.story.push('--- rest')
    await this.#rest()
  }

  async #happen(event: HistoryEvent): Promise<void> {
    const { world } = this
    switch (event.kind) {
      case 'wait':
        world.clock.advance(event.delayMs)
        return
      case 'offline':
        world.happened('offline')
        world.goOffline(event.forMs)
        return
      case 'kill':
        if (world.process(event.tab).isBusy) return
        world.happened('killed between events')
        await world.process(event.tab).bury()
        return
      case 'rival':
        this.#rivalActs(event.act, new SeededRandom(event.seed))
        return
      case 'user':
        await this.#userActs(event)
        return
      case 'sync':
        await this.#sync(event)
    }
  }

  async #sync(event: SyncEvent): Promise<void> {
    const { world } = this
    if (world.process(event.tab).isBusy) return
    if (event.moveStopsAfter !== null) world.happened('MOVE stops part way')
    world.account.moveStopsAfter = event.moveStopsAfter
    const report = await world.sync(event.tab, event)
    world.account.moveStopsAfter = null
    const isWhole = report?.outcome === 'done' && world.circumstances.isLonely && world.hold === 'whole'
    if (isWhole && this.#wanted === null) this.#wanted = await this.#view()
  }

  async #userActs({ act, kill, seed, tab }: UserEvent): Promise<void> {
    const { world } = this
    const { isBusy } = world.process(tab)
    const task = async (engine: MailEngine): Promise<void> =>
      this.#act(engine, act, new SeededRandom(seed)).catch((error: unknown) => {
        passExpected(error)
        isRefused = true
      })
    // In the middle of a synchronisation of the same process it must not be disturbed twice.
    world.happened(`user: ${act}`)
    const { accepted } = world
    const { last, wanted } = { last: this.#last, wanted: this.#wanted }
    const newest = this.#newestEntry()
    let isRefused = false
    const uploads = world.uploaded.length
    const composed = world.composed.length
    try {
      if (isBusy) await task(await world.process(tab).open())
      else await world.live(tab, { faults: [], meanwhile: [], kill }, task)
    } finally {
      // What was not written yet when the process died was never accepted.
      if (world.accepted === accepted) {
        world.ledger.withdraw([...world.uploaded.slice(uploads).map(({ id }) => id), ...world.composed.slice(composed)])
      }
      if (this.#wanted !== null) this.#wanted = await this.#view()
    }
    const isTakenBack = act === 'take back' && !isRefused && last.seqs.length > 0
    if (isTakenBack && last.before !== null && this.#wanted !== null && kill === null)
      this.#checkTakenBack(last.before, this.#wanted)
    const seqs = act === 'undo' || act === 'take back' ? [] : this.#seqs().filter((seq) => seq > newest)
    this.#last = { seqs: seqs.toSorted((a, b) => a - b), before: wanted }
  }

  /** What the user did last and took back has left nothing behind, and taken nothing along (H-3). */
  #checkTakenBack(before: ContentForm, after: ContentForm): void {
    if (this.#isAnythingRefused()) return
    compare(this.world, 'H-3', this.#comparable(after), this.#comparable(before))
  }

  #seqs(): EntrySeq[] {
    const { entries, receipts } = this.world.disk.state
    return [...entries.values(), ...receipts.values()].map(({ seq }) => seq)
  }

  #newestEntry(): number {
    return this.#seqs().reduce((newest, seq) => Math.max(newest, seq), 0)
  }

  async #act(engine: MailEngine, name: UserEvent['act'], random: SeededRandom): Promise<void> {
    const { ledger, uploaded } = this.world
    const mailboxes = (await engine.mailboxes()).filter(({ isSelectable }) => isSelectable)
    if (mailboxes.length === 0) return
    const mailbox = random.pick(mailboxes)
    const { messages } = await engine.page({ mailboxId: mailbox.id, limit: 100 })
    const { isOnMessages, act } = userAct(name)
    // Sometimes the user acts on what was on the screen a while ago (H-18).
    const shown = random.chance(0.15) ? this.world.remembered : messages
    // And often on what waits already: that is where operations meet.
    const waiting = random.chance(0.3) ? shown.filter(({ isPending }) => isPending) : []
    const picked = pickSome(waiting.length > 0 ? waiting : shown, random)
    const chosen = this.#wanted === null ? picked : await stillShown(engine, picked)
    if (messages.length > 0) this.world.remembered = messages
    if (isOnMessages && chosen.length === 0) return
    this.world.story.push(`  ${mailbox.path} ${chosen.map(({ envelope }) => envelope.messageId).join(' ')}`)
    const newMessage = () => {
      const message = this.#newMessage(random)
      this.world.composed.push(message.id)
      return message
    }
    const { seqs } = this.#last
    await act({ engine, random, ledger, mailbox, mailboxes, chosen, newMessage, uploaded, draft: this.#draft, last: { seqs } })
  }

  #rivalActs(name: Parameters<typeof rivalAct>[0], random: SeededRandom): void {
    const { account, clock, isAnyoneBusy, ledger, without } = this.world
    const mailbox = random.pick(account.mailboxes)
    const chosen = someOf(mailbox, random, 0.15)
    const mayMeetExpunge = isAnyoneBusy && without.includes('UIDPLUS')
    const newMessage = () => this.#newMessage(random)
    const scene = { account, random, ledger, mailbox, chosen, now: clock.now(), mayMeetExpunge, newMessage }
    const { act, takesProof } = rivalAct(name)
    const hasActed = this.world.parkedChecks.whileOthersAct(mailbox, () => act(scene))
    if (hasActed && takesProof) this.world.parkedChecks.loseProof()
    if (hasActed) this.world.happened(`rival: ${name}`, `  ${mailbox.path} ${chosen}`)
  }

  #arrive(random: SeededRandom): void {
    const { account, clock, ledger } = this.world
    const { bytes, id } = this.#newMessage(random)
    ledger.meet(id)
    random.pick(account.mailboxes).append([{ bytes, flags: [], internalDate: clock.now() }])
  }

  #newMessage(random: SeededRandom): { readonly id: string; readonly bytes: Uint8Array } {
    this.#messages += 1
    const id = `<m${this.#messages}@world.example>`
    const text = `From: a@world.example\r\nSubject: message ${this.#messages}\r\nMessage-ID: ${id}\r\n\r\n${'x'.repeat(random.below(50))}\r\n`
    return { id, bytes: new TextEncoder().encode(text) }
  }

  #view(): Promise<ContentForm> {
    return viewContent(this.world.onDisk, ME)
  }

  /** No more faults, no rival: everything must end well (I-SYNC-1). */
  async #rest(): Promise<void> {
    const { world } = this
    world.calm()
    if (world.hold !== 'whole') {
      if (!(await syncUntilDone(world))) return
      // What was left out is fetched, and nothing of it is found to be otherwise than as if it had been here all the time.
      world.hold = 'whole'
      await world.process(0).bury()
    }
    if (!(await syncUntilDone(world))) return
    const parked = await parkedEntries(world)
    this.undecided = parked.length
    this.#checkReasons(parked)
    if (this.#wanted !== null && parked.length === 0 && !this.#isAnythingRefused()) this.#compareWithWanted(this.#wanted)
    if (parked.length > 0) await giveUp(world, parked)
    if (world.findings.length === 0) await checkEnd(world)
  }

  /** What the server refused too often for anyone to ask again was taken back in the view. */
  #isAnythingRefused(): boolean {
    return [...this.world.disk.state.receipts.values()].some((record) =>
      decodeReceipt(record).outcomes.some(({ outcome }) => outcome === 'rejected'),
    )
  }

  /**
   * The server holds what the user last saw. A flag whose answer was lost may show a moment later, when the server says so (ADR 3); and the mark of a
   * removal that was taken back comes off after that (ADR 12): whether one is left, `checkEnd` looks.
   */
  #compareWithWanted(wanted: ContentForm): void {
    const there = serverContent(this.world.account)
    compare(this.world, 'H-20', this.#comparable(there), this.#comparable(wanted))
    compare(this.world, 'H-20 of mailboxes', mailboxesIn(there), mailboxesIn(wanted))
  }

  #comparable(content: ContentForm): ContentForm {
    return messagesIn(this.world.hasLostAnswers ? withoutFlags(content) : withoutMarks(content))
  }

  /** Nothing is put to the user for a reason that nothing in the history gives. */
  #checkReasons(parked: readonly Entry[]): void {
    const { coverage } = this.world
    const hasSplitAnswers = this.world.without.includes('UIDPLUS')
    const happened = Object.keys(coverage.table)
    const causes: Readonly<Record<string, (what: string) => boolean>> = {
      'uidvalidity-changed': (what) => what === 'rival: new UIDVALIDITY' || what.startsWith('rival: mailbox'),
      'mailbox-gone': (what) => what.startsWith('rival: mailbox') || what.endsWith('a mailbox'),
      'not-permitted': (what) => hasSplitAnswers || what.startsWith('NO ['),
      'over-quota': (what) => what === 'NO [OVERQUOTA]',
      'rejected-repeatedly': (what) => what.startsWith('MOVE stops') || what === 'BAD' || what.startsWith('NO'),
      conflict: (what) => what === 'rival: flag' || what === 'rival: mark for deletion',
      uncertain: (what) =>
        hasSplitAnswers || what === 'rival: new UIDVALIDITY' || what.startsWith('killed') || (isFault(what) && losesAnswer(what)),
    }
    for (const { progress, seq } of parked) {
      for (const { parkedFor } of progress) {
        const cause = parkedFor === null ? undefined : causes[parkedFor]
        if (cause === undefined || happened.some(cause)) continue
        this.world.find({ check: 'reason', what: `entry ${seq} is parked for ${parkedFor}, which nothing explains` })
      }
    }
  }
}

/** At least one, where there is any. */
function pickSome(messages: readonly MessageView[], random: SeededRandom): MessageView[] {
  const picked = messages.filter(() => random.chance(0.2))
  return picked.length === 0 && messages.length > 0 ? [random.pick(messages)] : picked
}

async function stillShown(engine: MailEngine, messages: readonly MessageView[]): Promise<MessageView[]> {
  const found = await Promise.all(messages.map(({ reference }) => engine.message(reference)))
  return messages.filter((_, i) => found[i] !== null)
}

function passExpected(error: unknown): void {
  if (!isExpected(error)) throw error
}
