/** Drafts and deletions on real servers: what is left is held against the server by an independent reader. */

import type { MessageReference } from '@tidemail/core'
import { expect, it } from 'vitest'
import { type RealAccount, withAccount } from '../e2e/real-account.ts'
import { ALL_SERVERS, onServers } from '../e2e/real-servers.ts'

const encode = (subject: string): Uint8Array =>
  new TextEncoder().encode(
    `From: ann@example.org\r\nSubject: ${subject}\r\nMessage-ID: <${subject}@example.org>\r\n\r\n${subject}\r\n`,
  )

/** Message-IDs of a mailbox on the server. */
async function onServer(account: RealAccount, name: string): Promise<readonly (string | null)[]> {
  const { mailboxes } = await account.readServer()
  const found = mailboxes.find(({ path }) => path === account.path(name))
  return (found?.messages ?? []).map(({ messageId }) => messageId)
}

/** Some servers have these for every user. */
async function made(account: RealAccount, ...names: readonly string[]): Promise<void> {
  for (const name of names) await account.rival.command(`CREATE ${account.wireName(name)}`)
  await account.sync()
}

onServers(ALL_SERVERS, (server) => {
  it('a draft takes the place of the version before, and of versions that wait only the last is uploaded', async () => {
    await withAccount(server(), {}, async (account) => {
      await made(account, 'Drafts')
      const to = await account.mailboxId('Drafts')
      const save = async (subject: string, replaces?: MessageReference): Promise<MessageReference> =>
        account.engine.saveDraft({ bytes: encode(subject), to, ...(replaces === undefined ? {} : { replaces }) }).message
      let last = await save('one')
      await account.sync()
      for (const subject of ['two', 'three', 'four']) last = await save(subject, last)
      await account.sync()
      await account.sync()
      expect(await onServer(account, 'Drafts')).toEqual(['<four@example.org>'])
      expect((await account.engine.message(last))?.reference.kind).toBe('stored')
      expect(await account.engine.entries()).toEqual([])
      expect(await account.compareWithServer()).toEqual([])
    })
  })

  // Verifies: I-LOG-3
  it('a draft whose answer is lost is there once, and the version before is not', async () => {
    await withAccount(server(), {}, async (account) => {
      await made(account, 'Drafts')
      const to = await account.mailboxId('Drafts')
      const first = await account.engine.saveDraft({ bytes: encode('one'), to }).message
      await account.sync()
      await account.engine.saveDraft({ bytes: encode('two'), to, replaces: first }).accepted
      const uploads = ['APPEND', 'UID REPLACE']
      account.proxy.setFault({
        kind: 'lose-answer',
        command: ({ name }) => uploads.includes(name),
        how: 'rst',
        loses: 'everything',
      })
      await account.engine.syncOnce().catch(() => null)
      await account.reopen()
      await account.sync()
      await account.sync()
      expect(await onServer(account, 'Drafts')).toEqual(['<two@example.org>'])
      expect(await account.engine.entries()).toEqual([])
      expect(await account.compareWithServer()).toEqual([])
    })
  })

  it('what is deleted goes to Trash, and from there for good; and can be taken back before', async () => {
    await withAccount(server(), {}, async (account) => {
      await made(account, 'Trash')
      await account.seed(
        'INBOX',
        ['a', 'b', 'c'].map((subject) => ({ bytes: encode(subject) })),
      )
      await account.sync()
      const to = await account.mailboxId('Trash')
      const references = (await account.messages('INBOX')).map(({ reference }) => reference)
      const [seq] = await account.engine.delete(references.slice(0, 2), { to }).accepted
      await account.sync()
      expect(await onServer(account, 'Trash')).toHaveLength(2)
      const [one] = await account.messages('Trash')
      await account.engine.delete(one?.reference ?? [], { to }).accepted
      await account.sync()
      expect(await onServer(account, 'Trash')).toHaveLength(1)
      if (account.rival.has('MOVE') && seq !== undefined) {
        expect(await account.engine.undo(seq)).toMatchObject({ kind: 'compensated' })
        await account.sync()
        expect([...(await onServer(account, 'INBOX')), ...(await onServer(account, 'Trash'))]).toHaveLength(2)
        expect(await onServer(account, 'Trash')).toEqual([])
      }
      expect(await account.compareWithServer()).toEqual([])
    })
  })
})
