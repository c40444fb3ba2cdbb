/** How few turns and octets a resynchronisation of Dovecot takes, counted on the wire beside a bare socket that asks for the same. */

import { type ProxyCounts, quoted, RawImap, type RealServer } from '@tidemail/testing'
import { expect, it } from 'vitest'
import { type RealAccount, withAccount } from './real-account.ts'
import { onServers } from './real-servers.ts'

/** From the greeting to the end of the pass: log in, ENABLE, LIST, and SELECT with FETCH in one. */
const TURNS_OF_NO_CHANGE_MAX = 3
const TURNS_OF_ONE_MAILBOX_MAX = 4
/** What the first of the answers sets off may overtake the last of the questions. */
const TURNS_OF_MANY_MAILBOXES_MAX = 6
/** What the engine may need above a bare socket, in octets of both directions. */
const ABOVE_BARE_SOCKET_MAX = 1.1
const SMALL = 10_000
const LARGE = 50_000
/**
 * What the size of a mailbox may add to the octets of a pass: a number five times as large has one digit more at most. Without changes those of the answers
 * to LIST, of which one mailbox has grown, and of the user's name; with changes, those of SELECT too, and of each of the 150 rows its place and its MODSEQ.
 */
const DIGITS_OF_NO_CHANGE_MAX = 10
const DIGITS_OF_CHANGES_MAX = 20 + 150 * 2

/** Of two passes, one without changes and one with 200. */
interface SizeCounts {
  readonly turns: readonly [number, number]
  readonly octets: readonly [number, number]
}

onServers(['dovecot'], (server) => {
  it('asks after 10,000 messages in 3 turns, takes in 200 changes in 4, and after 50,000 with the same octets', {
    timeout: 600_000,
  }, async () => {
    // Verifies: I-SYNC-1, I-SYNC-2, DC-4549-4.4
    const small = await countSize(server(), SMALL)
    const large = await countSize(server(), LARGE)
    expect(large.turns).toEqual(small.turns)
    const [ofNoChange, ofChanges] = small.octets
    expect(Math.abs(large.octets[0] - ofNoChange), `${large.octets[0]} and ${ofNoChange}`).toBeLessThanOrEqual(
      DIGITS_OF_NO_CHANGE_MAX,
    )
    expect(Math.abs(large.octets[1] - ofChanges), `${large.octets[1]} and ${ofChanges}`).toBeLessThanOrEqual(
      DIGITS_OF_CHANGES_MAX,
    )
  })

  it('asks after 202 mailboxes in 3 turns', { timeout: 300_000 }, async () => {
    // Verifies: I-SYNC-1, I-SYNC-2, DC-4549-5.2-3a
    await withAccount(server(), {}, async (account) => {
      await fillMailboxes(account, 202 - (await account.rival.ok('LIST "" "*"')).lines.length)
      await account.sync()
      // The first LIST after it has Dovecot look at every mailbox, and from the next on it says \UnMarked.
      await countedPass(account)
      const report = await countedPass(account)
      expect(report).toMatchObject({ messagesFetched: 0, mailboxesOpened: 0 })
      expect(await account.engine.mailboxes()).toHaveLength(202)
      expectFew(account, 'no change in 202 mailboxes', TURNS_OF_NO_CHANGE_MAX)
      await expectNoMoreThanBare(account, [lineOf(account, 'LIST')])
    })
  })

  it('opens the 10 of 50 mailboxes that changed, and asks for their news in the same turns', { timeout: 300_000 }, async () => {
    // Verifies: I-SYNC-1, I-SYNC-2
    await withAccount(server(), {}, async (account) => {
      await fillMailboxes(account, 50 - (await account.rival.ok('LIST "" "*"')).lines.length)
      await account.sync()
      const changed = Array.from({ length: 10 }, (_, index) => `box-${index * 3 + 1}`)
      for (const name of changed) await account.rivalIn(name, 'UID STORE 3:5 +FLAGS (\\Flagged)')
      for (const mailbox of changed) await account.rival.seed({ mailbox, count: 2 })
      expect(await countedPass(account)).toMatchObject({ messagesFetched: 20, flagsChanged: 30, mailboxesOpened: 10 })
      expectFew(account, '10 of 50 mailboxes changed', TURNS_OF_MANY_MAILBOXES_MAX)
      const lines = account.proxy.commands.filter(({ name }) => /^(LIST|SELECT|UID FETCH)$/.test(name)).map(({ line }) => line)
      await expectNoMoreThanBare(account, lines.map(textOf))
      expect(await account.compareWithServer()).toEqual([])
    })
  })
})

