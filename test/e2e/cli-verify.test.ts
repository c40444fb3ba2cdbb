/** `tidemail verify` and `tidemail doctor`, from the command line to the exit status. */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UidSet } from '@tidemail/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { OF_AN_EXAMINATION } from '../wire/transcript-lint.ts'
import { CliLab } from './cli-lab.ts'
import { failed, succeeded } from './cli-process.ts'

let lab: CliLab

beforeEach(async () => {
  lab = await CliLab.start({ messages: 5 })
})
afterEach(() => lab.close())

const inbox = () => lab.model.inbox

/** The server tells of no change to the flags of INBOX, until it is asked for all of them. */
function hideFlags(): void {
  const still = inbox().highestModSeq
  lab.lie = (line) => {
    const opening = lab.proxy.commands.findLast(({ name }) => name === 'SELECT' || name === 'EXAMINE')
    // It is selected for what changed, and examined for everything.
    if (opening?.name === 'SELECT' && /^\* \d+ FETCH /.test(line)) return null
    return line.includes('Archive') ? line : line.replace(/HIGHESTMODSEQ \d+/, `HIGHESTMODSEQ ${still}`)
  }
}

describe('tidemail verify', () => {
  it('says that a store is equal, in a table and as events', async () => {
    succeeded(await lab.sandbox.run(['sync', ...lab.words]))
    const { output } = succeeded(await lab.sandbox.run(['verify']))
    expect(output).toContain('COMPARED  MISSING    EXTRA    FLAGS  IDENTITY  MAILBOX\n')
    expect(output).toContain('       5        0        0        0         0  INBOX\n')
    expect(output).toContain('The store is equal to the server.')
    const events = succeeded(await lab.sandbox.run(['verify', 'inbox', '--sample', '2', '--json'])).json()
    const mailbox = { kind: 'mailbox', path: 'INBOX', compared: 2, missing: '', extra: '', flagsDiffer: '', identityDiffers: '' }
    expect(events.filter(({ kind }) => kind !== 'progress')).toEqual([
      { ...mailbox, isRepaired: false, tierLimit: null },
      { kind: 'result', outcome: 'equal', mailboxes: 1, leftOut: 0 },
    ])
  })

  it('ends with 65 when something differs, and with 0 when it set it right', async () => {
    succeeded(await lab.sandbox.run(['sync', ...lab.words]))
    const other = lab.sandbox.copy()
    hideFlags()
    inbox().store(UidSet.of(2), { direction: 'add', flags: ['$Hidden'] })
    const differing = await lab.sandbox.run(['verify'])
    failed(differing, 'sync.differs', 65)
    expect(differing.output).toMatch(
      / {7}5 {8}0 {8}0 {8}1 {9}0 {2}INBOX\n {4}held to the plain tier until 2\d{3}-.*because flags/,
    )
    const { output } = succeeded(await other.run(['verify', '--repair']))
    expect(output).toContain('INBOX  (set right)')
    expect(succeeded(await other.run(['list', 'INBOX', '--json'])).output).toContain('$Hidden')
    other.remove()
  })

  it('knows the mailboxes that it is asked for', async () => {
    succeeded(await lab.sandbox.run(['sync', ...lab.words]))
    failed(await lab.sandbox.run(['verify', 'Nowhere']), 'input.unknown-mailbox', 65)
    failed(await lab.sandbox.run(['verify', '--sample', 'x']), 'input.usage', 64)
  })
})

