/** Servers that announce names for contents and refuse to tell them: they are asked again without, and that is remembered. */

import type { DistrustedCapability } from '@tidemail/core'
import type { MailEngineOptions } from '@tidemail/engine'
import { type Extension, MemoryMessageStore, type PrivateExtension } from '@tidemail/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { ME, message } from '../sim/engine-lab.ts'
import type { WireAccount } from './wire-account.ts'
import { closeAccounts, sentBy, settleEqual, startAccount } from './wire-lab.ts'

/** As planned, and once more to see whether the refusal has passed. */
const FETCHES_WITH_IT = 2

afterEach(closeAccounts)

interface Refusing {
  readonly account: WireAccount
  /** From now on the server answers a FETCH that asks for the item so, `times` times; with `all`, every FETCH that tells of a message. */
  refuse(saying: string, which?: { readonly all?: true; readonly times?: number }): void
}

interface RefusingOptions {
  readonly without?: readonly Extension[]
  readonly adds?: readonly PrivateExtension[]
  readonly engine?: Partial<MailEngineOptions>
}

async function startRefusing(item: string, options: RefusingOptions): Promise<Refusing> {
  let refused: RegExp | null = null
  let answer = ''
  let left = 0
  const account = await startAccount({
    ...options,
    proxy: {
      rewriteCommand: (line) => {
        if (refused === null || left === 0 || !refused.test(line)) return line
        left -= 1
        return line.replace(' (UID ', ' (X-REFUSED UID ')
      },
      rewriteLine: (line) => line.replace(/^([^*+ ]\S*) BAD .*X-REFUSED.*/, `$1 ${answer}`),
    },
  })
  const refuse: Refusing['refuse'] = (saying, { all, times = Number.POSITIVE_INFINITY } = {}) => {
    refused = new RegExp(`^\\S+ UID FETCH .* ${all === true ? 'ENVELOPE' : item}\\b`)
    answer = saying
    left = times
  }
  return { account, refuse }
}

async function distrusted({ disk, clock }: WireAccount): Promise<readonly DistrustedCapability[]> {
  const store = new MemoryMessageStore({ disk, clock: clock.engine })
  const found = (await store.planning.accounts()).find(({ id }) => id === ME.id)
  await store.close()
  return found?.server?.distrusted ?? []
}

describe.each([
  { capability: 'OBJECTID', item: 'EMAILID', server: {} },
  { capability: 'X-GM-EXT-1', item: 'X-GM-MSGID', server: { without: ['OBJECTID'], adds: ['X-GM-EXT-1'] } },
] as const)('a server that announces $capability', ({ capability, item, server }) => {
  const isAsked = (line: string): boolean => new RegExp(`^UID FETCH .* ${item}\\b`).test(line)

  // Verifies: FIELD-5, I-SYNC-1
  it.each(['BAD Unknown item', 'NO not here'])('and answers a FETCH with it %s, is asked without for a week', async (saying) => {
    const { account, refuse } = await startRefusing(item, server)
    refuse(saying)
    account.arrive('INBOX', 3)
    account.arrive('Work', 2)
    expect(await account.engine.syncOnce()).toMatchObject({ outcome: 'done', messagesFetched: 5, problems: [] })
    await account.expectEqual()
    const learnt = await distrusted(account)
    expect(learnt).toMatchObject([{ capability, learntBy: 'synchronisation', reason: expect.stringContaining(item) }])
    expect((learnt[0]?.expiresAt ?? 0) - (learnt[0]?.since ?? 0)).toBe(604_800_000)
    await account.reopen()
    account.arrive('INBOX', 1)
    sentBy(account)
    await settleEqual(account)
    expect(sentBy(account).filter(isAsked)).toEqual([])
  })

  // Verifies: FIELD-5
  it('and refuses it where only the newest messages are held, is asked without', async () => {
    const { account, refuse } = await startRefusing(item, {
      ...server,
      engine: { policy: { bodies: 'none', hold: { lastMessages: 2 } } },
    })
    refuse('BAD Unknown item')
    account.arrive('INBOX', 1_200)
    expect(await account.engine.syncOnce()).toMatchObject({ outcome: 'done', messagesFetched: 2, problems: [] })
    expect(sentBy(account).filter(isAsked)).toHaveLength(FETCHES_WITH_IT)
  })

  // Verifies: FIELD-5, H-9
  it('and refuses it to who looks for an upload whose answer was lost, is asked without', async () => {
    const { account, refuse } = await startRefusing(item, server)
    await settleEqual(account)
    refuse('BAD Unknown item')
    account.proxy.setFault({ kind: 'lose-answer', command: 'APPEND', how: 'rst', loses: 'everything' })
    await account.engine.append({ to: await account.id('Archive'), bytes: message('Upload') }).accepted
    await settleEqual(account)
    expect(account.model.open('Archive').messages).toHaveLength(1)
    expect(await account.engine.entries()).toEqual([])
  })

  // Verifies: FIELD-5
  it('and refuses it to who compares what is held, is asked without', async () => {
    const { account, refuse } = await startRefusing(item, server)
    account.arrive('INBOX', 3)
    await settleEqual(account)
    refuse('BAD Unknown item')
    expect(await account.engine.verify()).toMatchObject({ outcome: 'equal' })
    expect(await distrusted(account)).toMatchObject([{ capability }])
  })

  // Verifies: FIELD-5
  it.each(['NO not now', 'NO [UNAVAILABLE] later', 'BAD what?'])('and says %s once, is believed', async (saying) => {
    const { account, refuse } = await startRefusing(item, server)
    refuse(saying, { times: 1 })
    account.arrive('INBOX', 2)
    expect(await account.engine.syncOnce()).toMatchObject({ outcome: 'done', messagesFetched: 2, problems: [] })
    await account.expectEqual()
    expect(await distrusted(account)).toEqual([])
  })

  // Verifies: FIELD-5, I-SYNC-1
  it('and refuses every FETCH, with or without it, is believed, and nothing is missing once it answers', async () => {
    const { account, refuse } = await startRefusing(item, server)
    refuse('NO not now', { all: true })
    account.arrive('INBOX', 2)
    expect(await account.engine.syncOnce()).toMatchObject({ outcome: 'incomplete' })
    refuse('NO not now', { times: 0 })
    await settleEqual(account)
    expect(await distrusted(account)).toEqual([])
    sentBy(account)
    account.arrive('INBOX', 1)
    await settleEqual(account)
    expect(sentBy(account).some(isAsked)).toBe(true)
  })
})
