/** Whatever becomes of connections and processes, the server ends as a naive model in which each operation is done at once, in the user's order (H-20). */

import { type Flag, type MessageReference, type MessageView, normaliseFlags, type Step, SyncError } from '@tidemail/core'
import type { MailEngine } from '@tidemail/engine'
import type { Extension, StepFault } from '@tidemail/testing/simulated'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ReviewWorld } from './review/review-world.ts'
import { SeededRandom } from './virtual-time.ts'

const PATHS = ['INBOX', 'Archive', 'Work'] as const
type Path = (typeof PATHS)[number]
const FLAGS: readonly Flag[] = ['\\Seen', '\\Flagged', '$Work']
const MUTATING: readonly Step['kind'][] = ['store', 'copy', 'move', 'expunge']
const BUSY: StepFault = { kind: 'reject', rejection: { status: 'NO', code: 'INUSE', text: 'Busy.' } }
/** More than one refusal of the same operation may park it, which a model that is naive does not know. */
const FAULTS: readonly StepFault[] = ['cut', 'lose-request', 'lose-answer', 'ghost', BUSY]

interface Change {
  readonly add: readonly Flag[]
  readonly remove: readonly Flag[]
  readonly isBound: boolean
}
type Deed =
  | { readonly kind: 'flag'; readonly on: number; readonly change: Change }
  | { readonly kind: 'move' | 'copy'; readonly on: number; readonly to: Path }
  | { readonly kind: 'expunge'; readonly on: number }
  /** The process dies at the nth commit of the synchronisation; null: it lives. */
  | { readonly kind: 'sync'; readonly death: number | null }

/** Which of the messages in view, bit by bit. */
const on = fc.integer({ min: 1, max: 63 })
const flags = fc.subarray([...FLAGS], { maxLength: 2 })
const change = fc
  .record({ add: flags, remove: flags, isBound: fc.boolean() })
  .map(({ remove, ...rest }): Change => ({ ...rest, remove: remove.filter((flag) => !rest.add.includes(flag)) }))
const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('flag'), on, change }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('move', 'copy'), on, to: fc.constantFrom(...PATHS) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('expunge'), on }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('sync'), death: fc.option(fc.nat(6)) }) },
)

interface History {
  readonly deeds: readonly Deed[]
  /** What befalls steps that change the server, by number. */
  readonly faults: readonly { readonly at: number; readonly fault: StepFault }[]
}

const history: fc.Arbitrary<History> = fc.record({
  deeds: fc.array(deed, { minLength: 1, maxLength: 8 }),
  faults: fc.uniqueArray(fc.record({ at: fc.nat(8), fault: fc.constantFrom(...FAULTS) }), {
    maxLength: 3,
    selector: ({ fault }) => fault,
  }),
})

const SERVERS: Readonly<Record<string, readonly Extension[]>> = {
  everything: [],
  'no MOVE': ['MOVE'],
  'no QRESYNC': ['QRESYNC'],
  'no mod-sequences': ['CONDSTORE'],
}

describe.each(Object.entries(SERVERS))('%s', (_, without) => {
  it('ends as if everything had been done at once', async () => {
    // Verifies: H-20, I-LOG-3, I-SYNC-1
    const numRuns = process.env['TIDEMAIL_CAMPAIGN'] === undefined ? 100 : 20_000
    await fc.assert(
      fc.asyncProperty(history, (one) => live(one, without)),
      { numRuns },
    )
  }, 1_800_000)
})

/** Path and Message-ID of each message, with its flags: no two of the same message are in one mailbox. */
type Model = Map<string, ReadonlySet<Flag>>

async function live({ deeds, faults }: History, without: readonly Extension[]): Promise<void> {
  const world = new ReviewWorld({ without })
  world.arrive('INBOX', 3)
  let opened = 0
  const open = (): Promise<MailEngine> => {
    opened += 1
    // Ids must differ from those of the processes before.
    return world.open({ random: new SeededRandom(opened) })
  }
  let engine = await open()
  await world.settle(engine)
  let sent = -1
  world.remote.fault = ({ kind }) => {
    if (MUTATING.includes(kind)) sent += 1
    return (MUTATING.includes(kind) && faults.find(({ at }) => at === sent)?.fault) || 'pass'
  }
  const model: Model = new Map((await inView(engine)).map((shown) => [keyOf(shown), new Set(shown.view.flags)]))
  for (const one of deeds) {
    if (one.kind !== 'sync') await act(engine, one, model)
    else if (await hasDied(world, engine, one.death)) engine = await open()
  }
  expect(await world.settle(engine, 15)).toBe('done')
  expect(await world.waiting(engine)).toEqual([])
  const wanted = [...model].map(([key, some]) => line(key, [...some])).sort()
  expect(onServer(world)).toEqual(wanted)
  expect((await inView(engine)).map((shown) => line(keyOf(shown), shown.view.flags)).sort()).toEqual(wanted)
  await engine.close()
}