describe('tidemail doctor', () => {
  beforeEach(() => {
    lab.exempt = OF_AN_EXAMINATION
  })

  it('prints what it finds, and needs no store', async () => {
    const { output } = succeeded(await lab.sandbox.run(['doctor', ...lab.words]))
    expect(output).toContain('FINDING       CHECK            WHAT WAS SEEN\nas claimed    enable           ENABLED named QRESYNC')
    expect(output).toContain('Nothing contradicts what the server claims. What was found is not kept in a store.')
    expect(existsSync(lab.sandbox.store)).toBe(false)
    expect(lab.model.mailboxes.map(({ path }) => path)).toEqual(['INBOX', 'Archive'])
  })

  it('keeps what it finds, and the next synchronisation heeds it until another examination', async () => {
    succeeded(await lab.sandbox.run(['sync', ...lab.words]))
    lab.lie = (line) => (line.startsWith('* VANISHED (EARLIER)') ? null : line)
    const { output } = succeeded(await lab.sandbox.run(['doctor']))
    expect(output).toMatch(/^missing +vanished +VANISHED did not name/m)
    expect(output).toMatch(/^QRESYNC is not used until 2\d{3}-/m)
    expect(output).toContain('1 of 16 findings are against the server. The store keeps what was found.')
    lab.server.commands.length = 0
    succeeded(await lab.sandbox.run(['sync']))
    expect(lab.server.commands.filter((line) => line.includes('ENABLE')).map((line) => line.replace(/^\S+ /, ''))).toEqual([
      'ENABLE CONDSTORE',
    ])
    lab.lie = (line) => line
    expect(succeeded(await lab.sandbox.run(['doctor'])).output).not.toContain('is not used')
    lab.server.commands.length = 0
    succeeded(await lab.sandbox.run(['sync']))
    expect(lab.server.commands.some((line) => line.endsWith('ENABLE QRESYNC'))).toBe(true)
  })

  it('writes a profile that a synchronisation takes', async () => {
    lab.lie = (line) => (line.startsWith('* VANISHED (EARLIER)') ? null : line)
    succeeded(await lab.sandbox.run(['doctor', '--no-save', '--out', 'profile.json', ...lab.words]))
    const profile = JSON.parse(readFileSync(join(lab.sandbox.folder, 'profile.json'), 'utf8')) as {
      readonly distrusted: readonly unknown[]
    }
    expect(profile).toMatchObject({
      format: 'tidemail-server-profile',
      distrusted: [{ capability: 'QRESYNC', learntBy: 'examination' }],
    })
    lab.server.commands.length = 0
    succeeded(await lab.sandbox.run(['sync', '--profile', 'profile.json', ...lab.words]))
    expect(lab.server.commands.some((line) => line.endsWith('ENABLE QRESYNC'))).toBe(false)
    failed(await lab.sandbox.run(['sync', '--profile', 'none.json']), 'input.file-missing', 66)
    failed(await lab.sandbox.run(['sync', '--profile', lab.sandbox.file('bad.json', '{}')]), 'account.configuration', 78)
  })

  it('keeps nothing in the store with --no-save', async () => {
    succeeded(await lab.sandbox.run(['sync', ...lab.words]))
    lab.lie = (line) => (line.startsWith('* VANISHED (EARLIER)') ? null : line)
    expect(succeeded(await lab.sandbox.run(['doctor', '--no-save'])).output).toContain('What was found is not kept in a store.')
    lab.server.commands.length = 0
    succeeded(await lab.sandbox.run(['sync']))
    expect(lab.server.commands.some((line) => line.endsWith('ENABLE QRESYNC'))).toBe(true)
  })

  it('shows what synchronisation has learnt', async () => {
    succeeded(await lab.sandbox.run(['sync', ...lab.words]))
    hideFlags()
    inbox().store(UidSet.of(2), { direction: 'add', flags: ['$Hidden'] })
    failed(await lab.sandbox.run(['verify']), 'sync.differs', 65)
    lab.lie = (line) => line
    expect(succeeded(await lab.sandbox.run(['doctor'])).output).toMatch(
      /^INBOX is held to the plain tier until 2\d{3}-.*: flags/m,
    )
  })

  it('removes its mailbox when it is interrupted', async () => {
    succeeded(await lab.sandbox.run(['sync', ...lab.words]))
    lab.proxy.setFault({ kind: 'lose-answer', command: 'UID MOVE', how: 'stall' })
    const { child, finished } = lab.sandbox.start(['doctor'])
    await lab.proxy.nextFault()
    child.kill('SIGINT')
    failed(await finished, 'engine.aborted', 130)
    expect(lab.model.mailboxes.map(({ path }) => path)).toEqual(['INBOX', 'Archive'])
  })
})
