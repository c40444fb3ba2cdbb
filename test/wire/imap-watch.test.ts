/** How the adapter waits for news: IDLE and its end, its renewal, and polling where there is none. */

import { type Observation, PING_DEADLINE_MS_MAX, type RemoteSession, WATCH_RENEWAL_MS, type WatchRequest } from '@tidemail/core'
import { type ImapRemoteOptions, POLL_INTERVAL_MS, STEP_DEADLINE_MS } from '@tidemail/imap'
import { afterEach, describe, expect, it } from 'vitest'
import type { Peer } from './scripted-server.ts'
import {
  clockMovedBy,
  closeScripted,
  collect,
  connectScripted,
  idleOnce,
  ManualClock,
  outcomes,
  type ScriptedSession,
  selectLines,
  step,
} from './scripted-session.ts'

afterEach(closeScripted)

const STIRRED = { kind: 'stirred', path: 'INBOX' }
const IDLING = { kind: 'watching', way: 'idle' }
const POLLING = { kind: 'watching', way: 'poll' }
const AT_INBOX: WatchRequest = { path: 'INBOX', beside: [] }
/** What is known of the open mailbox at the start. */
const seen = (messages: number): unknown => expect.objectContaining({ kind: 'status', path: 'INBOX', messages })

/** INBOX is open, with three messages; the server goes on with the script. */
async function withInbox(
  script: (peer: Peer) => Promise<void>,
  { capabilities = 'IDLE', ...options }: Partial<ImapRemoteOptions> & { readonly capabilities?: string } = {},
): Promise<ScriptedSession> {
  const scripted = await connectScripted(
    capabilities,
    async (peer) => {
      await peer.answer('SELECT', ...selectLines())
      await script(peer)
    },
    options,
  )
  await scripted.run(step.open('o'))
  return scripted
}

function watch(session: RemoteSession, until: AbortController = new AbortController()): AsyncIterator<Observation> {
  return session.watch(AT_INBOX, until.signal)[Symbol.asyncIterator]()
}

function watchToEnd(session: RemoteSession, until: AbortController = new AbortController()): Promise<readonly Observation[]> {
  return collect(session.watch(AT_INBOX, until.signal))
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5))
}

describe('watch', () => {
  it('idles in the mailbox, tells that it stirred, and ends with DONE when aborted', async () => {
    const abort = new AbortController()
    const { session, server } = await withInbox(async (peer) => {
      await idleOnce(peer, ['* OK still here', '* 3 EXISTS', '* 4 EXISTS', '* 1 RECENT'])
      await idleOnce(peer, [], () => abort.abort())
    })
    expect(await watchToEnd(session, abort)).toEqual([seen(3), IDLING, STIRRED])
    await server.played
    expect(session.ended).toBeNull()
  })

  it('opens another mailbox to read only, and ends when it cannot', async () => {
    const { session } = await connectScripted('IDLE', async (peer) => peer.answer('EXAMINE "INBOX"', 'NO [NONEXISTENT] no'))
    expect(await watchToEnd(session)).toEqual([])
  })

  it('renews IDLE in time, and silence while idling is no fault', async () => {
    const moved = clockMovedBy('* OK tick', WATCH_RENEWAL_MS)
    const abort = new AbortController()
    const { session } = await withInbox(async (peer) => {
      await idleOnce(peer, ['* OK tick'])
      await idleOnce(peer, [], () => abort.abort())
    }, moved)
    expect(await watchToEnd(session, abort)).toEqual([seen(3), IDLING, IDLING])
    expect(session.ended).toBeNull()
  })

  it('gives way to a plan, and opens its mailbox again after it', async () => {
    const abort = new AbortController()
    const { session, run } = await withInbox(async (peer) => {
      await idleOnce(peer)
      await peer.answer('SELECT "Work"', '* 1 EXISTS', '* OK [UIDVALIDITY 9] v', 'OK in')
      await peer.answer('EXAMINE "INBOX"', '* 5 EXISTS', '* OK [UIDVALIDITY 7] v', '* OK [UIDNEXT 12] n', 'OK in')
      await idleOnce(peer)
    })
    const watching = watch(session, abort)
    expect((await watching.next()).value).toEqual(seen(3))
    expect((await watching.next()).value).toEqual(IDLING)
    const next = watching.next()
    await turn()
    expect(outcomes(await run(step.open('w', 'Work')))).toBe('w:ok')
    // Two messages more than when it was last open: whoever waits can tell.
    expect((await next).value).toEqual(seen(5))
    expect((await watching.next()).value).toEqual(IDLING)
    const rest = watching.next()
    setTimeout(() => abort.abort(), 20)
    expect((await rest).done).toBe(true)
  })

  it('tells how many messages there are once more, after a plan that heard of others', async () => {
    const abort = new AbortController()
    const { session, run } = await withInbox(async (peer) => {
      await idleOnce(peer)
      await peer.answer('UID SEARCH', '* SEARCH 1 2 3', '* 4 EXISTS', 'OK done')
      await idleOnce(peer)
    })
    const watching = watch(session, abort)
    await watching.next()
    await watching.next()
    const next = watching.next()
    await turn()
    expect(outcomes(await run(step.search('s')))).toBe('s:ok')
    expect((await next).value).toEqual(seen(4))
    expect((await watching.next()).value).toEqual(IDLING)
    const rest = watching.next()
    await turn()
    abort.abort()
    expect((await rest).done).toBe(true)
  })

  it('polls where the server refuses to idle, and does not ask it for that again', async () => {
    const clock = new ManualClock()
    const { session, server } = await withInbox(
      async (peer) => {
        await peer.answer('IDLE', 'NO not now')
        await peer.answer('NOOP', 'OK done')
        await peer.answer('NOOP', 'OK done')
        peer.finish()
      },
      { clock },
    )
    const watching = watchToEnd(session)
    while (session.ended === null) {
      clock.advance(POLL_INTERVAL_MS / 10)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await watching).toEqual([seen(3), IDLING, POLLING, POLLING])
    await server.played
  })

  it('polls where the server has no IDLE', async () => {
    const clock = new ManualClock()
    const abort = new AbortController()
    const { session } = await withInbox(
      async (peer) => {
        await peer.answer('NOOP', '* 1 EXPUNGE', 'OK done')
      },
      { clock, capabilities: 'UIDPLUS' },
    )
    const watching = watch(session, abort)
    expect((await watching.next()).value).toEqual(seen(3))
    expect((await watching.next()).value).toEqual(POLLING)
    const first = watching.next()
    await new Promise((resolve) => setImmediate(resolve))
    clock.advance(POLL_INTERVAL_MS)
    expect((await first).value).toEqual(STIRRED)
    const rest = watching.next()
    abort.abort()
    expect((await rest).done).toBe(true)
  })

  it('ends when the connection does', async () => {
    const { session } = await withInbox(async (peer) => {
      await peer.expect('IDLE')
      peer.send('+ idling')
      peer.finish()
    })
    expect(await watchToEnd(session)).toEqual([seen(3), IDLING])
    expect(session.ended?.code).toBe('remote.disconnected')
  })

  it('renews IDLE as often as it is told to', async () => {
    const moved = clockMovedBy('* OK tick', 60_000)
    const abort = new AbortController()
    const { session } = await withInbox(async (peer) => {
      const tag = await peer.expect('IDLE')
      peer.send('+ idling', '* OK tick')
      expect(await peer.line()).toBe('DONE')
      abort.abort()
      peer.send(`${tag} OK done`)
    }, moved)
    expect(await collect(session.watch({ ...AT_INBOX, renewalMs: 60_000 }, abort.signal))).toEqual([seen(3), IDLING])
    expect(session.ended).toBeNull()
  })

  // Verifies: FIELD-16
  it('notices at the renewal that the connection is half open', async () => {
    const moved = clockMovedBy('+ idling', WATCH_RENEWAL_MS)
    const { session } = await withInbox(async (peer) => {
      await peer.expect('IDLE')
      peer.send('+ idling')
      expect(await peer.line()).toBe('DONE')
      await turn()
      moved.clock.advance(STEP_DEADLINE_MS)
    }, moved)
    expect(await watchToEnd(session)).toEqual([seen(3), IDLING])
    expect(session.ended).toMatchObject({ code: 'remote.timeout' })
  })
})

