/** What the adapter and the engine make of answers that were changed on the way, by seeds: nothing crashes, nothing hangs, nothing is lost. */

import {
  type Clock,
  ERROR_CATALOGUE,
  type MessageReference,
  type Observation,
  type Remote,
  type RemoteSession,
  type Step,
  SyncError,
} from '@tidemail/core'
import { imapRemote } from '@tidemail/imap'
import { messageIdIn, serverForm, storeForm } from '@tidemail/simulator'
import { type Extension, ImapServer, MemoryMessageStore, type ModelAccount } from '@tidemail/testing'
import { describe, expect, it } from 'vitest'
import { ME, message } from '../sim/engine-lab.ts'
import { SeededRandom } from '../sim/virtual-time.ts'
import { type RecordedAnswers, recordAnswers, startAnswering } from './recorded-answers.ts'
import { MUTATION_KINDS, type MutationKind, ResponseMutator } from './response-mutator.ts'
import { BODIES, known, ManualClock, SECRET, step } from './scripted-session.ts'
import { WireAccount } from './wire-account.ts'

const IS_CAMPAIGN = process.env['TIDEMAIL_CAMPAIGN'] === 'all'
const ADAPTER_LINES_MIN = IS_CAMPAIGN ? 950_000 : 19_000
const ENGINE_LINES_MIN = IS_CAMPAIGN ? 50_000 : 1_000
const AT_A_TIME = 8
/** No session of the fuzz has more work than a fraction of this, also where others have the machine. */
const SESSION_MS_MAX = 30_000
/** Nothing was said for so long, in turns of the event loop too: nothing more is on its way, and time may pass. */
const QUIET_TURNS = 150
const QUIET_MS = 10
const DEADLINE_MS = 1_000
const MESSAGES = 60

describe('the adapter', () => {
  // Verifies: H-5, DC-4549-3.8
  it('ends every step once and says only what can be, whatever the server says', { timeout: 1_200_000 }, async () => {
    const recorded = await record()
    const tally: Tally = { sessions: 0, responses: 0, mutated: 0, kinds: {}, outcomes: {} }
    let seed = 0
    const play = async (): Promise<void> => {
      while (tally.mutated < ADAPTER_LINES_MIN) {
        seed += 1
        const mine = seed
        await playAdapterSeed(recorded, mine, tally).catch((error: unknown) => {
          throw new Error(`The adapter fails with seed ${mine}: ${String(error)}`, { cause: error })
        })
      }
    }
    await Promise.all(Array.from({ length: AT_A_TIME }, play))
    console.log(`Adapter: ${JSON.stringify(tally)}`)
    expectTried(tally.kinds, MUTATION_KINDS, { atLeast: 20 })
    expect(tally.outcomes['ok']).toBeGreaterThan(tally.sessions)
  })
})

describe('the engine', () => {
  // Verifies: H-5, DC-4549-3.8, I-SYNC-2
  it('loses nothing, and after honest answers is equal with the server', { timeout: 1_200_000 }, async () => {
    const tally: EngineTally = {
      runs: 0,
      mutated: 0,
      kinds: {},
      ended: {},
      verified: 0,
      incomplete: 0,
      unnoticed: 0,
      parked: 0,
    }
    for (let seed = 1; tally.mutated < ENGINE_LINES_MIN; seed += 1) {
      await within(SESSION_MS_MAX, playEngineSeed(seed, tally)).catch((error: unknown) => {
        throw new Error(`The engine fails with seed ${seed}: ${String(error)}`, { cause: error })
      })
    }
    console.log(`Engine: ${JSON.stringify(tally)}`)
    expectTried(tally.kinds, ['unasked', 'unknown code', 'shuffled', 'cut literal'], { atLeast: 1 })
    for (const what of RARE) expect(tally[what], what).toBeLessThanOrEqual(1 + tally.runs / RUNS_FOR_EACH_MIN[what])
  })
})

/** Responses changed, by how. */
type Kinds = Partial<Record<MutationKind, number>>

