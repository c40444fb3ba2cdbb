/** The connection breaks in the middle of the work, at many places; after the next runs nothing is lost, doubled or resurrected. */

import { type Step, SyncError } from '@tidemail/core'
import type { TargetState } from '@tidemail/replay-log'
import type { CutHow, Direction, Fault, ProxiedCommand, RealServer, ServerMask } from '@tidemail/testing'
import { expect, it } from 'vitest'
import { inTurns } from './in-turns.ts'
import { numbered, numberedRange, numberOf } from './numbered-mail.ts'
import { damage, prepare, rivalMeanwhile, workOffline } from './offline-work.ts'
import { type RealAccount, withAccount } from './real-account.ts'
import { ALL_SERVERS, onServers } from './real-servers.ts'

/** In a campaign every kind of step and every state of an entry must be hit; otherwise a fixed share is tried. */
const CUTS_IN_CAMPAIGN = 40
const CUTS = Number(process.env['TIDEMAIL_CUTS'] ?? (process.env['TIDEMAIL_CAMPAIGN'] === undefined ? 10 : CUTS_IN_CAMPAIGN))
const TRIALS_AT_ONCE = 4
const TRIAL_MS_MAX = 300_000

/** Dovecot as it is, and a server that cannot MOVE, where a move is COPY, STORE and EXPUNGE. */
const WITHOUT_MOVE: ServerMask = {
  capabilities:
    'SASL-IR ID ENABLE IDLE NAMESPACE UIDPLUS LIST-EXTENDED CONDSTORE QRESYNC ESEARCH LIST-STATUS LITERAL+ SPECIAL-USE UNSELECT MULTIAPPEND'.split(
      ' ',
    ),
}
const PROFILES: readonly { readonly name: string; readonly mask?: ServerMask; readonly kinds: readonly Step['kind'][] }[] = [
  { name: 'Dovecot', kinds: ['list', 'open', 'fetch', 'store', 'move', 'copy', 'expunge', 'append'] },
  { name: 'Dovecot without MOVE', mask: WITHOUT_MOVE, kinds: ['list', 'open', 'fetch', 'store', 'copy', 'expunge', 'append'] },
]

onServers(['dovecot'], (server) => {
  for (const { name, mask, kinds } of PROFILES) {
    it(
      `${name}: nothing is lost, doubled or resurrected by a cut at any of ${CUTS} places`,
      async () => {
        // Verifies: I-LOG-1, I-LOG-2, I-LOG-3, I-SYNC-1, I-SYNC-2, H-2, H-5, H-7, H-9
        const places = await placesToCut(server(), mask)
        const trials = await inTurns(places, (fault, index) => trial(server(), fault, { mask, second: secondCut(index) }), {
          atOnce: TRIALS_AT_ONCE,
        })
        const [lost, states] = [new Set(trials.flatMap((one) => one.lost)), new Set(trials.flatMap((one) => one.states))]
        console.log(`${name}: steps without an answer: ${[...lost].join(' ')}; entries left: ${[...states].join(' ')}`)
        for (const { fault, harm } of trials) expect(harm, JSON.stringify(fault)).toEqual([])
        expect(trials.filter(({ struck }) => struck).length).toBe(CUTS)
        if (CUTS < CUTS_IN_CAMPAIGN) return
        expect([...lost]).toEqual(expect.arrayContaining([...kinds]))
        expect([...states].sort()).toEqual(mask === undefined ? ['queued', 'unknown'] : ['copied', 'queued', 'unknown'])
      },
      TRIAL_MS_MAX,
    )
  }
})

const COMMANDS = ['UID STORE', 'UID MOVE', 'UID COPY', 'UID EXPUNGE', 'APPEND'] as const
const LOSSES: readonly ((command: string) => Fault)[] = [
  (command) => ({ kind: 'lose-request', command, how: 'rst' }),
  (command) => ({ kind: 'lose-answer', command, how: 'fin' }),
  (command) => ({ kind: 'lose-answer', command, how: 'rst', loses: 'everything' }),
]

onServers(ALL_SERVERS, (server, name) => {
  it(
    'a command or its answer gets lost: it is carried out once',
    async () => {
      // Verifies: I-LOG-3, H-7, H-9
      const commands = COMMANDS.filter((command) => name !== 'courier' || command !== 'UID MOVE')
      const faults = commands.flatMap((command) => LOSSES.map((fault) => fault(command)))
      for (const { fault, harm, struck } of await inTurns(faults, (one) => trial(server(), one), { atOnce: TRIALS_AT_ONCE }))
        expect({ harm, struck }, JSON.stringify(fault)).toEqual({ harm: [], struck: true })
    },
    TRIAL_MS_MAX,
  )

  it('an upload is lost on its way to a mailbox whose newest message is gone: it is proved absent, and sent again', async () => {
    // Verifies: I-LOG-3, H-9
    await withAccount(server(), {}, async (account) => {
      await account.create('Work')
      await account.seed('Work', numberedRange(1, 2))
      await account.rivalIn('Work', 'UID STORE 2 +FLAGS.SILENT (\\Deleted)', 'UID EXPUNGE 2')
      await account.sync()
      await account.engine.append({ to: await account.mailboxId('Work'), ...numbered(3) }).accepted
      await brokenRun(account, { kind: 'lose-request', command: 'APPEND', how: 'rst' })
      account.proxy.setFault(null)
      expect(await account.sync()).toMatchObject({ outcome: 'done', entriesUncertain: 0 })
      expect((await account.messages('Work')).map(({ envelope }) => numberOf(envelope.messageId))).toEqual([1, 3])
      expect(await account.compareWithServer()).toEqual([])
    })
  })
})

