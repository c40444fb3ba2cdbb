/** `tidemail sync` is killed in the middle of its work, at many moments; after the next run nothing is lost, doubled or resurrected. */

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GHOST_QUIET_MS_MAX } from '@tidemail/planner'
import type { RealServer } from '@tidemail/testing'
import { expect, it } from 'vitest'
import { type Running, startTidemail } from './cli-process.ts'
import { inTurns } from './in-turns.ts'
import { damage, prepare, rivalMeanwhile, workOffline } from './offline-work.ts'
import { type RealAccount, withAccount } from './real-account.ts'
import { ALL_SERVERS, onServers } from './real-servers.ts'
import { commandsIn, cutAt, type StrikePlace, strikePlaces } from './strike-places.ts'
import { type Struck, statesLeft, tallyOf } from './strike-tally.ts'

const IS_CAMPAIGN = process.env['TIDEMAIL_CAMPAIGN'] !== undefined
const KILLS = Number(process.env['TIDEMAIL_KILLS'] ?? (IS_CAMPAIGN ? 200 : 12))
/** Mostly waiting, and starting processes. */
const TRIALS_AT_ONCE = IS_CAMPAIGN ? 6 : 3
const TEST_MS_MAX = 7_200_000
/** A recovery looks twice: after the time in which a dead connection's commands may still be carried out, and as long again. */
const RECOVERY_MS = { from: GHOST_QUIET_MS_MAX, to: 3 * GHOST_QUIET_MS_MAX } as const

/** When the process is killed: so long after the server's first octet, or when so many octets have passed in a direction. */
type Moment = ByTheClock | (StrikePlace & { readonly kind: 'at' })

interface ByTheClock {
  readonly kind: 'after'
  readonly delayMs: number
}

/** A process that has ended before its moment by the clock is killed at an octet instead. */
interface Attempt {
  readonly moment: Moment
  readonly instead: StrikePlace
}

onServers(ALL_SERVERS, (server, name) => {
  it(
    `nothing is lost, doubled or resurrected by SIGKILL at any of ${KILLS} moments of a sync`,
    async () => {
      // Verifies: I-LOG-1, I-LOG-3, I-STORE-1, I-SYNC-1, I-SYNC-3, H-2, H-7
      const { all, attempts } = await rehearse(server())
      const kill = (attempt: Attempt, index: number): Promise<Trial> => trialThatKills(server(), attempt, index)
      const trials = await inTurns(attempts, kill, { atOnce: TRIALS_AT_ONCE })
      const { commands, states } = tallyOf(`${name} killed`, trials)
      for (const { moment, harm } of trials) expect(harm, JSON.stringify(moment)).toEqual([])
      expect(trials.filter(({ hasStruck }) => !hasStruck).map(({ moment }) => moment)).toEqual([])
      expect(trials.length).toBe(KILLS)
      const aimedAt = trials.flatMap(({ moment }) => (moment.kind === 'at' ? [moment.command] : []))
      expect([...commands]).toEqual(expect.arrayContaining(aimedAt))
      expect([...states]).toEqual(expect.arrayContaining(['queued', 'sending']))
      // Three in four are aimed, and only a few are aimed at a recovery.
      if (KILLS < all.length * 4) return
      expect([...commands]).toEqual(expect.arrayContaining([...all]))
      expect([...states]).toEqual(expect.arrayContaining(['recovering', ...(name === 'courier' ? ['copied'] : [])]))
    },
    TEST_MS_MAX,
  )
})

interface Trial {
  readonly moment: Moment
  /** Whether the first process was killed. */
  readonly hasStruck: boolean
  readonly struck: readonly Struck[]
  readonly harm: readonly string[]
}

/** What a run did that the clock let end is looked at, too. */
async function trialThatKills(server: RealServer, { moment, instead }: Attempt, index: number): Promise<Trial> {
  const first = await trial(server, moment, index)
  if (first.hasStruck || moment.kind === 'at') return first
  const second = await trial(server, { kind: 'at', ...instead }, index)
  return { ...second, struck: [...first.struck, ...second.struck], harm: [...first.harm, ...second.harm] }
}