interface EngineTally {
  runs: number
  mutated: number
  readonly kinds: Kinds
  /** Synchronisations that an error ended. */
  readonly ended: Record<string, number>
  /** Runs where a lie could be found only by comparing everything. */
  verified: number
  /** Those of them where a message was missing, and the engine said so: one was invented that never came. */
  incomplete: number
  /** Those of them where a message was missing and the engine said `done`: two lies cancelled each other out in the count. */
  unnoticed: number
  /** Operations of which nobody could tell whether they were done. */
  parked: number
}

const SERVERS: readonly (readonly Extension[])[] = [
  [],
  [],
  ['QRESYNC'],
  ['QRESYNC', 'CONDSTORE'],
  ['MOVE', 'LITERAL+'],
  ['LIST-STATUS'],
]
const FUZZED_SYNCS = 2
const RARE = ['verified', 'incomplete', 'unnoticed'] as const
/**
 * How rare it is to be that honest answers alone do not make store and server equal, so that `verify` must: nobody can see through a lie that fits into what
 * is known. In 4,275 runs with 100,006 changed lines 198 had to be verified; a message was missing in 12 that said `done`, and in none that did not. Twice as
 * many are let pass, and one more in a small share: which of two answers comes first is left to the machine.
 */
const RUNS_FOR_EACH_MIN: Readonly<Record<(typeof RARE)[number], number>> = { verified: 11, incomplete: 1_000, unnoticed: 170 }

async function playEngineSeed(seed: number, tally: EngineTally): Promise<void> {
  const random = new SeededRandom(seed)
  let mutator: ResponseMutator | null = null
  let activity = 0
  let spared = 0
  let isOver = false
  const clock = new ManualClock()
  const account = await WireAccount.open({
    without: SERVERS[random.below(SERVERS.length)] ?? [],
    proxy: {
      rewriteLine: (line) => {
        activity += 1
        spared -= 1
        const out = mutator === null || spared >= 0 ? [line] : mutator.mutate(line)
        return out.length === 0 ? null : out.join('\r\n')
      },
    },
    remote: { clock, stepDeadlineMs: DEADLINE_MS, connectDeadlineMs: DEADLINE_MS },
    exempt: { all: 'The rules go by what the server says, and what it says is garbled.' },
  })
  const passing = letTimePass(clock, { activity: () => activity + account.server.commands.length, isOver: () => isOver })
  try {
    const wanted = await prepare(account, random)
    mutator = new ResponseMutator(random, { oneIn: 2 + random.below(12) })
    for (let sync = 0; sync < FUZZED_SYNCS; sync += 1) {
      await account.reopen()
      spared = random.below(6) === 0 ? 0 : RESPONSES_OF_LOGIN
      await fuzzedSync(account, tally)
    }
    tally.mutated += mutator.mutated
    countKinds(tally.kinds, mutator.kinds)
    mutator = null
    await account.reopen()
    await expectEqualAtLast(account, tally)
    expectNoneLostNoneDoubled(account, wanted)
    tally.runs += 1
  } finally {
    isOver = true
    await passing
    await account.close()
  }
}

interface Wanted {
  /** The Message-IDs that must be there in the end, each once. */
  readonly ids: readonly string[]
  /** The one that the user copied to Work. */
  readonly copied: string | null
}

