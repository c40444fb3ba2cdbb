/** A started engine on real servers: it hears of what others do at once, by whatever the server can. */

import { PING_DEADLINE_MS_MAX } from '@tidemail/core'
import type { EngineStatus, MailEngine } from '@tidemail/engine'
import { expect, it } from 'vitest'
import { until } from '../sim/engine-lab.ts'
import { type RealAccount, withAccount } from './real-account.ts'
import { onServers } from './real-servers.ts'

const NAME_CHANGE_MS = 1_000
/** A login and a pass over a few mailboxes, also where others have the machine. */
const RECONNECTED_MS_MAX = 10_000

const letter = (subject: string): Uint8Array =>
  new TextEncoder().encode(
    `From: a@lab.example\r\nSubject: ${subject}\r\nMessage-ID: <${subject.toLowerCase()}@lab.example>\r\n\r\nText.\r\n`,
  )

/** Resolves when the engine waits for news in this way; without it the next pass would be minutes away. */
async function watching(engine: MailEngine, way: NonNullable<EngineStatus['watching']>['way'], count: number): Promise<void> {
  await until(
    engine.status,
    ({ watching: now }) => now?.way === way && (now.mailboxes === 'all' || now.mailboxes.length === count),
  )
}

/** Resolves when the app sees so many messages there; -1 for none, since the mailbox is gone. */
async function total(account: RealAccount, name: string, count: number): Promise<void> {
  const path = account.path(name)
  await until(account.engine.live.mailboxes(), (mailboxes) => {
    return (mailboxes.find((mailbox) => mailbox.path === path)?.total ?? -1) === count
  })
}

/**
 * Dovecot 2.3 does not tell of a name that changes in the first 50 ms or so after NOTIFY SET, until the next one changes; the engine finds it by its timer.
 * So names change until the wait is over.
 */
async function whileNamesChange(account: RealAccount, wait: () => Promise<void>): Promise<void> {
  let isOver = false
  const over = wait().finally(() => {
    isOver = true
  })
  for (let number = 1; !isOver; number += 1) {
    await Promise.race([over, new Promise((resolve) => setTimeout(resolve, NAME_CHANGE_MS))])
    if (!isOver) await account.create(`Name ${number}`)
  }
  await over
}

const withoutNotify = (line: string): string => line.replace(/ NOTIFY\b/, '')

const commands = (account: RealAccount): readonly string[] => account.proxy.commands.map(({ name }) => name)

onServers(['dovecot'], (server) => {
  // Verifies: DC-5465-5, DC-5465-5.4
  it('is told by NOTIFY of new mail, removals, flags and names anywhere, over one connection', async () => {
    await withAccount(server(), {}, async (account) => {
      await account.create('Work')
      await account.create('Lists')
      await account.seed('Lists', [{ bytes: letter('One') }])
      account.engine.start()
      await watching(account.engine, 'notify', 0)
      await account.seed('Work', [{ bytes: letter('Two') }, { bytes: letter('Three') }])
      await total(account, 'Work', 2)
      await account.seed('INBOX', [{ bytes: letter('Four') }])
      await total(account, 'INBOX', 1)
      await account.rivalIn('Work', 'UID STORE 1 +FLAGS (\\Flagged)')
      const page = account.engine.live.page({ mailboxId: await account.mailboxId('Work'), limit: 10 })
      await until(page, ({ messages }) => messages.some(({ flags }) => flags.includes('\\Flagged')))
      await account.rivalIn('Work', 'UID STORE 1 +FLAGS (\\Deleted)', 'EXPUNGE', 'UNSELECT')
      await total(account, 'Work', 1)
      await account.rename('Work', 'Done')
      await account.create('New')
      await account.rival.ok(`DELETE ${account.wireName('Lists')}`)
      await whileNamesChange(account, async () => {
        await total(account, 'Done', 1)
        await total(account, 'New', 0)
        await total(account, 'Lists', -1)
      })
      await account.engine.pause()
      expect(await account.compareWithServer()).toEqual([])
    })
  })
})

onServers(['cyrus', 'courier'], (server) => {
  it('is told by IDLE of new mail and removals in INBOX, and over a further connection in another mailbox', async () => {
    await withAccount(server(), {}, async (account) => {
      await account.create('Work')
      await account.reopen({ bodies: 'none', watch: [account.path('Work')], connectionsMax: 2 })
      account.engine.start()
      await watching(account.engine, 'idle', 2)
      await account.seed('Work', [{ bytes: letter('One') }, { bytes: letter('Two') }])
      await total(account, 'Work', 2)
      await watching(account.engine, 'idle', 2)
      await account.seed('INBOX', [{ bytes: letter('Three') }])
      await total(account, 'INBOX', 1)
      await watching(account.engine, 'idle', 2)
      await account.rivalIn('Work', 'UID STORE 1 +FLAGS (\\Deleted)', 'EXPUNGE')
      await total(account, 'Work', 1)
      await account.engine.pause()
      expect(await account.compareWithServer()).toEqual([])
      expect(commands(account)).not.toContain('NOTIFY')
    })
  })
})

onServers(['dovecot', 'cyrus', 'courier'], (server) => {
  // Verifies: FIELD-16
  it('notices a connection that fell silent in IDLE, when the network changed, and takes in what came meanwhile', async () => {
    await withAccount(server(), { proxy: { rewriteLine: withoutNotify } }, async (account) => {
      account.engine.start()
      await watching(account.engine, 'idle', 1)
      const { connections } = account.proxy.counts()
      await expect.poll(() => commands(account).at(-1)).toBe('IDLE')
      account.proxy.cut('stall')
      await account.seed('INBOX', [{ bytes: letter('One') }])
      const changedAt = performance.now()
      account.engine.networkChanged()
      await total(account, 'INBOX', 1)
      const tookMs = performance.now() - changedAt
      // The new connection, and what it asks for, come after the deadline.
      expect(tookMs).toBeGreaterThan(PING_DEADLINE_MS_MAX * 0.9)
      expect(tookMs).toBeLessThan(PING_DEADLINE_MS_MAX + RECONNECTED_MS_MAX)
      expect(account.proxy.counts().connections).toBe(connections + 1)
      await account.engine.pause()
      expect(await account.compareWithServer()).toEqual([])
    })
  })
})
