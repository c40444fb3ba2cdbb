/** A Cyrus as it comes, which keeps every mailbox below INBOX with full stops between the levels: mailboxes come, go and change names on it, too. */

import { type CyrusServer, startCyrus } from '@tidemail/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type RealAccount, withAccount } from '../e2e/real-account.ts'
import { onServers } from '../e2e/real-servers.ts'
import { play } from '../e2e/scenario.ts'
import { MAILBOX_SCENARIOS } from './mailbox-scenarios.ts'
import { SHARED_WORK_SCENARIOS } from './shared-work-scenarios.ts'

const OPTIONS = { namespace: 'below-inbox' } as const
const played = [
  ...MAILBOX_SCENARIOS,
  ...SHARED_WORK_SCENARIOS.filter(({ name }) => /^we (?:make|rename|delete|move) /.test(name)),
].filter(({ except }) => except?.cyrus === undefined)

// Verifies: I-SYNC-1, I-SYNC-5, DC-4549-3.3
onServers(['cyrus'], () => {
  let server: CyrusServer
  beforeAll(async () => {
    server = await startCyrus({ namespace: 'standard' })
  })
  afterAll(() => server.stop())

  for (const { name, lines, policy = { bodies: 'none' as const } } of played)
    it.concurrent(`below INBOX: ${name}`, () => withAccount(server, { ...OPTIONS, policy }, (account) => play(account, lines)))

  it('finds the delimiter and the special uses, makes a bare name below INBOX, and shows a mailbox as refused that would be among those of others', () =>
    withAccount(server, OPTIONS, async (account) => {
      await account.sync()
      const mailboxes = await account.engine.mailboxes()
      expect(mailboxes.map(({ path, delimiter, role }) => `${path} ${delimiter} ${role}`)).toEqual(
        expect.arrayContaining(['INBOX . inbox', 'INBOX.Drafts . drafts', 'INBOX.Trash . trash']),
      )
      const work = await account.engine.createMailbox('INBOX.Work').mailbox
      await account.engine.createMailbox('INBOX.Work.Deep').accepted
      await account.engine.renameMailbox(work, 'INBOX.Done').accepted
      await account.engine.createMailbox('Bare').accepted
      await account.engine.createMailbox('user.somebody.Work').accepted
      await account.sync()
      expect(await pathsOnServer(account)).toEqual(expect.arrayContaining(['INBOX.Done', 'INBOX.Done.Deep', 'INBOX.Bare']))
      const waiting = await account.engine.entries()
      expect(waiting.map(({ operation }) => operation)).toMatchObject([{ kind: 'create-mailbox', path: 'user.somebody.Work' }])
    }))
})

async function pathsOnServer(account: RealAccount): Promise<readonly string[]> {
  return (await account.readServer()).mailboxes.map(({ path }) => path)
}