describe('a ping', () => {
  // Verifies: FIELD-16, DC-9051-6.3.13a
  it('ends IDLE, asks for a sign of life, and lets the watch go on', async () => {
    const abort = new AbortController()
    const { session } = await withInbox(async (peer) => {
      await idleOnce(peer)
      await peer.answer('NOOP', 'OK done')
      await idleOnce(peer, ['* 4 EXISTS'])
    })
    const watching = watch(session, abort)
    await watching.next()
    await watching.next()
    const news = watching.next()
    await turn()
    await session.ping?.()
    expect(session.ended).toBeNull()
    expect((await news).value).toEqual(STIRRED)
  })

  // Verifies: FIELD-16
  it.each(['while it watches', 'while a plan runs'])('ends the connection when none comes in time, %s', async (when) => {
    const clock = new ManualClock()
    const { session, run, server } = await withInbox(
      async (peer) => {
        await peer.expect(when === 'while it watches' ? 'IDLE' : 'LIST')
        if (when === 'while it watches') peer.send('+ idling')
      },
      { clock },
    )
    const watching = watch(session)
    const work =
      when === 'while it watches'
        ? watching
            .next()
            .then(() => watching.next())
            .then(() => watching.next())
        : run(step.list('l'))
    await server.played
    await turn()
    const ping = session.ping?.()
    await turn()
    clock.advance(PING_DEADLINE_MS_MAX)
    await turn()
    await Promise.all([ping, work])
    expect(session.ended).toMatchObject({ code: 'remote.timeout' })
  })
})

describe('close', () => {
  it('logs out, and waits no longer than its deadline', async () => {
    const { session, server } = await connectScripted('UIDPLUS', async (peer) =>
      peer.answer('LOGOUT', '* BYE see you', 'OK done'),
    )
    await session.close()
    await server.played
    expect(session.ended).toEqual({ code: 'remote.disconnected', text: 'The session was closed.' })
    const clock = new ManualClock()
    const silent = await connectScripted(
      'UIDPLUS',
      async (peer) => {
        await peer.expect('LOGOUT')
        clock.advance(2000)
      },
      { clock },
    )
    await silent.session.close()
    expect(silent.session.ended?.code).toBe('remote.disconnected')
  })
})