interface Trial {
  readonly fault: Fault
  readonly struck: boolean
  readonly lost: readonly Step['kind'][]
  readonly states: readonly TargetState[]
  readonly harm: readonly string[]
}

/** One run with the fault, perhaps a second one that breaks in the middle of the recovery, and then what it takes to be done. */
function trial(server: RealServer, fault: Fault, { mask, second }: Conditions = {}): Promise<Trial> {
  return withAccount(server, mask === undefined ? {} : { proxy: { mask } }, async (account) => {
    await setOut(account)
    const states = await brokenRun(account, fault)
    const { lost } = account.steps
    const struck = account.proxy.counts().faults > 0
    if (second !== undefined) states.push(...(await brokenRun(account, second)))
    account.proxy.setFault(null)
    const report = await account.sync()
    const settled = (await account.engine.receipts()).flatMap(({ operation, outcomes }) =>
      outcomes.map(({ outcome, evidence }) => ({
        outcome,
        sentence: `${operation.kind} was ${outcome} by ${JSON.stringify(evidence)}`,
      })),
    )
    const harm = [
      ...(report.outcome === 'done' ? [] : [JSON.stringify(report)]),
      ...settled.filter(({ outcome }) => outcome !== 'applied').map(({ sentence }) => sentence),
      ...(await damage(account)),
    ]
    return { fault, struck, lost, states, harm }
  })
}

interface Conditions {
  readonly mask?: ServerMask | undefined
  readonly second?: Fault | undefined
}

/** Answers how far the entries have come when the connection is gone. */
async function brokenRun(account: RealAccount, fault: Fault): Promise<TargetState[]> {
  account.proxy.setFault(fault)
  await account.engine.syncOnce().catch(expectRemote)
  return (await account.engine.entries()).flatMap((entry) => entry.progress.map((group) => group.state))
}

/** Everything is taken in, the work is done offline, and the engine has just been opened anew. */
async function setOut(account: RealAccount): Promise<void> {
  await prepare(account)
  await workOffline(account)
  await rivalMeanwhile(account)
  await account.reopen()
  account.proxy.reset()
  account.steps.reset()
}

/** What stopped the run must be the connection. */
function expectRemote(error: unknown): void {
  if (!(error instanceof SyncError) || !error.code.startsWith('remote.')) throw error
}

/** Every other run is cut again: at its login, its probes, or what it sends next. */
function secondCut(index: number): Fault | undefined {
  if (index % 2 === 0) return undefined
  return { kind: 'cut-after', direction: index % 4 === 1 ? 'up' : 'down', bytes: 100 * (index + 1), how: 'rst' }
}

/**
 * Half of the places cut what the client sends, half what the server sends; in both directions they are spread over the commands of a
 * run without fault, and inside each command from its first octet to its last, so that short commands are hit as well as long ones.
 */
function placesToCut(server: RealServer, mask?: ServerMask): Promise<readonly Fault[]> {
  return withAccount(server, mask === undefined ? {} : { proxy: { mask } }, async (account) => {
    await setOut(account)
    expect(await account.sync()).toMatchObject({ outcome: 'done' })
    expect(await damage(account)).toEqual([])
    const { connected, endings } = account.steps
    const sent = account.proxy.commands.slice(connected.commands).map(octetsOf)
    const ends = { up: sums(connected.bytesUp, sent), down: endings.map(({ bytesDown }) => bytesDown) }
    const starts = { up: connected.bytesUp, down: connected.bytesDown }
    return Array.from({ length: CUTS }, (_, index) => {
      const direction: Direction = index % 2 === 0 ? 'up' : 'down'
      const how: CutHow = index % 4 < 2 ? 'rst' : 'fin'
      const bytes = between(starts[direction], ends[direction], Math.floor(index / 2) / Math.ceil(CUTS / 2))
      return { kind: 'cut-after', direction, bytes, how }
    })
  })
}

/** The octet at that share of the way, when every segment counts alike. */
function between(start: number, ends: readonly number[], share: number): number {
  const position = share * ends.length
  const segment = Math.floor(position)
  const from = segment === 0 ? start : (ends[segment - 1] ?? start)
  const to = ends[segment] ?? from
  return Math.max(start, Math.floor(from + (position - segment) * (to - from))) + 1
}

/** How long the command is on the wire: its line shows literals as `{310+}`. */
function octetsOf({ line }: ProxiedCommand): number {
  const literals = [...line.matchAll(/\{(\d+)\+?\}/g)].map((found) => Number(found[1]) + 2)
  return literals.reduce((sum, octets) => sum + octets, Buffer.byteLength(line) + 2)
}

function sums(start: number, lengths: readonly number[]): readonly number[] {
  let sum = start
  return lengths.map((length) => {
    sum += length
    return sum
  })
}
