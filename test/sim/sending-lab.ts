/** A server with all the usual mailboxes, a disk, and engines on them, on a clock that moves whenever somebody waits. */

import { createMailEngine, type MailEngine, type MailEngineOptions } from '@tidemail/engine'
import {
  type Extension,
  MemoryDisk,
  MemoryMessageStore,
  ModelAccount,
  SimulatedRemote,
  type StepFault,
} from '@tidemail/testing/simulated'
import { ME, message } from './engine-lab.ts'
import { SeededRandom, VirtualClock } from './virtual-time.ts'

const SYNCS_TO_REST_MAX = 20

export class SendingLab {
  readonly clock = new VirtualClock()
  readonly account: ModelAccount
  readonly remote: SimulatedRemote
  readonly disk = new MemoryDisk()
  readonly #opened: MailEngine[] = []
  /** Ids must differ from those of the processes before. */
  #seed = 1

  constructor(without: readonly Extension[] = []) {
    this.account = new ModelAccount({
      mailboxes: { Archive: 'archive', Work: null, Drafts: 'drafts', Sent: 'sent', Trash: 'trash' },
    })
    this.remote = new SimulatedRemote({ account: this.account, clock: this.clock, without })
  }

  /** `count` messages in a mailbox of the server: `Message 1`, `Message 2` ... */
  fill(path: string, count: number): void {
    for (let number = 1; number <= count; number += 1) {
      const internalDate = this.clock.now() + number * 1000
      this.account.open(path).append([{ bytes: message(`Message ${number}`), flags: [], internalDate }])
    }
  }

  store(): MemoryMessageStore {
    return new MemoryMessageStore({ disk: this.disk, clock: this.clock })
  }

  async open(options: Partial<MailEngineOptions> = {}): Promise<MailEngine> {
    this.#seed += 1
    const engine = await createMailEngine({
      store: this.store(),
      remote: this.remote,
      account: ME,
      policy: { bodies: 'none' },
      clock: this.clock,
      random: new SeededRandom(this.#seed),
      ...options,
    })
    this.#opened.push(engine)
    return engine
  }

  async openSynchronised(options: Partial<MailEngineOptions> = {}): Promise<MailEngine> {
    const engine = await this.open(options)
    await engine.syncOnce()
    return engine
  }

  /** Until there is nothing left that can be done, whatever time that takes. */
  async rest(mail: MailEngine): Promise<void> {
    for (let tries = 0; tries < SYNCS_TO_REST_MAX; tries += 1) {
      if ((await mail.syncOnce().catch(() => null))?.outcome === 'done') return
      this.clock.advance(120_000)
    }
    throw new Error(`The engine came to no rest: ${JSON.stringify((await mail.entries()).map(({ progress }) => progress))}`)
  }

  /** The subjects of a mailbox on the server. */
  onServer(path: string): readonly string[] {
    const text = new TextDecoder()
    return this.account.open(path).messages.map(({ bytes }) => /^Subject: (.*)\r$/m.exec(text.decode(bytes))?.[1] ?? '')
  }

  /** What was sent that changes messages. */
  get kinds(): readonly string[] {
    const kinds = ['append', 'replace', 'store', 'copy', 'move', 'expunge']
    return this.remote.sent.map(({ step }) => step.kind).filter((kind) => kinds.includes(kind))
  }

  /** From now on this befalls the first steps of these kinds. */
  strike(fault: StepFault, kinds: readonly string[], times: number = 1): void {
    let left = times
    this.remote.fault = (step) => {
      if (left === 0 || !kinds.includes(step.kind)) return 'pass'
      left -= 1
      return fault
    }
  }

  async close(): Promise<void> {
    for (const engine of this.#opened) await engine.close().catch(() => {})
  }
}
