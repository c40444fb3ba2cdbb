/** How few commands a synchronisation of Dovecot takes, counted on the wire. */

import { expect, it } from 'vitest'
import { type RealAccount, withAccount } from './real-account.ts'
import { onServers } from './real-servers.ts'

const MAILBOXES = 40
const MESSAGES_PER_MAILBOX = 500
const CHANGED = 'box-17'

onServers(['dovecot'], (server) => {
  it('takes in 20,000 messages of 40 mailboxes, then asks once a run, and opens only what a rival changed', async () => {
    // Verifies: I-SYNC-1, I-SYNC-2, DC-4549-4.4, DC-4549-5.2-3a, DC-4549-6.1a
    await withAccount(server(), {}, async (account) => {
      await seed(account)
      const startedAt = performance.now()
      const first = await account.engine.syncOnce()
      const wallMs = Math.round(performance.now() - startedAt)
      const { bytesDown, bytesUp, commands, turns } = account.proxy.counts()
      console.log(
        `20,000 messages in 40 mailboxes: ${wallMs} ms, ${commands} commands, ${turns} turns, ${bytesUp} octets up, ${bytesDown} down`,
      )
      expect(first).toMatchObject({ outcome: 'done', messagesFetched: MAILBOXES * MESSAGES_PER_MAILBOX, problems: [] })
      expect(await account.compareWithServer()).toEqual([])

      await account.reopen()
      account.proxy.reset()
      const second = await account.engine.syncOnce()
      expect(second).toMatchObject({ outcome: 'done', messagesFetched: 0, mailboxesOpened: 0 })
      expect(commandsAfterLogin(account)).toEqual(['ENABLE', 'LIST'])

      await account.rivalIn(CHANGED, 'UID STORE 101:200 +FLAGS (\\Flagged)', 'UID STORE 21:70 +FLAGS (\\Deleted)', 'EXPUNGE')
      await account.rival.seed({ mailbox: CHANGED, count: 50 })
      await account.reopen()
      account.proxy.reset()
      const third = await account.engine.syncOnce()
      expect(third).toMatchObject({
        outcome: 'done',
        messagesFetched: 50,
        messagesRemoved: 50,
        flagsChanged: 100,
        mailboxesOpened: 1,
      })
      expect(commandsAfterLogin(account)).toEqual(['ENABLE', 'LIST', 'SELECT', 'UID FETCH'])
      expect(lineOf(account, 'LIST')).toMatch(/ RETURN \(.*STATUS \(/)
      expect(lineOf(account, 'SELECT')).toMatch(/\(QRESYNC \(\d+ \d+/)
      expect(await account.compareWithServer()).toEqual([])
    })
  })
})

/** 40 mailboxes, the inbox among them; Dovecot's own five stay empty. */
async function seed(account: RealAccount): Promise<void> {
  for (let number = 1; number <= MAILBOXES; number += 1) {
    const mailbox = number === 1 ? 'INBOX' : `box-${number}`
    if (number > 1) await account.create(mailbox)
    await account.rival.seed({
      mailbox,
      count: MESSAGES_PER_MAILBOX,
      flags: (message) => (message % 3 === 0 ? ['\\Seen'] : []),
    })
  }
}

/** Without LOGIN or AUTHENTICATE, which is there, and LOGOUT, which may be. */
function commandsAfterLogin({ proxy }: RealAccount): string[] {
  const [login, ...names] = proxy.commands.map(({ name }) => name)
  expect(login).toMatch(/^(LOGIN|AUTHENTICATE)$/)
  return names.filter((name) => name !== 'LOGOUT')
}

function lineOf({ proxy }: RealAccount, name: string): string {
  return proxy.commands.find((command) => command.name === name)?.line ?? ''
}
