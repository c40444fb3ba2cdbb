/** The connection breaks in the middle of the work, at many places; after the next runs nothing is lost, doubled or resurrected. */

import { setTimeout as wait } from 'node:timers/promises'
import { SyncError } from '@tidemail/core'
import type { CutHow, Fault, RealServer, RealServerName, ServerMask } from '@tidemail/testing'
import { expect, it } from 'vitest'
import { inTurns } from './in-turns.ts'
import { numbered, numberedRange, numberOf } from './numbered-mail.ts'
import { damage, prepare, rivalMeanwhile, workOffline } from './offline-work.ts'
import { type RealAccount, withAccount } from './real-account.ts'
import { ALL_SERVERS, onServers } from './real-servers.ts'
import { commandsIn, cutAt, type StrikePlace, strikePlaces } from './strike-places.ts'
import { type Struck, statesLeft, tallyOf } from './strike-tally.ts'

const IS_CAMPAIGN = process.env['TIDEMAIL_CAMPAIGN'] !== undefined
const CUTS = Number(process.env['TIDEMAIL_CUTS'] ?? (IS_CAMPAIGN ? 200 : 12))
/** Mostly waiting; `npm test` shares the machine with other files. */
const TRIALS_AT_ONCE = IS_CAMPAIGN ? 10 : 4
const POLL_MS = 20
const TEST_MS_MAX = 3_600_000

const CAPABILITIES =
  'SASL-IR ID ENABLE IDLE NAMESPACE UIDPLUS MOVE LIST-EXTENDED CONDSTORE QRESYNC ESEARCH LIST-STATUS LITERAL+ SPECIAL-USE UNSELECT MULTIAPPEND'.split(
    ' ',
  )

function without(capability: 'MOVE' | 'UIDPLUS'): ServerMask {
  return { capabilities: CAPABILITIES.filter((other) => other !== capability) }
}

interface Profile {
  readonly name: string
  readonly canMove: boolean
  readonly mask?: ServerMask
}

function profilesOf(name: RealServerName): readonly Profile[] {
  const itself = { name, canMove: name !== 'courier' }
  if (!IS_CAMPAIGN || name !== 'dovecot') return [itself]
  // Where a move is COPY, STORE and EXPUNGE, as on Courier; and where EXPUNGE takes no UIDs, and nothing says under which UID an upload is.
  return [
    itself,
    { name: `${name} without MOVE`, canMove: false, mask: without('MOVE') },
    { name: `${name} without UIDPLUS`, canMove: true, mask: without('UIDPLUS') },
  ]
}

onServers(ALL_SERVERS, (server, name) => {
  for (const profile of profilesOf(name)) {
    it(
      `${profile.name}: nothing is lost, doubled or resurrected by a cut at any of ${CUTS} places`,
      async () => {
        // Verifies: I-LOG-1, I-LOG-2, I-LOG-3, I-SYNC-1, I-SYNC-2, H-2, H-5, H-7, H-9
        const { all, places } = await rehearse(server(), profile)
        const cut = (place: StrikePlace, index: number): Promise<Trial> => {
          const fault = cutAt(place, { how: index % 4 < 2 ? 'rst' : 'fin' })
          return trial(server(), fault, { mask: profile.mask, second: secondStrike(index, all) })
        }
        const trials = await inTurns(places, cut, { atOnce: TRIALS_AT_ONCE })
        const { commands, states } = tallyOf(`${profile.name} cut`, trials)
        for (const [index, { harm }] of trials.entries()) expect(harm, JSON.stringify(places[index])).toEqual([])
        expect(trials.filter(({ hasStruck }) => hasStruck).length).toBe(CUTS)
        expect([...commands]).toEqual(expect.arrayContaining(places.map(({ command }) => command)))
        expect([...states]).toEqual(expect.arrayContaining(['queued', 'unknown']))
        // What takes a second strike, or one behind a copy, a few places may miss.
        if (CUTS < all.length * 4) return
        expect([...commands]).toEqual(expect.arrayContaining([...all]))
        expect([...states]).toEqual(expect.arrayContaining(['recovering', ...(profile.canMove ? [] : ['copied'])]))
      },
      TEST_MS_MAX,
    )
  }
})

const ON_MESSAGES = ['UID STORE', 'UID MOVE', 'UID COPY', 'UID EXPUNGE', 'APPEND'] as const
const ON_MAILBOXES = ['CREATE', 'RENAME', 'DELETE', 'SUBSCRIBE', 'UNSUBSCRIBE'] as const
const COMMANDS = IS_CAMPAIGN ? [...ON_MESSAGES, ...ON_MAILBOXES] : ON_MESSAGES
const LOSSES: readonly ((command: string) => Fault)[] = [
  (command) => ({ kind: 'lose-request', command, how: 'rst' }),
  (command) => ({ kind: 'lose-answer', command, how: 'rst', loses: 'everything' }),
  ...(IS_CAMPAIGN ? [(command: string): Fault => ({ kind: 'lose-answer', command, how: 'fin' })] : []),
]

