/** Real servers tell whose mailboxes are whose, and a mailbox with a bare name is made where the user may make it. */

import { type RealServer, startCyrus } from '@tidemail/testing'
import { expect, it } from 'vitest'
import { withAccount } from './real-account.ts'
import { ALL_SERVERS, onServers, pathOn } from './real-servers.ts'

/** Makes `Projects` by its bare name, and tells under which paths the account and the server have it. */
async function makeProjects(server: RealServer): Promise<string> {
  return withAccount(server, {}, async ({ engine, rival }) => {
    await engine.syncOnce()
    const id = await engine.createMailbox('Projects').mailbox
    expect(await engine.syncOnce()).toMatchObject({ outcome: 'done', entriesPending: 0, entriesParked: 0 })
    const made = (await engine.mailboxes()).find((mailbox) => mailbox.id === id)
    expect(made).toMatchObject({ isPending: false, namespace: 'personal' })
    const { lines } = await rival.ok(`LIST "" "${made?.path}"`)
    expect(JSON.stringify(lines.map(({ text }) => text))).toContain(made?.path)
    return made?.path ?? ''
  })
}

onServers(ALL_SERVERS, (server, name) => {
  it('makes a mailbox by its bare name among the own ones', async () => {
    expect(await makeProjects(server())).toBe(pathOn(name, 'Projects'))
  })
})

// With Debian's defaults: NAMESPACE (("INBOX." ".")) (("user." ".")) (("" ".")), and CREATE of a bare name is refused.
onServers(['cyrus'], () => {
  it("of a standard namespace makes it below INBOX, and shows it as the user's own", async () => {
    const server = await startCyrus({ namespace: 'standard' })
    try {
      expect(await makeProjects(server)).toBe('INBOX.Projects')
    } finally {
      await server.stop()
    }
  })
})
