import { type Remote, type RemoteSession, SyncError } from '@tidemail/core'
import { describe, expect, it } from 'vitest'
import { EngineLab } from '../engine-lab.ts'

/** What an engine that does nothing wrong needs; beyond it a watch is left open, so that a loop ends. */
const WATCHES_MAX = 20

/** The same server, but for its watches: `ends` tells whether each of them ends at once, without news. */
function watching(inner: Remote, calls: { count: number }, { ends }: { readonly ends: boolean }): Remote {
  return {
    connect: async (signal) => {
      const session = await inner.connect(signal)
      const watch: RemoteSession['watch'] = async function* (path, until) {
        calls.count += 1
        if (!ends || calls.count >= WATCHES_MAX) yield* session.watch(path, until)
      }
      return {
        server: session.server,
        get ended() {
          return session.ended
        },
        run: (steps, options) => session.run(steps, options),
        watch,
        close: () => session.close(),
      }
    },
  }
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await new Promise((resolve) => setImmediate(resolve))
}

describe('the engine in the background', () => {
  it('makes no pass after pass when INBOX cannot be watched', async () => {
    // Verifies: I-NET-1, FIELD-20
    const lab = new EngineLab()
    const calls = { count: 0 }
    const engine = await lab.open({ remote: watching(lab.remote, calls, { ends: true }) })
    engine.start()
    await turns(200)
    await lab.close()
    expect(calls.count).toBeLessThanOrEqual(2)
  })

  it('watches INBOX although another mailbox can never be opened', async () => {
    // Verifies: FIELD-13, FIELD-16
    const lab = new EngineLab()
    const calls = { count: 0 }
    lab.remote.fault = (step) =>
      step.kind === 'open' && step.path === 'Work'
        ? { kind: 'reject', rejection: { status: 'NO', code: 'NOPERM', text: 'No.' } }
        : 'pass'
    lab.fill('Work', 1)
    const engine = await lab.open({ remote: watching(lab.remote, calls, { ends: false }) })
    engine.start()
    await turns(200)
    await lab.close()
    expect(calls.count).toBe(1)
  })

  it('does not knock again and again with a password that was refused', async () => {
    // Verifies: DC-5530-3, FIELD-13
    const lab = new EngineLab()
    let tries = 0
    const closed: Remote = {
      connect: () => {
        tries += 1
        return Promise.reject(new SyncError('remote.auth-rejected', 'The mail server refused the login.'))
      },
    }
    const engine = await lab.open({ remote: closed })
    engine.start()
    for (let hours = 0; hours < 24; hours += 1) {
      await turns(10)
      lab.clock.advance(3_600_000)
    }
    await lab.close()
    expect(tries).toBe(1)
  })
})
