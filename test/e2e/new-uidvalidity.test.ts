/** A mailbox of a real server gets a new UIDVALIDITY: its messages are told anew, and no body is fetched twice. */

import type { DovecotServer } from '@tidemail/testing'
import { expect, it } from 'vitest'
import { numbered } from './numbered-mail.ts'
import { withAccount } from './real-account.ts'
import { onServers } from './real-servers.ts'

const MESSAGES = Array.from({ length: 200 }, (_, i) => numbered(i + 1, { shape: i % 2 === 0 ? 'html' : 'plain' }))

onServers(['dovecot'], (server) => {
  // Verifies: DC-4549-4.1.1, I-SYNC-1
  it('the bodies of 200 messages are kept', () =>
    withAccount(server(), { policy: { bodies: 'all' } }, async (account) => {
      await account.create('Work')
      await account.seed('Work', MESSAGES)
      await account.sync()
      const held = (await account.messages('Work')).map(({ heldSections }) => heldSections)
      expect(held.flat().length).toBeGreaterThanOrEqual(MESSAGES.length)
      const { user } = account
      await (server() as DovecotServer).doveadm(['mailbox', 'update', '-u', user.name, '--uid-validity', '777', 'Work'])
      expect(await account.sync()).toMatchObject({ outcome: 'done', messagesFetched: MESSAGES.length, partsFetched: 0 })
      expect((await account.messages('Work')).map(({ heldSections }) => heldSections)).toEqual(held)
      expect(await account.compareWithServer()).toEqual([])
    }))
})
