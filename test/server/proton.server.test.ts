/** A bridge whose update brings new UIDs: all is taken in anew, what was made here is sent, and what was changed here is kept. */

import { SERVER_PROFILES } from '@tidemail/testing'
import { expect, it } from 'vitest'
import { numbered, numberedRange } from '../e2e/numbered-mail.ts'
import { withAccount } from '../e2e/real-account.ts'
import { onServers } from '../e2e/real-servers.ts'

onServers(['dovecot'], (real) => {
  // Verifies: I-STORE-2, DC-4549-4.1.1
  it('a Proton Bridge is updated between two looks, and both end equal', async () => {
    const { onceUpdated, ...proxy } = SERVER_PROFILES['proton-bridge']
    if (onceUpdated === undefined) throw new Error('The profile says nothing of an update.')
    await withAccount(real(), { policy: { bodies: 'none' }, proxy, readsThroughProxy: true }, async (account) => {
      await account.seed('INBOX', numberedRange(1, 4))
      expect(await account.sync()).toMatchObject({ outcome: 'done' })
      expect(await account.compareWithServer()).toEqual([])
      const [first] = await account.messages('INBOX')
      if (first === undefined) throw new Error('INBOX is empty.')
      await account.engine.flag([first.reference], { add: ['\\Flagged'] }).accepted
      await account.engine.append({ to: await account.mailboxId('Archive'), ...numbered(5) }).accepted
      account.tellOtherwise(onceUpdated)
      await account.seed('INBOX', [numbered(6)])
      await account.sync()
      const waiting = await account.engine.entries()
      expect(waiting).toMatchObject([{ progress: [{ state: 'parked', parkedFor: 'uidvalidity-changed' }] }])
      for (const { seq } of waiting) await account.engine.discard(seq)
      expect(await account.compareWithServer()).toEqual([])
      expect(await account.messages('Archive')).toHaveLength(1)
    })
  })
})
