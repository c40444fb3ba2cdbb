/** A mailbox of a real server gets a new UIDVALIDITY: its messages are told anew, and no body is fetched twice. */

import type { MessageReference } from '@tidemail/core'
import type { DovecotServer } from '@tidemail/testing'
import { expect, it } from 'vitest'
import { numberedRange } from './numbered-mail.ts'
import { type RealAccount, withAccount } from './real-account.ts'
import { onServers } from './real-servers.ts'

const SIZES = process.env['TIDEMAIL_CAMPAIGN'] === 'all' ? [1_000, 10_000] : [1_000]
/** More than there are messages: every body is held before. */
const POLICY = { bodies: 'all', newestMessages: 20_000 } as const

const bodyFetches = ({ proxy }: RealAccount): readonly string[] =>
  proxy.commands.map(({ line }) => line).filter((line) => /\bBODY(\.PEEK)?\[|\bBINARY|\bRFC822(?!\.SIZE)/i.test(line))

onServers(['dovecot'], (server) => {
  // Verifies: DC-4549-4.1.1, I-SYNC-1
  it.each(SIZES)('the bodies of %i messages are kept, and none is asked for', { timeout: 600_000 }, (count) =>
    withAccount(server(), { policy: POLICY }, async (account) => {
      const half = count / 2
      await account.create('Work')
      await account.seed('Work', [...numberedRange(1, half, { shape: 'html' }), ...numberedRange(half + 1, count)])
      await account.sync()
      expect(bodyFetches(account).length).toBeGreaterThan(0)
      const held = (await account.messages('Work')).map(({ heldSections }) => heldSections)
      expect(held).toHaveLength(count)
      expect(held.filter((sections) => sections.length === 0)).toEqual([])

      account.proxy.reset()
      const { user } = account
      await (server() as DovecotServer).doveadm(['mailbox', 'update', '-u', user.name, '--uid-validity', '777', 'Work'])
      expect(await account.sync()).toMatchObject({ outcome: 'done', messagesFetched: count, partsFetched: 0 })
      // As a later process would find it, and ask for what it lacked.
      await account.reopen()
      expect(await account.sync()).toMatchObject({ outcome: 'done' })
      expect(account.proxy.commands.filter(({ name }) => name === 'UID FETCH').length).toBeGreaterThan(0)
      expect(bodyFetches(account)).toEqual([])
      const messages = await account.messages('Work')
      expect(messages.map(({ heldSections }) => heldSections)).toEqual(held)
      expect(await textOf(account, messages[0]?.reference)).toContain('High water at noon.')
      expect(await textOf(account, messages.at(-1)?.reference)).toContain(`This is message ${count}.`)
      expect(bodyFetches(account)).toEqual([])
      expect(await account.compareWithServer()).toEqual([])
    }),
  )
})

async function textOf({ engine }: RealAccount, reference: MessageReference | undefined): Promise<string> {
  if (reference === undefined) throw new Error('There is no message.')
  return new TextDecoder().decode((await engine.part(reference, '1')) ?? undefined)
}
