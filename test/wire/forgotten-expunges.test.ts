/** What is said to a server that forgets what it expunged, and what that spares. Verifies: DC-7162-3.2.5c */

import { modSeq, type Remote, type RemoteSession, UidSet, uidValidity } from '@tidemail/core'
import { afterEach, describe, expect, it } from 'vitest'
import { EngineLab } from '../sim/engine-lab.ts'
import { closeScripted, connectScripted, outcomes, selectLines, step } from './scripted-session.ts'
import { WireAccount } from './wire-account.ts'

const QRESYNC = 'ENABLE CONDSTORE QRESYNC'
const WEEK_MS = 604_800_000
const open: WireAccount[] = []

afterEach(async () => {
  await closeScripted()
  for (const account of open.splice(0)) await account.close()
})

/** 200 messages have come, and each second is gone: known as UIDs 2, 4 ... 400. */
async function start(): Promise<WireAccount> {
  const account = await WireAccount.open()
  open.push(account)
  account.arrive('INBOX', 400)
  account.model.inbox.remove(UidSet.from(Array.from({ length: 200 }, (_, i) => 2 * i + 1)))
  await settleEqual(account)
  return account
}

async function settleEqual(account: WireAccount): Promise<void> {
  expect(await account.settle()).toBe('done')
  await account.expectEqual()
}

interface Look {
  /** SELECT as it was sent, without its tag. */
  readonly selects: readonly string[]
  readonly vanished: readonly string[]
  /** Octets of both. */
  readonly octets: number
}

/** Messages go, and the server forgets when any of them went; then the account is synchronised. */
async function lose(account: WireAccount, uids: string, expunges: 'forgotten' | 'remembered' = 'forgotten'): Promise<Look> {
  account.model.inbox.remove(UidSet.parse(uids))
  if (expunges === 'forgotten') account.model.inbox.forgetExpunges()
  return look(account)
}

async function look(account: WireAccount): Promise<Look> {
  const before = account.recorder.sessions.map((session) => session.length)
  await settleEqual(account)
  const lines = account.recorder.sessions.flatMap((session, i) => session.slice(before[i] ?? 0)).map(({ text }) => text)
  const selects = lines.filter((line) => / SELECT "INBOX"/.test(line)).map((line) => line.replace(/^\S+ /, ''))
  const vanished = lines.flatMap((line) => /^\* VANISHED \(EARLIER\) (\S+)/.exec(line)?.[1] ?? [])
  return { selects, vanished, octets: [...selects, ...vanished].join('').length }
}

describe('the adapter', () => {
  it('writes the sample behind the known UIDs, as two sets in parentheses', async () => {
    const known = { uidValidity: uidValidity(7), modSeq: modSeq(31), knownUids: UidSet.range(1, 40) }
    const sequenceMatch = { numbers: UidSet.parse('9,13,15:16'), uids: UidSet.parse('20,30,38,40') }
    const { run } = await connectScripted(QRESYNC, async (peer) => {
      await peer.answer('SELECT "INBOX" (QRESYNC (7 31 1:40 (9,13,15:16 20,30,38,40)))', ...selectLines())
      await peer.answer('SELECT "INBOX" (QRESYNC (7 31 1:40))', ...selectLines())
    })
    expect(outcomes(await run(step.open('a', 'INBOX', { ...known, sequenceMatch })))).toBe('a:ok')
    expect(outcomes(await run(step.open('b', 'INBOX', known)))).toBe('b:ok')
  })
})