onServers(ALL_SERVERS, (server, name) => {
  it(
    'a command or its answer gets lost: it is carried out once',
    async () => {
      // Verifies: I-LOG-3, H-7, H-9
      const commands = COMMANDS.filter((command) => name !== 'courier' || command !== 'UID MOVE')
      const faults = commands.flatMap((command) => LOSSES.map((fault) => fault(command)))
      for (const { fault, harm, hasStruck } of await inTurns(faults, (one) => trial(server(), one), { atOnce: TRIALS_AT_ONCE }))
        expect({ harm, hasStruck }, JSON.stringify(fault)).toEqual({ harm: [], hasStruck: true })
    },
    TEST_MS_MAX,
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
  /** Whether the first strike has struck. */
  readonly hasStruck: boolean
  readonly struck: readonly Struck[]
  readonly harm: readonly string[]
}

interface Conditions {
  readonly mask?: ServerMask | undefined
  readonly second?: SecondStrike | null
}

/** Whether and when the run after the first is broken too: from its start, or not before a lost command has been looked for and not found. */
interface SecondStrike {
  readonly when: 'at-once' | 'recovering'
  readonly fault: Fault
}

/** A command of its own, so that few places reach every kind; or at its login, its probes, or what it sends next. */
function secondStrike(index: number, all: readonly string[]): SecondStrike | null {
  const command = all[(CUTS + Math.floor(index / 4)) % all.length] ?? ''
  switch (index % 4) {
    case 0:
      return { when: 'recovering', fault: cutAfter(1 + index, { direction: 'up' }) }
    case 1:
      return { when: 'at-once', fault: { kind: index % 8 === 1 ? 'lose-answer' : 'lose-request', command, how: 'rst' } }
    case 2:
      return null
    default:
      return { when: 'at-once', fault: cutAfter(100 * (index + 1), { direction: index % 8 === 3 ? 'up' : 'down' }) }
  }
}

/** One run with the fault, perhaps a second one that breaks in the middle of the recovery, and then what it takes to be done. */
function trial(server: RealServer, fault: Fault, { mask, second = null }: Conditions = {}): Promise<Trial> {
  return withAccount(server, mask === undefined ? {} : { proxy: { mask } }, async (account) => {
    await setOut(account)
    const first = await brokenRun(account, fault)
    const struck = [first]
    if (second?.when === 'at-once') struck.push(await brokenRun(account, second.fault))
    if (second?.when === 'recovering') struck.push(await brokenWhileRecovering(account, second.fault))
    account.proxy.setFault(null)
    const report = await account.sync()
    const harm = [...(report.outcome === 'done' ? [] : [JSON.stringify(report)]), ...(await damage(account))]
    return { fault, hasStruck: first.hasStruck, struck, harm }
  })
}

/** Answers what was on its way, and how far the entries have come when the connection is gone. */
async function brokenRun(account: RealAccount, fault: Fault): Promise<Struck> {
  account.wire.begin(account.proxy)
  account.proxy.setFault(fault)
  await account.engine.syncOnce().catch(expectRemote)
  return whatItLeft(account)
}

/** The fault is armed once a first look at what became of a lost command has found nothing, and a second one is due. */
async function brokenWhileRecovering(account: RealAccount, fault: Fault): Promise<Struck> {
  account.wire.begin(account.proxy)
  account.proxy.setFault(null)
  let isRunning = true
  const run = account.engine
    .syncOnce()
    .catch(expectRemote)
    .finally(() => {
      isRunning = false
    })
  while (isRunning && !(await statesLeft(account)).includes('recovering')) await wait(POLL_MS)
  if (isRunning) account.proxy.setFault(fault)
  await run
  return whatItLeft(account)
}

async function whatItLeft(account: RealAccount): Promise<Struck> {
  const hasStruck = account.proxy.counts().faults > 0
  return { hasStruck, commands: account.wire.unanswered(account.proxy), states: await statesLeft(account) }
}

/** Everything is taken in, the work is done offline, and the engine has just been opened anew. */
async function setOut(account: RealAccount): Promise<void> {
  await prepare(account)
  await workOffline(account)
  await rivalMeanwhile(account)
  await account.reopen()
}

/** What stopped the run must be the connection. */
function expectRemote(error: unknown): void {
  if (!(error instanceof SyncError) || !error.code.startsWith('remote.')) throw error
}

function cutAfter(
  bytes: number,
  { direction, how = 'rst' }: { readonly direction: 'up' | 'down'; readonly how?: CutHow },
): Fault {
  return { kind: 'cut-after', direction, bytes, how }
}

/** A run without fault: every command that is sent once the connection stands, and places among them. */
function rehearse(
  server: RealServer,
  { mask }: Profile,
): Promise<{ readonly all: readonly string[]; readonly places: readonly StrikePlace[] }> {
  return withAccount(server, mask === undefined ? {} : { proxy: { mask } }, async (account) => {
    await setOut(account)
    account.wire.begin(account.proxy)
    expect(await account.engine.syncOnce()).toMatchObject({ outcome: 'done' })
    const spans = account.wire.spans(account.proxy).filter(({ command }) => !/^(LOGIN|ENABLE|CAPABILITY|ID)$/.test(command))
    expect(await damage(account)).toEqual([])
    return { all: commandsIn(spans), places: strikePlaces(spans, CUTS) }
  })
}
