/** What is held of the mailboxes of a real server when a policy holds some messages only, and what stops when somebody empties one. */

import { expect, it } from 'vitest'
import { numbered } from './numbered-mail.ts'
import { type RealAccount, type SeedMessage, withAccount } from './real-account.ts'
import { onServers } from './real-servers.ts'
import { ALL_SERVERS } from './server-names.ts'

const DAY_MS = 86_400_000

/** One message a day, the last of them of this moment. */
function ofDays(count: number): readonly SeedMessage[] {
  const now = Date.now()
  return Array.from({ length: count }, (_, i) => ({ ...numbered(i + 1), internalDate: now - (count - 1 - i) * DAY_MS }))
}

const numbersIn = async (account: RealAccount): Promise<number[]> =>
  (await account.messages('Work')).map(({ envelope }) => Number(/\d+/.exec(envelope.subject ?? '')?.[0]))

async function expectEqual(account: RealAccount): Promise<void> {
  expect(await account.engine.verify()).toMatchObject({ outcome: 'equal', leftOut: [] })
}

onServers(ALL_SERVERS, (server) => {
  // Verifies: I-SYNC-2, I-SYNC-5
  it('the messages of the last days, and older ones when they are asked for', () =>
    withAccount(server(), { policy: { bodies: 'none', hold: { lastDays: 7 } } }, async (account) => {
      await account.create('Work')
      await account.seed('Work', ofDays(40))
      expect(await account.sync()).toMatchObject({ outcome: 'done' })
      const held = await numbersIn(account)
      // The day before the first, by UTC or by the server's calendar, may be among them.
      expect([7, 8, 9]).toContain(held.length)
      expect(held).toEqual(Array.from({ length: held.length }, (_, i) => 41 - held.length + i))
      await expectEqual(account)
      const path = account.path('Work')
      expect(await account.engine.backfill({ mailbox: path, messages: 5 })).toMatchObject({
        messagesFetched: 5,
        messagesToFetch: 0,
      })
      expect(await numbersIn(account)).toHaveLength(held.length + 5)
      await account.reopen({ bodies: 'none', hold: { lastMessages: 3 } })
      await account.seed('Work', [numbered(41)])
      expect(await account.sync()).toMatchObject({ outcome: 'done', messagesFetched: 1 })
      expect((await numbersIn(account)).slice(-3)).toEqual([39, 40, 41])
      expect(await numbersIn(account)).toHaveLength(5 + 3)
      await account.engine.backfill({ mailbox: path, messages: 0 })
      expect(await numbersIn(account)).toEqual([39, 40, 41])
      await expectEqual(account)
      await account.reopen({ bodies: 'none' })
      expect(await account.sync()).toMatchObject({ outcome: 'done', messagesFetched: 38 })
      expect(await account.compareWithServer()).toEqual([])
    }))

  // Verifies: FIELD-12
  it('a mailbox that somebody emptied keeps its messages until that is allowed', () =>
    withAccount(server(), {}, async (account) => {
      await account.create('Work')
      await account.seed('Work', ofDays(120))
      await account.sync()
      await account.rivalIn('Work', 'UID STORE 1:* +FLAGS.SILENT (\\Deleted)', 'EXPUNGE')
      const { outcome, problems } = await account.engine.syncOnce()
      expect([outcome, ...problems.map(({ code }) => code)]).toEqual(['incomplete', 'sync.mass-delete'])
      expect(await numbersIn(account)).toHaveLength(120)
      await account.engine.allowDeletions({ mailbox: account.path('Work') })
      expect(await account.sync()).toMatchObject({ outcome: 'done' })
      expect(await account.compareWithServer()).toEqual([])
    }))
})