/** Mailboxes `box-1`, `box-2` ... with 20 messages each. */
async function fillMailboxes(account: RealAccount, count: number): Promise<void> {
  for (let number = 1; number <= count; number += 1) {
    await account.create(`box-${number}`)
    await account.rival.seed({ mailbox: `box-${number}`, count: 20 })
  }
}

async function countSize(server: RealServer, count: number): Promise<SizeCounts> {
  return withAccount(server, {}, async (account) => {
    await account.rival.seed({ mailbox: 'INBOX', count, flags: (number) => (number % 3 === 0 ? ['\\Seen'] : []) })
    await account.sync()
    expect(await countedPass(account)).toMatchObject({ messagesFetched: 0, mailboxesOpened: 0 })
    const unchanged = expectFew(account, `no change in ${count} messages`, TURNS_OF_NO_CHANGE_MAX)
    await expectNoMoreThanBare(account, [lineOf(account, 'LIST')])

    await account.rivalIn('INBOX', 'UID STORE 101:200 +FLAGS (\\Flagged)', 'UID STORE 21:70 +FLAGS (\\Deleted)', 'EXPUNGE')
    await account.rival.seed({ mailbox: 'INBOX', count: 50 })
    const changes = { messagesFetched: 50, messagesRemoved: 50, flagsChanged: 100, mailboxesOpened: 1 }
    expect(await countedPass(account)).toMatchObject(changes)
    const changed = expectFew(account, `200 changes in ${count} messages`, TURNS_OF_ONE_MAILBOX_MAX)
    // A bare socket that knows where the change is needs no LIST.
    await expectNoMoreThanBare(account, [lineOf(account, 'SELECT'), lineOf(account, 'UID FETCH').replace('4294967295', '*')])
    expect(await account.compareWithServer()).toEqual([])
    return { turns: [unchanged.turns, changed.turns], octets: [unchanged.octets, changed.octets] }
  })
}

/** One pass of a process that begins, counted from its greeting to its LOGOUT. */
async function countedPass(account: RealAccount): Promise<unknown> {
  await account.reopen()
  account.proxy.reset()
  const report = await account.engine.syncOnce()
  expect(report).toMatchObject({ outcome: 'done', problems: [] })
  // Logged out, all octets have arrived and are counted.
  await account.reopen()
  expect(account.proxy.commands.at(-1)?.name).toBe('LOGOUT')
  return report
}

function expectFew({ proxy }: RealAccount, what: string, turnsMax: number): { readonly turns: number; readonly octets: number } {
  const { connections, commands, turns: withLogout } = proxy.counts()
  const turns = withLogout - 1
  const names = proxy.commands.map(({ name }) => name).join(' ')
  console.log(`${what}: ${turns} turns, ${commands} commands, ${octets(proxy.counts())} octets: ${names}`)
  expect(connections).toBe(1)
  expect(turns, names).toBeLessThanOrEqual(turnsMax)
  return { turns, octets: octets(proxy.counts()) }
}

/** Sends the commands over a bare socket through the same proxy, between LOGIN, ENABLE and LOGOUT. */
async function expectNoMoreThanBare(account: RealAccount, commands: readonly string[]): Promise<void> {
  const ofEngine = octets(account.proxy.counts())
  account.proxy.reset()
  const bare = await RawImap.connect({ host: '127.0.0.1', port: account.proxy.port })
  const { name, password } = account.user
  for (const command of [`LOGIN ${quoted(name)} ${quoted(password)}`, 'ENABLE QRESYNC', ...commands, 'LOGOUT'])
    await bare.ok(command)
  bare.close()
  const ofBare = octets(account.proxy.counts())
  console.log(`a bare socket: ${ofBare} octets, the engine ${ofEngine}`)
  expect(ofEngine).toBeLessThanOrEqual(ofBare * ABOVE_BARE_SOCKET_MAX)
}

function octets({ bytesUp, bytesDown }: ProxyCounts): number {
  return bytesUp + bytesDown
}

/** The one command of that name, without its tag. */
function lineOf({ proxy }: RealAccount, name: string): string {
  const [command, ...others] = proxy.commands.filter((candidate) => candidate.name === name)
  expect(others).toEqual([])
  return textOf(command?.line ?? '')
}

function textOf(line: string): string {
  return line.slice(line.indexOf(' ') + 1)
}
