/** How the adapter waits for news: IDLE and its end, its renewal, and polling where there is none. */

import { IDLE_RESTART_MS, POLL_INTERVAL_MS } from '@tidemail/imap'
import { afterEach, describe, expect, it } from 'vitest'
import { closeScripted, collect, connectScripted, ManualClock, outcomes, selectLines, step } from './scripted-session.ts'

afterEach(closeScripted)

const STIRRED = { kind: 'stirred', path: 'INBOX' }

describe('watch', () => {
  it('idles in the mailbox, tells that it stirred, and ends with DONE when aborted', async () => {
    const abort = new AbortController()
    const { session, run, server } = await connectScripted('IDLE', async (peer) => {
      await peer.answer('SELECT', ...selectLines())
      const first = await peer.expect('IDLE')
      peer.send('+ idling', '* OK still here', '* 3 EXISTS', '* 4 EXISTS', '* 1 RECENT')
      expect(await peer.line()).toBe('DONE')
      peer.send(`${first} OK done`)
      const second = await peer.expect('IDLE')
      peer.send('+ idling')
      abort.abort()
      expect(await peer.line()).toBe('DONE')
      peer.send(`${second} OK done`)
    })
    await run(step.open('o'))
    expect(await collect(session.watch('INBOX', abort.signal))).toEqual([STIRRED])
    await server.played
    expect(session.ended).toBeNull()
  })

  it('opens another mailbox to read only, and ends when it cannot', async () => {
    const { session } = await connectScripted('IDLE', async (peer) => peer.answer('EXAMINE "INBOX"', 'NO [NONEXISTENT] no'))
    expect(await collect(session.watch('INBOX', new AbortController().signal))).toEqual([])
  })

  it('renews IDLE in time, and silence while idling is no fault', async () => {
    const clock = new ManualClock()
    const abort = new AbortController()
    const { session, run } = await connectScripted(
      'IDLE',
      async (peer) => {
        await peer.answer('SELECT', ...selectLines())
        for (let round = 0; round < 2; round += 1) {
          const tag = await peer.expect('IDLE')
          peer.send('+ idling')
          if (round === 1) abort.abort()
          else peer.send('* OK tick')
          expect(await peer.line()).toBe('DONE')
          peer.send(`${tag} OK done`)
        }
      },
      {
        clock,
        onWire: (event) =>
          event.kind === 'line' && event.text === '* OK tick' && setImmediate(() => clock.advance(IDLE_RESTART_MS)),
      },
    )
    await run(step.open('o'))
    expect(await collect(session.watch('INBOX', abort.signal))).toEqual([])
    expect(session.ended).toBeNull()
  })

  it('gives way to a plan, and opens its mailbox again after it', async () => {
    const abort = new AbortController()
    const { session, run } = await connectScripted('IDLE', async (peer) => {
      await peer.answer('SELECT', ...selectLines())
      const first = await peer.expect('IDLE')
      peer.send('+ idling')
      expect(await peer.line()).toBe('DONE')
      peer.send(`${first} OK done`)
      await peer.answer('SELECT "Work"', '* 1 EXISTS', '* OK [UIDVALIDITY 9] v', 'OK in')
      await peer.answer('EXAMINE "INBOX"', '* 5 EXISTS', '* OK [UIDVALIDITY 7] v', '* OK [UIDNEXT 12] n', 'OK in')
      const second = await peer.expect('IDLE')
      peer.send('+ idling')
      expect(await peer.line()).toBe('DONE')
      peer.send(`${second} OK done`)
    })
    await run(step.open('o'))
    const watching = session.watch('INBOX', abort.signal)[Symbol.asyncIterator]()
    const first = watching.next()
    expect(outcomes(await run(step.open('w', 'Work')))).toBe('w:ok')
    // Two messages more than when it was last open.
    expect((await first).value).toEqual(STIRRED)
    const rest = watching.next()
    setTimeout(() => abort.abort(), 20)
    expect((await rest).done).toBe(true)
  })

  it('polls where the server has no IDLE', async () => {
    const clock = new ManualClock()
    const abort = new AbortController()
    const { session, run } = await connectScripted(
      'UIDPLUS',
      async (peer) => {
        await peer.answer('SELECT', ...selectLines())
        await peer.answer('NOOP', '* 1 EXPUNGE', 'OK done')
      },
      { clock },
    )
    await run(step.open('o'))
    const watching = session.watch('INBOX', abort.signal)[Symbol.asyncIterator]()
    const first = watching.next()
    await new Promise((resolve) => setImmediate(resolve))
    clock.advance(POLL_INTERVAL_MS)
    expect((await first).value).toEqual(STIRRED)
    const rest = watching.next()
    abort.abort()
    expect((await rest).done).toBe(true)
  })

  it('ends when the connection does', async () => {
    const { session, run } = await connectScripted('IDLE', async (peer) => {
      await peer.answer('SELECT', ...selectLines())
      await peer.expect('IDLE')
      peer.send('+ idling')
      peer.finish()
    })
    await run(step.open('o'))
    expect(await collect(session.watch('INBOX', new AbortController().signal))).toEqual([])
    expect(session.ended?.code).toBe('remote.disconnected')
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
