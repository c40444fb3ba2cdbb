/** Mailboxes are made, renamed, deleted and subscribed to on real servers, whatever is lost on the way. */

import { sampleMessages } from '@tidemail/testing'
import { expect, it } from 'vitest'
import { type RealAccount, withAccount } from './real-account.ts'
import { ALL_SERVERS, onServers } from './real-servers.ts'

const MESSAGES = sampleMessages({ count: 4, seed: 11 })

async function furnish(account: RealAccount): Promise<void> {
  for (const name of ['Shelf', 'Old', 'Work']) await account.create(name)
  await account.seed('INBOX', MESSAGES.slice(0, 2))
  await account.seed('Old', MESSAGES.slice(2, 3))
  await account.seed('Work', MESSAGES.slice(3))
  await account.sync()
}

/** Names with their parts divided as this server does. */
async function below(account: RealAccount, superior: string, name: string): Promise<string> {
  const { delimiter } = await account.engine.mailbox('INBOX')
  return `${superior}${delimiter ?? '/'}${name}`
}

async function reorganise(account: RealAccount): Promise<void> {
  const { engine } = account
  const references = async (name: string) => (await account.messages(name)).map(({ reference }) => reference)
  const plans = await engine.createMailbox(account.path('Pläne')).mailbox
  await engine.move((await references('INBOX')).slice(0, 1), plans).accepted
  const inside = await engine.createMailbox(account.path(await below(account, 'Pläne', '2026'))).mailbox
  await engine.append({ to: inside, bytes: MESSAGES[0]?.bytes ?? new Uint8Array() }).accepted
  await engine.subscribe(plans).accepted
  await engine.renameMailbox(await account.mailboxId('Work'), account.path('Job')).accepted
  await engine.move(await references('Old'), await account.mailboxId('Shelf')).accepted
  await engine.deleteMailbox(await account.mailboxId('Old')).accepted
}

async function expectReorganised(account: RealAccount): Promise<void> {
  const views = await account.engine.mailboxes()
  const totals = new Map(views.map(({ path, total }) => [path, total]))
  const expected = { INBOX: 1, Shelf: 1, Job: 1, Pläne: 1, [await below(account, 'Pläne', '2026')]: 1 }
  for (const [name, total] of Object.entries(expected)) expect([name, totals.get(account.path(name))]).toEqual([name, total])
  for (const name of ['Old', 'Work']) expect(totals.has(account.path(name))).toBe(false)
  expect(views.find(({ path }) => path === account.path('Pläne'))).toMatchObject({ isSubscribed: true, isPending: false })
  expect(await account.engine.entries()).toEqual([])
  expect(await account.compareWithServer()).toEqual([])
}

onServers(ALL_SERVERS, (server) => {
  // Verifies: I-LOG-1, I-SYNC-1, I-STORE-3
  it('what was done to mailboxes offline is done on the server', () =>
    withAccount(server(), {}, async (account) => {
      await furnish(account)
      await reorganise(account)
      const report = await account.sync()
      expect(report).toMatchObject({ outcome: 'done', problems: [] })
      await expectReorganised(account)
      expect((await account.engine.receipts()).flatMap(({ outcomes }) => outcomes.map(({ outcome }) => outcome))).toEqual(
        Array.from({ length: 8 }, () => 'applied'),
      )
    }))

  // Verifies: I-LOG-3, I-SYNC-3
  it.each(['CREATE', 'RENAME', 'DELETE', 'SUBSCRIBE'])('an answer to %s that is lost is found out by LIST', (command) =>
    withAccount(server(), {}, async (account) => {
      await furnish(account)
      await reorganise(account)
      account.proxy.setFault({ kind: 'lose-answer', command, how: 'rst' })
      await expect(account.engine.syncOnce()).rejects.toMatchObject({ code: 'remote.disconnected' })
      await account.reopen()
      await account.sync()
      await expectReorganised(account)
    }),
  )

  it('a mailbox keeps its messages when it is renamed with what is below it, and stays subscribed', () =>
    withAccount(server(), {}, async (account) => {
      await furnish(account)
      const sub = await below(account, 'Work', 'Sub')
      await account.create(sub)
      await account.seed(sub, MESSAGES.slice(0, 1))
      await account.rival.ok(`SUBSCRIBE ${account.wireName('Work')}`)
      await account.sync()
      const ids = [await account.mailboxId('Work'), await account.mailboxId(sub)]
      await account.engine.renameMailbox(ids[0] as (typeof ids)[0], account.path('Job')).accepted
      expect(await account.sync()).toMatchObject({ outcome: 'done', messagesRemoved: 0 })
      expect([await account.mailboxId('Job'), await account.mailboxId(await below(account, 'Job', 'Sub'))]).toEqual(ids)
      expect(await account.sync()).toMatchObject({ outcome: 'done', messagesFetched: 0, messagesRemoved: 0 })
      expect(await account.engine.mailbox(account.path('Job'))).toMatchObject({ isSubscribed: true })
      expect(await account.compareWithServer()).toEqual([])
    }))
})
