/** Two sessions of one account, by which a server is examined: one looks, the other is somebody else. */

import type {
  BodyId,
  BodySource,
  Clock,
  DistrustedCapability,
  Done,
  MailboxIdentity,
  Observation,
  Random,
  Remote,
  RemoteSession,
  ServerProfile,
  Step,
} from '@tidemail/core'

/** `own` looks, `rival` is another client of the same account; `old` is one that does not know of UIDPLUS. */
export type Who = 'own' | 'rival' | 'old'

/** A check cannot go on: something that it is not about failed. */
export class CheckStopped extends Error {
  override readonly name = 'CheckStopped'
}

/** A check needs another mailbox, and the server lets none be made. */
export class MailboxRefused extends CheckStopped {
  readonly reason: string

  constructor(reason: string) {
    super(`No second mailbox could be made: ${reason}`)
    this.reason = reason
  }
}

export interface BenchOptions {
  readonly remote: Remote
  readonly clock: Clock
  readonly random: Random
  readonly signal: AbortSignal
}

const WITHOUT_UIDPLUS: readonly DistrustedCapability[] = [
  {
    ...{ capability: 'UIDPLUS', reason: 'UID EXPUNGE was refused', learntBy: 'examination' },
    ...{ since: 0, expiresAt: Number.MAX_SAFE_INTEGER },
  },
]

/** Connects when a session is needed, and anew when it has ended. */
export class TwoSessions {
  readonly options: BenchOptions
  /** The messages to append. */
  protected readonly bytes: Map<BodyId, Uint8Array> = new Map()
  readonly #sessions = new Map<Who, RemoteSession>()
  readonly #open = new Map<Who, MailboxIdentity>()
  #signal: AbortSignal
  #server: ServerProfile | null = null

  constructor(options: BenchOptions) {
    this.options = options
    this.#signal = options.signal
  }

  /** What the first session found. */
  get server(): ServerProfile {
    if (this.#server === null) throw new CheckStopped('There was no connection yet.')
    return this.#server
  }

  get clock(): Clock {
    return this.options.clock
  }

  get signal(): AbortSignal {
    return this.#signal
  }

  has(capability: string): boolean {
    return this.server.capabilities.includes(capability)
  }

  /** From now on the sessions stop when this signal aborts. */
  obey(signal: AbortSignal): void {
    this.#signal = signal
  }

  /** Ends the sessions; the next step makes new ones. */
  async hangUp(): Promise<void> {
    const sessions = [...this.#sessions.values()]
    this.#sessions.clear()
    this.#open.clear()
    await Promise.all(sessions.map((session) => session.close()))
  }

  async session(who: Who): Promise<RemoteSession> {
    const before = this.#sessions.get(who)
    if (before !== undefined && before.ended === null) return before
    this.#open.delete(who)
    const session = await this.options.remote.connect(this.#signal, who === 'old' ? WITHOUT_UIDPLUS : [])
    this.#sessions.set(who, session)
    this.#server ??= session.server
    return session
  }

  /** All that was observed; a refusal is for the check to judge. @throws CheckStopped when a step has no answer */
  async run(who: Who, ...steps: readonly Step[]): Promise<readonly Observation[]> {
    const session = await this.session(who)
    const observations: Observation[] = []
    for await (const item of session.run(steps, { bodies: this.#bodies(), signal: this.#signal })) {
      observations.push(item)
      if (item.kind === 'opened') this.#open.set(who, item.mailbox)
    }
    const unanswered = endingsIn(observations).find(({ outcome }) => outcome === 'unknown' || outcome === 'not-sent')
    if (unanswered === undefined) return observations
    throw new CheckStopped(session.ended?.text ?? 'A step was not answered.')
  }

  /** As {@link run}, for steps that must succeed. @throws CheckStopped */
  async must(who: Who, ...steps: readonly Step[]): Promise<readonly Observation[]> {
    const observations = await this.run(who, ...steps)
    const refused = refusalIn(observations)
    if (refused === null) return observations
    const kind = steps.find(({ id }) => id === refused.id)?.kind ?? 'step'
    throw new CheckStopped(`The server refused ${kind}: ${refused.rejection?.text || refused.outcome}`)
  }

  /** The mailbox that the session has open. @throws CheckStopped */
  protected opened(who: Who): MailboxIdentity {
    const mailbox = this.#open.get(who)
    if (mailbox === undefined) throw new CheckStopped('No mailbox is open.')
    return mailbox
  }

  #bodies(): BodySource {
    return { bytes: (id) => Promise.resolve(this.bytes.get(id) ?? new Uint8Array()) }
  }
}

export function endingsIn(observations: readonly Observation[]): readonly Done[] {
  return observations.filter((item): item is Done => item.kind === 'done')
}

/** The first step that did not succeed. */
export function refusalIn(observations: readonly Observation[]): Done | null {
  return endingsIn(observations).find(({ outcome }) => outcome !== 'ok') ?? null
}
