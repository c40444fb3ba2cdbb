/** Checks whether what a server lists is complete, and at once: rows, SEARCH, LIST-STATUS, and news of an idle connection. */

import { type ServerProfile, UidSet } from '@tidemail/core'
import { type Bench, LISTING_WAIT_MS_MAX } from './bench.ts'
import { asClaimed, type Check, type CheckResult, contradicts, missing, notOffered } from './check.ts'
import { CheckStopped } from './two-sessions.ts'

/** News of a watched mailbox must come so soon. */
export const NEWS_WAIT_MS_MAX = 30_000

export const CHECK_LISTING_LAG: Check = {
  id: 'listing-lag',
  what: 'a new message is listed at once',
  async run(bench) {
    const letter = bench.letter()
    await bench.open('own')
    await bench.must('rival', bench.append(letter))
    const takenAt = bench.clock.now()
    try {
      const { looks } = await bench.find('own', [letter])
      const listingLagMs = looks === 1 ? 0 : bench.clock.now() - takenAt
      if (looks === 1) return { ...asClaimed('Another session saw it at the first look.'), measured: { listingLagMs } }
      return { ...contradicts(`Another session saw it after ${listingLagMs} ms.`), measured: { listingLagMs } }
    } catch (error) {
      if (!(error instanceof CheckStopped) || (await bench.session('own')).ended !== null) throw error
      return missing(`Another session did not see it within ${LISTING_WAIT_MS_MAX / 1000} seconds.`)
    }
  },
}

export const CHECK_SEARCH: Check = {
  id: 'search',
  what: 'SEARCH names every message',
  async run(bench) {
    await bench.deliver(2)
    await bench.open('own')
    const rows = UidSet.from((await bench.rows('own', UidSet.ALL, 'flags')).map(({ uid }) => uid))
    const answer = await bench.must('own', bench.search('own'))
    const found = answer.find((item) => item.kind === 'uids')?.uids ?? UidSet.EMPTY
    if (found.equals(rows)) return asClaimed(`It named the ${rows.size} messages that FETCH told.`)
    return contradicts(`It named ${found.size} messages, FETCH told ${rows.size}.`)
  },
}

export const CHECK_LIST_STATUS: Check = {
  id: 'list-status',
  what: 'LIST tells the state of mailboxes as STATUS does',
  async run(bench) {
    // Without LIST-EXTENDED it is not asked for.
    if (!bench.has('LIST-STATUS') || !bench.has('LIST-EXTENDED')) return notOffered('LIST-STATUS with LIST-EXTENDED')
    await bench.deliver(1)
    const status = await bench.status('own')
    const seen = await bench.must('own', bench.list())
    const told = seen.find((item) => item.kind === 'status' && item.path === bench.path)
    if (told?.kind !== 'status') return missing('LIST told no state of the mailbox.', 'LIST-STATUS')
    const isSame =
      told.messages === status.messages && told.uidNext === status.uidNext && told.highestModSeq === status.highestModSeq
    return isSame ? asClaimed('Both told the same.') : contradicts('LIST told another state than STATUS.', 'LIST-STATUS')
  },
}

export const CHECK_IDLE: Check = {
  id: 'idle',
  what: 'an idle connection lives, and hears what comes',
  async run(bench, { idleMs }) {
    if (!offersIdle(bench.server)) return notOffered('IDLE')
    if (idleMs === 0) return { verdict: 'not checked', sentence: 'It takes time, and was not asked for.' }
    // It is open before, so that opening it is no news.
    await bench.open('own')
    const startedAt = bench.clock.now()
    const watch = startWatch(bench, await bench.session('own'))
    const isOver = await Promise.race([
      bench.clock.sleep(idleMs, watch.stop.signal).then(() => false),
      watch.ended.then(() => true),
    ])
    const lifeMs = bench.clock.now() - startedAt
    if (isOver) return { ...contradicts(`It ended after ${Math.round(lifeMs / 1000)} s.`), measured: { idleMs: lifeMs } }
    return judgeNews(bench, watch, lifeMs)
  },
}

interface Watch {
  readonly stop: AbortController
  /** Resolves at the next news. */
  readonly stirred: () => Promise<true>
  /** Resolves when the connection has ended. */
  readonly ended: Promise<void>
}

function startWatch(bench: Bench, session: Awaited<ReturnType<Bench['session']>>): Watch {
  const stop = new AbortController()
  let onStir: (value: true) => void = () => {}
  const stirred = (): Promise<true> =>
    new Promise((resolve) => {
      onStir = resolve
    })
  const ended = (async () => {
    const request = { path: bench.path, beside: [] }
    for await (const item of session.watch(request, stop.signal)) if (item.kind === 'stirred') onStir(true)
  })()
  return { stop, stirred, ended }
}

async function judgeNews(bench: Bench, { stop, stirred, ended }: Watch, lifeMs: number): Promise<CheckResult> {
  try {
    const sentAt = bench.clock.now()
    const news = stirred()
    await bench.must('rival', bench.append(bench.letter()))
    const isTold = await Promise.race([
      news,
      bench.clock.sleep(NEWS_WAIT_MS_MAX, stop.signal).then(() => false),
      ended.then(() => false),
    ])
    if (!isTold) return missing(`A new message was not told within ${NEWS_WAIT_MS_MAX / 1000} seconds.`)
    const seconds = Math.round(lifeMs / 1000)
    return asClaimed(`It lived for ${seconds} s, and a new message was told after ${bench.clock.now() - sentAt} ms.`)
  } finally {
    stop.abort()
    await ended
  }
}

function offersIdle({ capabilities }: ServerProfile): boolean {
  return capabilities.includes('IDLE')
}
