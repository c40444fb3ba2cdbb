/** What the command line does to mailboxes, against a mail server in memory. */

import { ImapServer, sampleMessages } from '@tidemail/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Sandbox, succeeded } from './cli-process.ts'

let server: ImapServer
let sandbox: Sandbox

beforeEach(async () => {
  server = await ImapServer.start({ users: { alice: 'secret' }, accounts: { mailboxes: { Archive: 'archive', Work: null } } })
  server.account('alice').append('INBOX', sampleMessages({ count: 3, seed: 7 }))
  sandbox = new Sandbox()
  const place = ['--host', '127.0.0.1', '--port', String(server.port), '--user', 'alice', '--security', 'none']
  await run('sync', ...place, '--password-file', sandbox.passwordFile)
})

afterEach(async () => {
  sandbox.remove()
  await server.close()
})

const run = async (...words: string[]): Promise<string> => succeeded(await sandbox.run(words)).output

describe('tidemail mailbox', () => {
  // Verifies: I-LOG-1
  it('works offline, shows what waits, and does it at the next sync', async () => {
    const sent = server.commands.length
    expect(await run('mailbox', 'create', 'Projects/2026')).toBe('#1 make the mailbox Projects/2026\n')
    expect(await run('move', 'INBOX', '1:2', 'Projects/2026')).toBe('#2 move 2 messages from INBOX to Projects/2026\n')
    expect(await run('mailbox', 'rename', 'Work', 'Job')).toBe('#3 rename the mailbox Work to Job\n')
    expect(await run('mailbox', 'subscribe', 'Projects/2026')).toMatch(/^#4 /)
    expect(await run('mailbox', 'unsubscribe', '\\Archive')).toMatch(/^#5 unsubscribe from the mailbox Archive\n$/)
    expect(await run('list')).toMatch(/Job {2}\(change not sent yet\)\n/)
    expect(server.commands).toHaveLength(sent)
    expect(await run('plan', '--offline')).toMatch(/Projects\/2026[\s\S]*Work/)
    expect(await run('ops')).toContain('#1 make the mailbox Projects/2026\n      queued\n')

    await run('sync')
    const account = server.account('alice')
    expect(account.mailboxes.map(({ path }) => path)).toEqual(['INBOX', 'Archive', 'Job', 'Projects/2026'])
    expect(account.open('Projects/2026').messages).toHaveLength(2)
    expect([...account.subscriptions].sort()).toEqual(['Job', 'Projects/2026'])
    expect(await run('list')).not.toContain('not sent yet')
    expect(await run('mailbox', 'delete', 'Projects/2026')).toBe('#6 delete the mailbox Projects/2026 with everything in it\n')
    await run('sync')
    expect(account.mailbox('Projects/2026')).toBeUndefined()
  })
})