/** Every engine that stays is at rest. */
async function hasDied(world: ReviewWorld, engine: MailEngine, death: number | null): Promise<boolean> {
  let commits = 0
  let isDead = false
  world.beforeCommit = () => {
    isDead ||= commits === death
    commits += 1
    if (isDead) throw new Error('The process died.')
  }
  await engine.syncOnce().catch(() => null)
  world.beforeCommit = () => {}
  if (!isDead) return false
  world.remote.disconnectAll()
  await engine.close().catch(() => null)
  return true
}

async function act(engine: MailEngine, one: Exclude<Deed, { readonly kind: 'sync' }>, model: Model): Promise<void> {
  const chosen = (await inView(engine)).filter((__, i) => ((one.on >> i) & 1) === 1)
  const isElsewhere = ({ id }: Shown): boolean => 'to' in one && !model.has(keyOf({ id, path: one.to }))
  const messages = 'to' in one ? chosen.filter(isElsewhere) : chosen
  // Of two copies, one would meet the other in the mailbox.
  if (messages.length === 0 || new Set(messages.map(({ id }) => id)).size < messages.length) return
  if (!(await isAccepted(begin(engine, one, messages)))) return
  for (const message of messages) {
    const before = model.get(keyOf(message)) ?? new Set()
    if (one.kind === 'flag') model.set(keyOf(message), changed(before, one.change))
    if ('to' in one) model.set(keyOf({ id: message.id, path: one.to }), before)
    if (one.kind === 'move' || one.kind === 'expunge') model.delete(keyOf(message))
  }
}

async function begin(
  engine: MailEngine,
  one: Exclude<Deed, { readonly kind: 'sync' }>,
  messages: readonly Shown[],
): Promise<unknown> {
  const references = messages.map(({ view }): MessageReference => view.reference)
  if (one.kind === 'expunge') return engine.expunge(references).accepted
  if (one.kind !== 'flag') return engine[one.kind](references, (await engine.mailbox(one.to)).id).accepted
  const { add, isBound, remove } = one.change
  // A condition is on messages that the server has named.
  const isNamed = references.every(({ kind }) => kind === 'stored')
  return engine.flag(references, { add, remove, ...(isBound && isNamed ? { when: 'unchanged' } : {}) }).accepted
}

/** What cannot be asked says so; and nothing of it is asked. */
async function isAccepted(accepted: Promise<unknown>): Promise<boolean> {
  return accepted.then(
    () => true,
    (error: unknown) => {
      if (error instanceof SyncError && error.code.startsWith('input.')) return false
      throw error
    },
  )
}

function changed(before: ReadonlySet<Flag>, { add, remove }: Change): ReadonlySet<Flag> {
  return new Set([...[...before].filter((flag) => !remove.includes(flag)), ...add])
}

interface Shown {
  readonly path: Path
  readonly id: string
  readonly view: MessageView
}

async function inView(engine: MailEngine): Promise<readonly Shown[]> {
  const pages = await Promise.all(
    PATHS.map(async (path) => {
      const { messages } = await engine.page({ mailboxId: (await engine.mailbox(path)).id, limit: 100 })
      return messages.map((view): Shown => ({ path, id: view.envelope.messageId ?? '', view }))
    }),
  )
  return pages.flat()
}

function keyOf({ id, path }: Pick<Shown, 'id' | 'path'>): string {
  return `${path} ${id}`
}

function onServer({ account }: ReviewWorld): string[] {
  const idIn = (bytes: Uint8Array): string => /^Message-ID: (.*)\r$/m.exec(new TextDecoder().decode(bytes))?.[1] ?? ''
  return account.mailboxes
    .flatMap(({ messages, path }) => messages.map((one) => line(`${path} ${idIn(one.bytes)}`, one.flags)))
    .sort()
}

function line(key: string, some: readonly Flag[]): string {
  return [key, ...normaliseFlags(some.filter((flag) => flag !== '\\Recent')).toSorted()].join(' ')
}
