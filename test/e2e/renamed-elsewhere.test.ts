/** Mailboxes that another client renames on real servers are followed: by MAILBOXID, or by their state, and nothing is fetched twice. */

import { sampleMessages } from '@tidemail/testing'
import { expect, it } from 'vitest'
import { withAccount } from './real-account.ts'
import { onServers } from './real-servers.ts'

const MESSAGES = sampleMessages({ count: 6, seed: 23 })

// Courier gives a renamed mailbox a new UIDVALIDITY, and has no MAILBOXID: nothing tells that it is the same.
onServers(['dovecot', 'cyrus'], (server) => {
  // Verifies: DC-8474-8.3a, I-SYNC-1, I-STORE-2
  it('a mailbox that a rival renames keeps what is held of it and queued for it, and another may have its old name', () =>
    withAccount(server(), { policy: { bodies: 'all' } }, async (account) => {
      for (const name of ['Work', 'Old']) await account.create(name)
      await account.seed('Work', MESSAGES.slice(0, 3))
      await account.seed('Old', MESSAGES.slice(3, 5))
      await account.sync()
      const ids = [await account.mailboxId('Work'), await account.mailboxId('Old')]
      const [first] = await account.messages('Work')
      await account.engine.flag(first?.reference ?? [], { add: ['\\Flagged'] }).accepted
      await account.rename('Work', 'Job')
      await account.rename('Old', 'Former')
      await account.create('Old')
      await account.seed('Old', MESSAGES.slice(5))
      expect(await account.sync()).toMatchObject({ outcome: 'done', messagesFetched: 1, messagesRemoved: 0, partsFetched: 1 })
      expect([await account.mailboxId('Job'), await account.mailboxId('Former')]).toEqual(ids)
      expect((await account.messages('Job')).map(({ flags }) => flags.includes('\\Flagged'))).toEqual([true, false, false])
      expect(await account.engine.entries()).toEqual([])
      expect(await account.compareWithServer()).toEqual([])
    }))
})
