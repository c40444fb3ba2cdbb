/** Plays a scenario of the crash sweep, disturbed at one place or not at all, and says how it ended. */

import { type MailboxView, type MessageView, UidSet } from '@tidemail/core'
import type { MailEngine } from '@tidemail/engine'
import { messageIdIn, serverContent } from './equality.ts'
import type { Finding } from './finding.ts'
import type { Circumstances, KillMoment } from './history.ts'
import { checkEnd, giveUp, parkedEntries, syncUntilDone } from './rest.ts'
import type { Scenario, ScenarioAct, ScenarioEvent } from './scenario.ts'
import { ALWAYS_THERE, type ScenarioEnd } from './scenario-end.ts'
import { idOf, messageCalled } from './scenario-message.ts'
import { ScenarioUser } from './scenario-user.ts'
import { type Disturbance, UNDISTURBED } from './simulated-process.ts'
import { SimulatedWorld } from './simulated-world.ts'

/** Something that befalls one event of a scenario. */
export interface Blow {
  readonly event: number
  readonly disturbance: Disturbance
}

export interface PlayedScenario {
  readonly findings: readonly Finding[]
  readonly story: readonly string[]
  readonly end: ScenarioEnd
  readonly passed: readonly Passed[]
}

/** How often each moment to die came in an event, and how many steps were sent that change the server. */
export interface Passed extends Readonly<Record<KillMoment, number>> {
  readonly mutations: number
}

export async function playScenario(scenario: Scenario, tier: string, blow: Blow | null): Promise<PlayedScenario> {
  const stage = new Stage(scenario, tier)
  const passed: Passed[] = []
  await stage.world.sync(0)
  for (const [i, event] of scenario.events.entries()) {
    stage.world.story.push(event.text)
    const disturbance = blow?.event === i ? blow.disturbance : UNDISTURBED
    passed.push(await stage.happen(event, disturbance))
  }
  const { world } = stage
  world.calm()
  await syncUntilDone(world)
  const parked = await parkedEntries(world)
  const content = serverContent(world.account)
  if (parked.length > 0) await giveUp(world, parked)
  await checkEnd(world)
  const parkedFor = parked.flatMap(({ progress }) => progress.flatMap((group) => group.parkedFor ?? [])).sort()
  return { findings: world.findings, story: world.story, end: { content, parkedFor }, passed }
}

class Stage {
  readonly world: SimulatedWorld

  constructor({ boxes }: Scenario, tier: string) {
    const circumstances: Circumstances = {
      tier,
      tabs: 1,
      latencyMs: 0,
      inFlightMax: 4,
      ghostLifeMs: 150,
      listingLagMs: 0,
      isLonely: false,
      bodies: 'none',
    }
    const mailboxes = [...new Set([...ALWAYS_THERE, ...boxes.map(({ path }) => path)])].filter((path) => path !== 'INBOX')
    this.world = new SimulatedWorld(circumstances, { mailboxes })
    const { account, clock, ledger } = this.world
    for (const { path, messages } of boxes) {
      for (const { name, flags } of messages) {
        ledger.meet(idOf(name))
        account.open(path).append([{ bytes: messageCalled(name), flags, internalDate: clock.now() }])
      }
    }
  }

  /** What is cut short is done again, unless it had been done. */
  async happen(event: ScenarioEvent, disturbance: Disturbance): Promise<Passed> {
    const { world } = this
    const process = world.process(0)
    const passedSoFar = (): Passed => ({ ...process.passed, mutations: world.mutations.length })
    if (event.by === 'rival') this.#rivalActs(event.act)
    else if (event.by === 'sync') {
      const report = await world.sync(0, disturbance)
      const passed = passedSoFar()
      if (report?.outcome !== 'done') await syncUntilDone(world)
      return passed
    } else {
      const logBefore = this.#log()
      const act = (engine: MailEngine): Promise<void> => this.#userActs(engine, event.act)
      const survived = await world.live(0, disturbance, act)
      const passed = passedSoFar()
      if (!survived && this.#log() === logBefore) await world.live(0, UNDISTURBED, act)
      return passed
    }
    return passedSoFar()
  }

  /** Changes whenever an operation was accepted or taken back. */
  #log(): string {
    const { entries, nextSeq } = this.world.disk.state
    return `${nextSeq} ${[...entries.keys()]}`
  }

  async #userActs(engine: MailEngine, act: ScenarioAct): Promise<void> {
    const mailboxes = await engine.mailboxes()
    const named = act.verb === 'draft' ? [act.replaces].filter((name) => name !== null) : 'names' in act ? act.names : []
    const references = (await this.#messages(engine, mailboxes, named)).map(({ reference }) => reference)
    const to = 'path' in act ? (mailboxes.find(({ path }) => path === act.path) ?? null) : null
    await new ScenarioUser(engine, this.world.ledger).act(act, { references, to })
  }

  /** The first message of each of these Message-IDs. */
  async #messages(engine: MailEngine, mailboxes: readonly MailboxView[], names: readonly string[]): Promise<MessageView[]> {
    const shown: MessageView[] = []
    for (const { id } of mailboxes) shown.push(...(await engine.page({ mailboxId: id, limit: 100 })).messages)
    return names.flatMap((wanted) => shown.find(({ envelope }) => envelope.messageId === idOf(wanted)) ?? [])
  }

  #rivalActs(act: ScenarioAct): void {
    const { account, clock, ledger } = this.world
    const ids = 'names' in act ? act.names.map(idOf) : []
    for (const mailbox of account.mailboxes) {
      const uids = UidSet.from(mailbox.messages.filter(({ bytes }) => ids.includes(messageIdIn(bytes))).map(({ uid }) => uid))
      if (act.verb === 'flag') {
        mailbox.store(uids, { direction: 'add', flags: act.add })
        mailbox.store(uids, { direction: 'remove', flags: act.remove })
      } else if (act.verb === 'mark') {
        ledger.allowMarking(ids)
        mailbox.store(uids, { direction: 'add', flags: ['\\Deleted'] })
      } else if (act.verb === 'expunge') {
        ledger.allowLoss(ids)
        mailbox.remove(uids)
      } else if (act.verb === 'move' && mailbox.path !== act.path && !uids.isEmpty) {
        account.move(mailbox, uids, act.path)
        return
      }
    }
    if (act.verb === 'append') {
      for (const id of ids) ledger.meet(id)
      account
        .open(act.path)
        .append(act.names.map((name) => ({ bytes: messageCalled(name), flags: [], internalDate: clock.now() })))
    } else if (act.verb === 'bump') account.open(act.path).bumpUidValidity()
    else if (act.verb === 'forget') account.open(act.path).forgetExpunges()
    else if (act.verb === 'create') account.create(act.path)
    else if (act.verb === 'delete') {
      ledger.allowLoss(account.open(act.path).messages.map(({ bytes }) => messageIdIn(bytes)))
      account.delete(act.path)
    }
  }
}
