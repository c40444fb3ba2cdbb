/** `tidemail sync` is killed in the middle of its work, at many moments; after the next run nothing is lost, doubled or resurrected. */

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TargetState } from '@tidemail/replay-log'
import type { RealServer } from '@tidemail/testing'
import { expect, it } from 'vitest'
import { type Running, startTidemail } from './cli-process.ts'
import { inTurns } from './in-turns.ts'
import { damage, prepare, rivalMeanwhile, workOffline } from './offline-work.ts'
import { type RealAccount, withAccount } from './real-account.ts'
import { onServers } from './real-servers.ts'

const KILLS_IN_CAMPAIGN = 40
const KILLS = Number(process.env['TIDEMAIL_KILLS'] ?? (process.env['TIDEMAIL_CAMPAIGN'] === undefined ? 10 : KILLS_IN_CAMPAIGN))
const TRIAL_MS_MAX = 600_000

/** When the process is killed: so long after the server's first octet, or when so many octets have passed in a direction. */
type Moment =
  | { readonly kind: 'after'; readonly delayMs: number }
  | { readonly kind: 'at'; readonly direction: 'up' | 'down'; readonly bytes: number }

onServers(['dovecot'], (server) => {
  it(
    `nothing is lost, doubled or resurrected by SIGKILL at any of ${KILLS} moments of a sync`,
    async () => {
      // Verifies: I-LOG-1, I-LOG-3, I-STORE-1, I-SYNC-1, I-SYNC-3, H-2, H-7
      const moments = await momentsToKill(server())
      const trials = await inTurns(moments, (moment) => trial(server(), moment), { atOnce: 2 })
      for (const { moment, harm } of trials) expect(harm, JSON.stringify(moment)).toEqual([])
      // A moment by the clock may come when the process has already ended; one by octets may not.
      for (const { moment, wasKilled } of trials) if (moment.kind === 'at') expect(wasKilled, JSON.stringify(moment)).toBe(true)
      expect(trials.filter(({ wasKilled }) => wasKilled).length).toBeGreaterThan(KILLS / 2)
      const states = new Set(trials.flatMap((one) => one.states))
      expect([...states]).toEqual(expect.arrayContaining(KILLS < KILLS_IN_CAMPAIGN ? ['queued'] : ['queued', 'sending']))
    },
    TRIAL_MS_MAX,
  )
})

interface Trial {
  readonly moment: Moment
  readonly wasKilled: boolean
  /** Of the entries that the dead process left behind. */
  readonly states: readonly TargetState[]
  readonly harm: readonly string[]
}

function trial(server: RealServer, moment: Moment): Promise<Trial> {
  return withAccount(server, {}, async (account) => {
    await setOut(account)
    const running = await startSync(account)
    await kill(account, running, moment)
    const wasKilled = (await running.finished).status === null
    account.proxy.setFault(null)
    // What the dead process had open ends with it.
    account.proxy.cut('rst')
    await account.reopen()
    const states = (await account.engine.entries()).flatMap((entry) => entry.progress.map((group) => group.state))
    await account.closeEngine()
    const { status, notes } = await (await startSync(account)).finished
    await account.reopen()
    return {
      moment,
      wasKilled,
      states,
      harm: [...(status === 0 ? [] : [`the next run left with ${status}: ${notes}`]), ...(await damage(account))],
    }
  })
}

/** Everything is taken in, the work is done offline, and the store is free for another process. */
async function setOut(account: RealAccount): Promise<void> {
  await prepare(account)
  await workOffline(account)
  await rivalMeanwhile(account)
  await account.closeEngine()
  account.proxy.reset()
}

async function startSync({ folder, storeFolder, proxy, user }: RealAccount): Promise<Running> {
  const passwordFile = join(folder, 'password')
  await writeFile(passwordFile, user.password, { mode: 0o600 })
  const where = ['--host', '127.0.0.1', '--port', String(proxy.port), '--security', 'none']
  const who = ['--user', user.name, '--password-file', passwordFile]
  return startTidemail(['sync', '--store', storeFolder, ...where, ...who, '--bodies', 'none', '--json'], { folder })
}

async function kill({ proxy }: RealAccount, { child, finished }: Running, moment: Moment): Promise<void> {
  const struck = proxy.nextFault()
  if (moment.kind === 'at') proxy.setFault({ kind: 'cut-after', direction: moment.direction, bytes: moment.bytes, how: 'stall' })
  if (moment.kind === 'at') await Promise.race([struck, finished])
  else await firstOctet(proxy, finished)
  const timer = setTimeout(() => child.kill('SIGKILL'), moment.kind === 'at' ? 0 : moment.delayMs)
  await finished
  clearTimeout(timer)
}

/** Resolves when the server has said something: how long a process takes to start says nothing. */
async function firstOctet(proxy: RealAccount['proxy'], finished: Running['finished']): Promise<void> {
  let hasEnded = false
  void finished.then(() => {
    hasEnded = true
  })
  while (proxy.counts().bytesDown === 0 && !hasEnded) await new Promise((resolve) => setImmediate(resolve))
}

/** Half of the moments are spread over the time from the first octet to the end, half over the octets of both directions. */
function momentsToKill(server: RealServer): Promise<readonly Moment[]> {
  return withAccount(server, {}, async (account) => {
    await setOut(account)
    const running = await startSync(account)
    await firstOctet(account.proxy, running.finished)
    const connectedAt = performance.now()
    expect((await running.finished).status).toBe(0)
    const connectedMs = performance.now() - connectedAt
    const { bytesUp, bytesDown } = account.proxy.counts()
    await account.reopen()
    expect(await damage(account)).toEqual([])
    return Array.from({ length: KILLS }, (_, index): Moment => {
      const share = (index + 0.5) / KILLS
      if (index % 2 === 0) return { kind: 'after', delayMs: Math.round(share * connectedMs) }
      return index % 4 === 1
        ? { kind: 'at', direction: 'up', bytes: Math.ceil(share * bytesUp) }
        : { kind: 'at', direction: 'down', bytes: Math.ceil(share * bytesDown) }
    })
  })
}
