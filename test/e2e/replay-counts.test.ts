/** How few commands a day's work offline takes on Dovecot, however many operations it was, counted on the wire. */

import type { MessageReference } from '@tidemail/core'
import { expect, it } from 'vitest'
import { numbered } from './numbered-mail.ts'
import { type RealAccount, withAccount } from './real-account.ts'
import { onServers } from './real-servers.ts'

const MESSAGES = 10_000
const COMMANDS_MAX = 25
const TURNS_MAX = 12

onServers(['dovecot'], (server) => {
  it('sends 500 flag changes, 200 removals, 50 uploads and 100 moves, each its own operation, in 25 commands and 12 turns', async () => {
    // Verifies: I-LOG-4, I-SYNC-1, H-22, DC-4549-3.1
    await withAccount(server(), {}, async (account) => {
      await account.rival.seed({ mailbox: 'INBOX', count: MESSAGES, flags: (message) => (message % 2 === 0 ? ['\\Seen'] : []) })
      await account.sync()
      await workOffline(account)
      await account.reopen()
      account.proxy.reset()
      const report = await account.engine.syncOnce()
      expect(report).toMatchObject({ outcome: 'done', entriesSettled: 850, entriesPending: 0, problems: [] })
      const { commands, turns, bytesUp, bytesDown } = account.proxy.counts()
      const names = account.proxy.commands.map(({ name }) => name).join(' ')
      console.log(`850 operations: ${commands} commands, ${turns} turns, ${bytesUp} octets up, ${bytesDown} down: ${names}`)
      expect(commands, names).toBeLessThanOrEqual(COMMANDS_MAX)
      expect(turns, names).toBeLessThanOrEqual(TURNS_MAX)
      expect(await account.compareWithServer()).toEqual([])
    })
  })
})

/** In no order that would help: every kind in turn. */
async function workOffline(account: RealAccount): Promise<void> {
  const { engine } = account
  const references = (await account.messages('INBOX')).map(({ reference }) => reference)
  const [inbox, archive] = [await account.mailboxId('INBOX'), await account.mailboxId('Archive')]
  let used = 0
  const next = (): MessageReference => {
    used += 1
    const reference = references[used * 11]
    if (reference === undefined) throw new Error('There are too few messages.')
    return reference
  }
  const accepted: Promise<unknown>[] = []
  for (let i = 0; i < 300; i += 1) {
    accepted.push(engine.flag(next(), { add: ['\\Seen'] }).accepted)
    if (i % 3 === 0) accepted.push(engine.flag(next(), { add: ['\\Flagged'] }).accepted)
    if (i % 3 === 1) accepted.push(engine.flag(next(), { remove: ['\\Seen'] }).accepted)
    if (i < 200) accepted.push(engine.expunge(next()).accepted)
    if (i < 50) accepted.push(engine.append({ to: inbox, ...numbered(i + 1, { sizeBytes: 4_000 }) }).accepted)
    if (i % 3 === 2) accepted.push(engine.move(next(), archive).accepted)
  }
  await Promise.all(accepted)
}