/** A killed process, every fourth time a second one killed while it recovers, and one that runs to its end. */
function trial(server: RealServer, moment: Moment, index: number): Promise<Trial> {
  return withAccount(server, {}, async (account) => {
    await setOut(account)
    const first = await killedRun(account, moment)
    const struck = [first]
    if (index % 4 === 0) struck.push(await killedRun(account, recoveryMoment(index)))
    const { status, notes } = await (await startSync(account)).finished
    await account.reopen()
    return {
      moment,
      hasStruck: first.hasStruck,
      struck,
      harm: [...(status === 0 ? [] : [`the next run left with ${status}: ${notes}`]), ...(await damage(account))],
    }
  })
}

/** Answers what was on its way, and what the dead process left in the store. */
async function killedRun(account: RealAccount, moment: Moment): Promise<Struck> {
  account.wire.begin(account.proxy)
  const running = await startSync(account)
  const hasStruck = await killAt(account, running, moment)
  const commands = account.wire.unanswered(account.proxy)
  account.proxy.setFault(null)
  // What the dead process had open ends with it.
  account.proxy.cut('rst')
  await account.reopen()
  const states = await statesLeft(account)
  await account.closeEngine()
  return { hasStruck, commands, states }
}

/** Everything is taken in, the work is done offline, and the store is free for another process. */
async function setOut(account: RealAccount): Promise<void> {
  await prepare(account)
  await workOffline(account)
  await rivalMeanwhile(account)
  await account.closeEngine()
}

async function startSync({ folder, storeFolder, proxy, user }: RealAccount): Promise<Running> {
  const passwordFile = join(folder, 'password')
  await writeFile(passwordFile, user.password, { mode: 0o600 })
  const where = ['--host', '127.0.0.1', '--port', String(proxy.port), '--security', 'none']
  const who = ['--user', user.name, '--password-file', passwordFile]
  return startTidemail(['sync', '--store', storeFolder, ...where, ...who, '--bodies', 'none', '--json'], { folder })
}

/** Answers whether it was we who ended the process: one that hangs is killed too, and one may end while its moment comes. */
async function killAt({ proxy }: RealAccount, { child, finished }: Running, moment: Moment): Promise<boolean> {
  const struck = proxy.nextFault()
  if (moment.kind === 'at') proxy.setFault(cutAt(moment, { how: 'stall' }))
  if (moment.kind === 'at') await Promise.race([struck, finished])
  else await firstOctet(proxy, finished)
  let isSignalSent = false
  const timer = setTimeout(
    () => {
      isSignalSent = child.kill('SIGKILL')
    },
    moment.kind === 'at' ? 0 : moment.delayMs,
  )
  const { status } = await finished
  clearTimeout(timer)
  return isSignalSent && status === null
}

/** Resolves when the server has said something: how long a process takes to start says nothing. */
async function firstOctet(proxy: RealAccount['proxy'], finished: Running['finished']): Promise<void> {
  let hasEnded = false
  void finished.then(() => {
    hasEnded = true
  })
  while (proxy.counts().bytesDown === 0 && !hasEnded) await new Promise((resolve) => setImmediate(resolve))
}

function recoveryMoment(index: number): ByTheClock {
  const share = (index + 0.5) / KILLS
  return { kind: 'after', delayMs: Math.round(RECOVERY_MS.from + share * (RECOVERY_MS.to - RECOVERY_MS.from)) }
}

/**
 * A run without fault. Of the moments every fourth is one of the clock, from the first octet to the end; the others are octets in each of the
 * commands.
 */
function rehearse(server: RealServer): Promise<{ readonly all: readonly string[]; readonly attempts: readonly Attempt[] }> {
  return withAccount(server, {}, async (account) => {
    await setOut(account)
    account.wire.begin(account.proxy)
    const running = await startSync(account)
    await firstOctet(account.proxy, running.finished)
    const connectedAt = performance.now()
    const { status, notes } = await running.finished
    const connectedMs = performance.now() - connectedAt
    expect({ status, notes }).toEqual({ status: 0, notes: '' })
    const spans = account.wire.spans(account.proxy)
    await account.reopen()
    expect(await damage(account)).toEqual([])
    const places = strikePlaces(spans, 2 * KILLS)
    const attempts = places.slice(KILLS).map((instead, index): Attempt => {
      const place = places[index] ?? instead
      if (index % 4 !== 3) return { moment: { kind: 'at', ...place }, instead }
      return { moment: { kind: 'after', delayMs: Math.round(((index + 0.5) / KILLS) * connectedMs) }, instead }
    })
    return { all: commandsIn(spans), attempts }
  })
}