describe('a server that forgets what it expunged', () => {
  it('is given a sample once it has told of too much, and then tells of little more than what went', async () => {
    const account = await start()
    const first = await lose(account, '390')
    expect(first.selects[0]).toMatch(/ \d+\)\)$/)
    expect(first.vanished[0]?.split(',')).toHaveLength(199)
    const second = await lose(account, '396')
    const { uidValidity: validity } = account.model.inbox
    expect(second.selects).toEqual([
      expect.stringMatching(
        new RegExp(
          `^SELECT "INBOX" \\(QRESYNC \\(${validity} \\d+ 1:400 \\(72,136,168,184,192,196,198:199 144,272,336,368,384,394,398,400\\)\\)\\)$`,
        ),
      ),
    ])
    expect(second.vanished).toEqual(['395:397,399'])
    expect(second.octets).toBeLessThan(first.octets / 5)
  })

  it('tells of all behind the last pair that holds, wherever a message went, and the end is the same', async () => {
    const account = await start()
    await lose(account, '400')
    for (const uids of ['2', '398', '100:140', '6,200,396', '300:399']) {
      account.arrive('INBOX', 2)
      const { selects, vanished } = await lose(account, uids)
      expect(selects[0]).toMatch(/ 1:\d+ \([\d:,]+ [\d:,]+\)\)\)$/)
      expect(vanished).toHaveLength(1)
    }
    // What went is not told where all messages below have the numbers they had.
    const { vanished } = await lose(account, '401')
    expect(vanished[0]?.startsWith('1:')).toBe(false)
  })

  it('is known as such to the next engine, and for a week', async () => {
    const account = await start()
    await lose(account, '390')
    await account.reopen()
    expect((await lose(account, '396')).selects[0]).toMatch(/\)\)\)$/)
    account.clock.advance(WEEK_MS)
    expect((await lose(account, '398')).selects[0]).not.toMatch(/\)\)\)$/)
    expect((await lose(account, '400')).selects[0]).toMatch(/\)\)\)$/)
  })

  it('is asked without a sample where it does not understand one', async () => {
    const lab = new EngineLab()
    const { inbox } = lab.account
    try {
      const opens: string[] = []
      lab.fill('INBOX', 400)
      inbox.remove(UidSet.from(Array.from({ length: 200 }, (_, i) => 2 * i + 1)))
      const engine = await lab.openSynchronised({ remote: withoutSamples(lab.remote, opens) })
      for (const gone of [390, 396]) {
        opens.length = 0
        inbox.remove(UidSet.of(gone))
        inbox.forgetExpunges()
        expect(await engine.syncOnce()).toMatchObject({ outcome: 'done', messagesRemoved: 1 })
      }
      expect(opens).toEqual(['sampled', 'plain'])
    } finally {
      await lab.close()
    }
  })
})

/** The same server, but for SELECT with a sample, which it does not understand. */
function withoutSamples(inner: Remote, opens: string[]): Remote {
  return {
    connect: async (signal) => {
      const session = await inner.connect(signal)
      const run: RemoteSession['run'] = async function* (steps, options) {
        for (const each of steps) {
          const isSampled = each.kind === 'open' && each.known?.sequenceMatch !== undefined
          if (each.kind === 'open') opens.push(isSampled ? 'sampled' : 'plain')
          const rejection = { status: 'BAD', code: null, text: 'Invalid QRESYNC parameters' } as const
          if (isSampled) yield { kind: 'done', id: each.id, outcome: 'rejected', rejection, exists: null }
          else yield* session.run([each], options)
        }
      }
      return {
        ...{ server: session.server, run, close: () => session.close() },
        watch: (request, until) => session.watch(request, until),
        get ended() {
          return session.ended
        },
      }
    },
  }
}

describe('a server that remembers what it expunged', () => {
  it('is given no sample, whatever others remove', async () => {
    const account = await start()
    for (const uids of ['390', '2,4', '398:400']) {
      account.arrive('INBOX', 3)
      const { selects, vanished } = await lose(account, uids, 'remembered')
      expect(selects[0]).not.toMatch(/\)\)\)$/)
      expect(vanished).toHaveLength(1)
    }
  })

  it('is not taken for a forgetful one because it tells again of what we removed', async () => {
    const account = await start()
    const [newest] = await account.references('INBOX')
    if (newest === undefined) throw new Error('no message')
    await account.engine.expunge([newest]).accepted
    const told = await look(account)
    expect(told.vanished).toEqual(['400'])
    expect((await lose(account, '390', 'remembered')).selects[0]).not.toMatch(/\)\)\)$/)
  })
})