/** Some mail taken in, some of it changed by both sides. */
async function prepare(account: WireAccount, random: SeededRandom): Promise<Wanted> {
  const { model, engine } = account
  account.arrive('INBOX', 8)
  account.arrive('Archive', 3)
  // In some runs the first synchronisation is the changed one.
  if (random.below(4) === 0) return { ids: idsIn(model), copied: null }
  expect(await account.settle()).toBe('done')
  account.arrive('INBOX', 2)
  model.inbox.store(model.inbox.uids.highest(3), { direction: 'add', flags: ['\\Answered'] })
  model.inbox.remove(model.inbox.uids.highest(4).difference(model.inbox.uids.highest(3)))
  const ids = idsIn(model)
  if (random.below(3) === 0) return { ids, copied: null }
  const [first, second, third, fourth] = await account.references('INBOX')
  if (first === undefined || second === undefined || third === undefined || fourth === undefined) throw new Error('Too few.')
  const idOf = (one: MessageReference): string | undefined =>
    model.inbox.messages.filter(({ uid }) => one.kind === 'stored' && uid === one.uid).map(({ bytes }) => messageIdIn(bytes))[0]
  const [gone, copied] = [idOf(third), idOf(fourth)]
  if (gone === undefined || copied === undefined) throw new Error('The server has not what the engine holds.')
  const archive = await account.id('Archive')
  await engine.flag(first, { add: ['\\Seen'] }).accepted
  await engine.move(second, archive).accepted
  await engine.expunge(third).accepted
  await engine.append({ to: archive, bytes: message('Upload') }).accepted
  await engine.copy(fourth, await account.id('Work')).accepted
  return { ids: [...ids.filter((id) => id !== gone), '<upload@lab.example>'], copied }
}

/** Ends in a report or an error of the catalogue. */
async function fuzzedSync(account: WireAccount, tally: EngineTally): Promise<void> {
  try {
    const { problems } = await account.engine.syncOnce()
    for (const { code } of problems) if (code === 'engine.bug') throw new Error(JSON.stringify(problems))
  } catch (error) {
    expectRemoteError(error)
    if (error instanceof SyncError) tally.ended[error.code] = (tally.ended[error.code] ?? 0) + 1
  }
}

function expectNoneLostNoneDoubled({ model }: WireAccount, { ids, copied }: Wanted): void {
  const held = idsIn(model)
  expect(ids.filter((id) => !held.includes(id))).toEqual([])
  const once = model.mailboxes.flatMap(({ path, messages }) =>
    messages.map(({ bytes }) => messageIdIn(bytes)).map((id) => (id === copied && path === 'Work' ? `the copy of ${id}` : id)),
  )
  expect(once.filter((id, index) => once.indexOf(id) !== index)).toEqual([])
}

/** A lie that fits into what is known is found by comparing: that is what `verify` is for. What waits for a decision is given up. */
async function expectEqualAtLast(account: WireAccount, tally: EngineTally): Promise<void> {
  const outcome = await account.settle()
  const { engine } = account
  for (const { seq, progress } of await engine.entries()) {
    expect(progress.map(({ state }) => state)).toContain('parked')
    tally.parked += 1
    await engine.discard(seq)
  }
  if ((await missingFrom(account)).length > 0) tally[outcome === 'done' ? 'unnoticed' : 'incomplete'] += 1
  const isEqual = await account.expectEqual().then(
    () => true,
    () => false,
  )
  if (outcome === 'done' && isEqual) return
  tally.verified += 1
  await engine.verify({ repair: true })
  expect(await account.settle()).toBe('done')
  await account.expectEqual()
}

/** Messages that the server has and the store has not. */
async function missingFrom(account: WireAccount): Promise<readonly string[]> {
  const store = new MemoryMessageStore({ disk: account.disk })
  const held = await storeForm(store, ME.id)
  await store.close()
  return Object.entries(serverForm(account.model)).flatMap(([path, messages]) =>
    Object.keys(messages).flatMap((uid) => (held[path]?.[uid] === undefined ? [`${path} ${uid}`] : [])),
  )
}

function idsIn(model: ModelAccount): string[] {
  return model.mailboxes.flatMap(({ messages }) => messages.map(({ bytes }) => messageIdIn(bytes)))
}

const ALL = '1:4294967295'

