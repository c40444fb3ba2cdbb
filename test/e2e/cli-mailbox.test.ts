/** What the command line does to mailboxes, against a mail server in memory. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CliLab } from './cli-lab.ts'
import { succeeded } from './cli-process.ts'

let lab: CliLab

beforeEach(async () => {
  lab = await CliLab.start({ messages: 3, mailboxes: { Archive: 'archive', Work: null } })
  await run('sync', ...lab.words)
})
afterEach(() => lab.close())

const run = async (...words: string[]): Promise<string> => succeeded(await lab.sandbox.run(words)).output

describe('tidemail mailbox', () => {
  // Verifies: I-LOG-1
  it('works offline, shows what waits, and does it at the next sync', async () => {
    const sent = lab.server.commands.length
    expect(await run('mailbox', 'create', 'Projects/2026')).toBe('#1 make the mailbox Projects/2026\n')
    expect(await run('move', 'INBOX', '1:2', 'Projects/2026')).toBe('#2 move 2 messages from INBOX to Projects/2026\n')
    expect(await run('mailbox', 'rename', 'Work', 'Job')).toBe('#3 rename the mailbox Work to Job\n')
    expect(await run('mailbox', 'subscribe', 'Projects/2026')).toMatch(/^#4 /)
    expect(await run('mailbox', 'unsubscribe', '\\Archive')).toMatch(/^#5 unsubscribe from the mailbox Archive\n$/)
    expect(await run('list')).toMatch(/Job {2}\(change not sent yet\)\n/)
    expect(lab.server.commands).toHaveLength(sent)
    expect(await run('plan', '--offline')).toMatch(/Projects\/2026[\s\S]*Work/)
    expect(await run('ops')).toContain('#1 make the mailbox Projects/2026\n      queued\n')

    await run('sync')
    const account = lab.model
    expect(account.mailboxes.map(({ path }) => path)).toEqual(['INBOX', 'Archive', 'Job', 'Projects/2026'])
    expect(account.open('Projects/2026').messages).toHaveLength(2)
    expect([...account.subscriptions].sort()).toEqual(['Job', 'Projects/2026'])
    expect(await run('list')).not.toContain('not sent yet')
    expect(await run('mailbox', 'delete', 'Projects/2026')).toBe('#6 delete the mailbox Projects/2026 with everything in it\n')
    await run('sync')
    expect(account.mailbox('Projects/2026')).toBeUndefined()
  })
})
