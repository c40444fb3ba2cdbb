/** The user of a scenario: asks the engine for what the line says, and enters it in the ledger. */

import type { MailboxView, MessageReference } from '@tidemail/core'
import type { MailEngine, OperationHandle } from '@tidemail/engine'
import type { Ledger } from './ledger.ts'
import type { ScenarioAct } from './scenario.ts'
import { idOf, messageCalled } from './scenario-message.ts'
import { allowRepeat, discard } from './user-acts.ts'

/** What the names of an act stand for: messages in view, and the mailbox; null where there is none of that path. */
export interface ScenarioObjects {
  readonly references: readonly MessageReference[]
  readonly to: MailboxView | null
}

type OnMailbox = { readonly verb: 'rename'; readonly to: string } | { readonly verb: 'delete' | 'subscribe' | 'unsubscribe' }

export class ScenarioUser {
  readonly #engine: MailEngine
  readonly #ledger: Ledger

  constructor(engine: MailEngine, ledger: Ledger) {
    this.#engine = engine
    this.#ledger = ledger
  }

  async act(act: ScenarioAct, objects: ScenarioObjects): Promise<void> {
    switch (act.verb) {
      case 'undo':
      case 'retry':
      case 'discard':
      case 'retarget':
        return this.#decide(act.verb, objects.to)
      case 'create':
        this.#ledger.askForMailbox('create', act.path)
        await this.#engine.createMailbox(act.path).accepted
        return
      case 'rename':
      case 'delete':
      case 'subscribe':
      case 'unsubscribe':
        if (objects.to !== null) await this.#onMailbox(act, objects.to).accepted
        return
      case 'bump':
      case 'forget':
        return
      default:
        for (const handle of this.#onMessages(act, objects)) await handle.accepted
    }
  }

  #onMessages(
    act: Extract<ScenarioAct, { readonly names: unknown }>,
    { references, to }: ScenarioObjects,
  ): readonly OperationHandle[] {
    const [engine, ledger] = [this.#engine, this.#ledger]
    const ids = act.names.map(idOf)
    if (act.verb === 'flag') {
      ledger.askFlags(ids, act)
      return [engine.flag(references, act)]
    }
    if (act.verb === 'expunge') {
      ledger.ask('expunge', ids)
      return [engine.expunge(references)]
    }
    if (to === null || act.verb === 'mark') return []
    switch (act.verb) {
      case 'move':
        ledger.ask('move', ids)
        return [engine.move(references, to.id)]
      case 'copy':
        ledger.ask('copy', ids)
        return [engine.copy(references, to.id)]
      case 'trash':
        for (const deed of ['move', 'expunge'] as const) ledger.ask(deed, ids)
        return [engine.delete(references, { to: to.id })]
      case 'append':
        ledger.ask('append', ids)
        return act.names.map((name) => engine.append({ to: to.id, bytes: messageCalled(name) }))
      case 'submit':
        ledger.ask('append', ids)
        for (const id of ids) ledger.submissions.ask(id)
        return act.names.map((name) =>
          engine.submit({
            bytes: messageCalled(name),
            sender: 'a@sweep.example',
            recipients: ['b@sweep.example'],
            saveTo: to.id,
          }),
        )
      case 'draft': {
        ledger.ask('append', ids)
        if (act.replaces !== null) for (const id of ids) ledger.askReplacement(id, [idOf(act.replaces)])
        const [before] = references
        const replaces = before === undefined ? {} : { replaces: before }
        return act.names.map((name) => engine.saveDraft({ to: to.id, bytes: messageCalled(name), ...replaces }))
      }
    }
  }

  #onMailbox(act: OnMailbox, { id }: MailboxView): OperationHandle {
    const [engine, ledger] = [this.#engine, this.#ledger]
    switch (act.verb) {
      case 'rename':
        ledger.askForMailbox('rename', act.to)
        return engine.renameMailbox(id, act.to)
      case 'delete':
        ledger.askForMailbox('delete', '')
        return engine.deleteMailbox(id)
      case 'subscribe':
        return engine.subscribe(id)
      case 'unsubscribe':
        return engine.unsubscribe(id)
    }
  }

  /** What is decided already, because the process died only then, is not decided again. */
  async #decide(verb: 'undo' | 'retry' | 'discard' | 'retarget', to: MailboxView | null): Promise<void> {
    const [engine, ledger] = [this.#engine, this.#ledger]
    const entries = await engine.entries()
    if (verb === 'undo') {
      const last = entries.at(-1)
      if (last?.operation.kind === 'append') ledger.allowLoss([last.operation.message.envelope.messageId ?? ''])
      if (last !== undefined) await engine.undo(last.seq)
      return
    }
    const parked = entries.find(({ progress }) => progress.some(({ state }) => state === 'parked'))
    if (parked === undefined) return
    if (verb === 'discard') return discard(engine, ledger, parked.seq)
    allowRepeat(ledger, parked)
    if (verb === 'retry') await engine.retry(parked.seq)
    else if (to !== null) await engine.retarget(parked.seq, to.id)
  }
}