/** Every kind of step that is answered by more than a tagged reply, and what changes mail. */
const STEPS: readonly Step[] = [
  step.list('list'),
  step.status('status', 'Archive'),
  step.open('open'),
  step.open('resync', 'INBOX', known(2)),
  step.fetch('summary', ALL, 'summary'),
  step.fetch('flags', ALL),
  step.fetch('identity', ALL, 'identity'),
  step.search('search'),
  step.body('body', [
    { uid: 1, section: '1' },
    { uid: 2, section: '1' },
  ]),
  step.store('store', '1:5'),
  step.copy('copy', '6:9'),
  step.move('move', '10:12'),
  step.expunge('expunge', '13:14'),
  step.append('append', 2),
  step.fetch('again', ALL),
]
/** Greeting, CAPABILITY and LOGIN: most sessions are to come further. */
const RESPONSES_OF_LOGIN = 4

interface Tally {
  sessions: number
  responses: number
  mutated: number
  readonly kinds: Kinds
  readonly outcomes: Record<string, number>
}

async function playAdapterSeed(recorded: RecordedAnswers, seed: number, tally: Tally): Promise<void> {
  const random = new SeededRandom(seed)
  const mutator = new ResponseMutator(random, { oneIn: 2 + random.below(12) })
  const spared = random.below(6) === 0 ? 0 : RESPONSES_OF_LOGIN
  let said = 0
  /** After each response sent, how many of those before it had been changed: those that were never heard do not count. */
  const changedBefore: number[] = []
  const server = await startAnswering(recorded, () => (response) => {
    said += 1
    const out = said <= spared ? [response] : mutator.mutate(response)
    for (let sent = 0; sent < out.length; sent += 1) changedBefore.push(mutator.mutated)
    return out
  })
  let heard = RESPONSES_OF_LOGIN
  let isOver = false
  const clock = new ManualClock()
  const remote = remoteOf(server.port, clock, () => {
    heard += 1
  })
  const playing = holdSession(remote, { random, tally }).finally(() => {
    isOver = true
  })
  try {
    const passing = letTimePass(clock, { activity: () => said + heard, isOver: () => isOver })
    await within(SESSION_MS_MAX, Promise.all([playing, passing]))
  } finally {
    isOver = true
    await server.close()
    tally.sessions += 1
    tally.responses += Math.min(heard, changedBefore.length)
    const mutated = changedBefore[Math.min(heard, changedBefore.length) - 1] ?? 0
    tally.mutated += mutated
    countKinds(tally.kinds, mutator.kinds.slice(0, mutated))
  }
}

function countKinds(counts: Kinds, kinds: readonly MutationKind[]): void {
  for (const kind of kinds) counts[kind] = (counts[kind] ?? 0) + 1
}

function expectTried(counts: Kinds, kinds: readonly MutationKind[], { atLeast }: { readonly atLeast: number }): void {
  for (const kind of kinds) expect(counts[kind] ?? 0, kind).toBeGreaterThanOrEqual(atLeast)
}

/** Moves the time on whenever the two have nothing more to say to each other. */
async function letTimePass(
  clock: ManualClock,
  { activity, isOver }: { readonly activity: () => number; readonly isOver: () => boolean },
): Promise<void> {
  let quietTurns = 0
  let quietSinceMs = performance.now()
  for (let before = activity(); !isOver(); before = activity()) {
    await new Promise((resolve) => setImmediate(resolve))
    quietTurns = activity() === before ? quietTurns + 1 : 0
    if (quietTurns === 0) quietSinceMs = performance.now()
    if (quietTurns >= QUIET_TURNS && performance.now() - quietSinceMs >= QUIET_MS) clock.advance(DEADLINE_MS)
  }
}

async function holdSession(
  remote: Remote,
  { random, tally }: { readonly random: SeededRandom; readonly tally: Tally },
): Promise<void> {
  const note = (what: string): void => {
    tally.outcomes[what] = (tally.outcomes[what] ?? 0) + 1
  }
  // Most sessions open the mailbox; each leaves something out.
  const steps = STEPS.filter(({ kind }) => random.below(kind === 'open' ? 20 : 5) !== 0)
  const signal = new AbortController().signal
  let session: RemoteSession
  try {
    session = await remote.connect(signal)
  } catch (error) {
    expectRemoteError(error)
    note('not connected')
    return
  }
  const done: string[] = []
  for await (const seen of session.run(steps, { bodies: BODIES, signal })) {
    expectSound(seen)
    if (seen.kind !== 'done') continue
    done.push(seen.id)
    note(seen.outcome)
  }
  expect(done).toEqual(steps.map(({ id }) => id))
  if (session.ended !== null) {
    expect(REMOTE_ENDS).toContain(session.ended.code)
    note(session.ended.code)
  }
  await session.close()
}

