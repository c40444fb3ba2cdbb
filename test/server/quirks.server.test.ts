/** What is odd about each server is shown to be so, and the engine ends equal where it meets it. */

import { UidSet } from '@tidemail/core'
import { RawImap, type RealServer, type RealServerName, startDovecot } from '@tidemail/testing'
import { expect, it } from 'vitest'
import { numbered, numberedRange } from '../e2e/numbered-mail.ts'
import { type RealAccount, withAccount } from '../e2e/real-account.ts'
import { ALL_SERVERS, onServers } from '../e2e/real-servers.ts'
import { SERVER_QUIRKS, type ServerQuirk } from './server-quirks.ts'

const QUIRK_MS_MAX = 60_000

onServers(ALL_SERVERS, (real, name) => {
  for (const quirk of SERVER_QUIRKS.filter(({ on }) => on.includes(name)))
    it.concurrent(`${quirk.number}: ${quirk.what}`, () => meet(quirk, real(), name), QUIRK_MS_MAX)

  it('9: a made-up body, of a message expunged since the mailbox was opened, is never kept', async () => {
    let meanwhile: (() => void) | null = null
    const rewriteLine = (line: string): string => {
      if (/^\* \d+ EXISTS$/.test(line)) {
        meanwhile?.()
        meanwhile = null
      }
      return line
    }
    await withAccount(real(), { policy: { bodies: 'all' }, proxy: { rewriteLine } }, async (account) => {
      await account.sync()
      await account.seed('INBOX', numberedRange(1, 3))
      const expunged: Promise<void>[] = []
      meanwhile = () => {
        const last = account.rival.has('UIDPLUS') ? 'UID EXPUNGE 2' : 'EXPUNGE'
        expunged.push(account.rivalIn('INBOX', 'UID STORE 2 +FLAGS.SILENT (\\Deleted)', last))
      }
      // Long enough that the rival is done before the next command of the engine arrives.
      account.proxy.setPace({ delayMs: { up: 400 } })
      await account.sync()
      if (name === 'courier') expect(await sectionsHeldOf(account, 2)).toEqual([])
      await Promise.all(expunged)
      account.proxy.setPace({})
      expect(expunged).not.toEqual([])
      const asked = account.proxy.commands.flatMap(({ line }) => /UID FETCH (\S+) .*BODY\.PEEK/.exec(line)?.[1] ?? [])
      expect(
        asked.some((uids) => UidSet.parse(uids).has(2)),
        'the body was asked for',
      ).toBe(true)
      expect(await account.sync()).toMatchObject({ outcome: 'done' })
      expect(await account.compareWithServer()).toEqual([])
    })
  })
})

onServers(['dovecot'], () => {
  it('3: VANISHED names more than vanished when the log was rotated', async () => {
    const server = await startDovecot({ extraConfig: FORGETFUL })
    try {
      await withAccount(server, {}, async (account) => {
        await account.seed('INBOX', numberedRange(1, 8))
        await account.rivalIn('INBOX', 'UID STORE 1,3,7 +FLAGS.SILENT (\\Deleted)', 'UID EXPUNGE 1,3,7')
        await account.sync()
        const session = await RawImap.connect(server)
        await session.login(account.user)
        await session.ok('ENABLE QRESYNC')
        const opened = (await session.ok('SELECT INBOX')).lines.map(({ text }) => text).join('\n')
        const [, modSeq] = /HIGHESTMODSEQ (\d+)/.exec(opened) ?? []
        const [, uidValidity] = /UIDVALIDITY (\d+)/.exec(opened) ?? []
        await account.rivalIn('INBOX', 'UID STORE 8 +FLAGS.SILENT (\\Deleted)', 'UID EXPUNGE 8')
        // The log is rotated when it is some seconds old and has grown.
        const endsAt = Date.now() + FORGETS_MS_MAX
        let vanished = ''
        while (vanished !== '1,3,7:8' && Date.now() < endsAt) {
          for (let times = 0; times < 40; times += 1)
            await account.rival.ok(`UID STORE 2 ${times % 2 === 0 ? '+' : '-'}FLAGS.SILENT (\\Answered $Key${times})`)
          await new Promise((resolve) => setTimeout(resolve, 500))
          const { lines } = await session.ok(`SELECT INBOX (QRESYNC (${uidValidity} ${modSeq}))`)
          vanished = lines.map(({ text }) => /VANISHED \(EARLIER\) (\S+)/.exec(text)?.[1] ?? '').join('')
        }
        expect(vanished).toBe('1,3,7:8')
        // Verifies: DC-7162-3.2.5c
        const sampled = await session.ok(`SELECT INBOX (QRESYNC (${uidValidity} ${modSeq} 1:8 (2,4:5 4,6,8)))`)
        expect(sampled.lines.map(({ text }) => text)).toContain('* VANISHED (EARLIER) 7:8')
        session.close()
        await account.seed('INBOX', [numbered(9)])
        expect(await account.sync()).toMatchObject({ outcome: 'done' })
        expect(await account.compareWithServer()).toEqual([])
      })
    } finally {
      await server.stop()
    }
  })
})

async function sectionsHeldOf(account: RealAccount, uid: number): Promise<readonly string[]> {
  const messages = await account.messages('INBOX')
  return messages.find(({ reference }) => reference.kind === 'stored' && reference.uid === uid)?.heldSections ?? []
}

const FORGETS_MS_MAX = 20_000
const FORGETFUL = [
  'mail_index_log_rotate_min_size = 1k',
  'mail_index_log_rotate_max_size = 2k',
  'mail_index_log_rotate_min_age = 1s',
  'mail_index_log2_max_age = 2s',
  'mail_index_rewrite_min_log_bytes = 1k',
  'mail_index_rewrite_max_log_bytes = 2k',
]

/** Shows the quirk, and lets the engine meet what is left of it. */
async function meet(quirk: ServerQuirk, real: RealServer, name: RealServerName): Promise<void> {
  await withAccount(real, quirk.options ?? {}, async (account) => {
    const sessions: RawImap[] = []
    const session = async (): Promise<RawImap> => {
      const client = await RawImap.connect(real)
      sessions.push(client)
      await client.login(account.user)
      return client
    }
    const begin = async (count: number): Promise<void> => {
      await account.seed('INBOX', numberedRange(1, count))
      await account.sync()
    }
    try {
      await quirk.show({ name, real, account, session, begin })
      // A server may have ended the connection whose mailbox was deleted: then the next run connects again.
      await account.engine.syncOnce().catch(() => undefined)
      expect(await account.sync()).toMatchObject({ outcome: 'done', entriesPending: 0 })
      expect(await account.compareWithServer()).toEqual([])
    } finally {
      for (const client of sessions) client.close()
    }
  })
}