const REMOTE_ENDS: readonly string[] = ['remote.disconnected', 'remote.timeout', 'remote.protocol']
const UID_MAX = 4_294_967_295
const MOD_SEQ_MAX = 2n ** 63n - 1n

function expectRemoteError(error: unknown): void {
  if (!(error instanceof SyncError) || !error.code.startsWith('remote.') || !(error.code in ERROR_CATALOGUE)) throw error
}

/** Numbers are in their ranges, and a set that was said is no set without end. */
function expectSound(seen: Observation): void {
  if ('uid' in seen) expectBetween(seen.uid, 1, UID_MAX)
  if (seen.kind === 'row' && seen.modSeq !== null) expectBetween(seen.modSeq, 1n, MOD_SEQ_MAX)
  if (seen.kind === 'row' && seen.summary !== null) expectBetween(seen.summary.sizeBytes, 0, Number.MAX_SAFE_INTEGER)
  if (seen.kind === 'opened') {
    expectBetween(seen.exists, 0, Number.MAX_SAFE_INTEGER)
    expectBetween(seen.uidNext ?? 1, 1, UID_MAX)
    expectBetween(seen.mailbox.uidValidity, 1, UID_MAX)
    expectBetween(seen.highestModSeq ?? 1n, 1n, MOD_SEQ_MAX)
  }
  if (seen.kind === 'status') expectBetween(seen.highestModSeq ?? 1n, 1n, MOD_SEQ_MAX)
  if (seen.kind === 'copied') expect(seen.pairs.sources.size).toBe(seen.pairs.destinations.size)
}

function expectBetween(value: number | bigint, min: number | bigint, max: number | bigint): void {
  if (!(value >= min && value <= max)) expect.fail(`${value} is not between ${min} and ${max}`)
}

async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`It hangs for more than ${limitMs} ms.`)), limitMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

async function record(): Promise<RecordedAnswers> {
  const accounts = { mailboxes: { Archive: 'archive', Work: null, Sent: 'sent' }, uidValidity: 7 } as const
  const server = await ImapServer.start({ users: { ann: SECRET }, accounts })
  const { inbox } = server.account('ann')
  const internalDate = Date.UTC(2026, 0, 1)
  for (let n = 1; n <= MESSAGES; n += 1) inbox.append([{ bytes: message(`Message ${n}`), flags: ['\\Seen'], internalDate }])
  inbox.store(inbox.uids.highest(20), { direction: 'add', flags: ['\\Flagged'] })
  inbox.remove(inbox.uids.highest(3))
  const recorded = await recordAnswers(server.port, async (port) => {
    const session = await remoteOf(port, new ManualClock(), () => {}).connect(new AbortController().signal)
    for await (const seen of session.run(STEPS, { bodies: BODIES, signal: new AbortController().signal })) {
      if (seen.kind === 'done') expect(seen, JSON.stringify(seen)).toMatchObject({ outcome: 'ok' })
    }
    await session.close()
  })
  await server.close()
  return recorded
}

function remoteOf(port: number, clock: Clock, hear: () => void): ReturnType<typeof imapRemote> {
  return imapRemote({
    host: '127.0.0.1',
    port,
    security: 'none',
    user: 'ann',
    secret: () => Promise.resolve(SECRET),
    clock,
    stepDeadlineMs: DEADLINE_MS,
    connectDeadlineMs: DEADLINE_MS,
    commandDeadlineMs: DEADLINE_MS * 4,
    transferDeadlineMs: DEADLINE_MS * 4,
    onWire: (event) => event.kind === 'line' && event.direction === 'down' && hear(),
  })
}
