/** How each of the three servers differs from what a client may expect: shown over a bare socket, in a situation that an engine meets afterwards. */

import { type CyrusServer, quoted, RawImap, type RealServer, type RealServerName } from '@tidemail/testing'
import { expect } from 'vitest'
import { numbered, numberedRange } from '../e2e/numbered-mail.ts'
import type { RealAccount, RealAccountOptions } from '../e2e/real-account.ts'

export interface ServerQuirk {
  readonly number: number
  readonly what: string
  readonly on: readonly RealServerName[]
  /** Why it is not shown elsewhere, where the reason is not that the server lacks the extension. */
  readonly notOn?: Partial<Readonly<Record<RealServerName, string>>>
  readonly options?: RealAccountOptions
  /** Shows it, with messages in INBOX that the engine has taken in, and leaves a situation for it. */
  readonly show: (stage: QuirkStage) => Promise<void>
}

export interface QuirkStage {
  readonly name: RealServerName
  readonly real: RealServer
  readonly account: RealAccount
  /** One more session of the user; it ends with the test. */
  session(): Promise<RawImap>
  /** Seeds INBOX with messages 1 to `count` and has the engine take them in. */
  begin(count: number): Promise<void>
}

const ALL: readonly RealServerName[] = ['dovecot', 'cyrus', 'courier']
const WITH_QRESYNC: readonly RealServerName[] = ['dovecot', 'cyrus']
const NEW_UIDVALIDITY_MS = 1_100
const ALL_BODIES = { policy: { bodies: 'all' } } as const

// Verifies: I-SYNC-1, I-SYNC-2, FIELD-1, FIELD-2, FIELD-5
export const SERVER_QUIRKS: readonly ServerQuirk[] = [
  {
    number: 1,
    what: 'UID FETCH 1:* with CHANGEDSINCE and VANISHED hides what was above the highest UID on Cyrus',
    on: WITH_QRESYNC,
    async show(stage) {
      const { modSeq } = await beginWithModSeq(stage, 6)
      await expunge(stage.account, '2,6')
      const session = await withQresync(stage)
      await session.ok('SELECT INBOX')
      expect(await vanishedIn(session, `UID FETCH 1:* (FLAGS) (CHANGEDSINCE ${modSeq} VANISHED)`)).toBe(
        stage.name === 'cyrus' ? '2' : '2,6',
      )
      expect(await vanishedIn(session, `UID FETCH 1:4294967295 (FLAGS) (CHANGEDSINCE ${modSeq} VANISHED)`)).toBe('2,6')
    },
  },
  {
    number: 2,
    what: 'known UIDs of 1:* in SELECT are BAD on Dovecot, and hide an expunge on Cyrus',
    on: WITH_QRESYNC,
    async show(stage) {
      const { modSeq, uidValidity } = await beginWithModSeq(stage, 6)
      await expunge(stage.account, '2,6')
      const session = await withQresync(stage)
      const select = `SELECT INBOX (QRESYNC (${uidValidity} ${modSeq} 1:*))`
      if (stage.name === 'dovecot') expect((await session.command(select)).status).toBe('BAD')
      else expect(await vanishedIn(session, select)).toBe('2')
    },
  },
  {
    number: 3,
    what: 'VANISHED names more than vanished when the server has forgotten',
    on: ['cyrus'],
    notOn: { dovecot: 'shown on an instance of its own, whose log is rotated' },
    async show(stage) {
      await stage.begin(6)
      await expunge(stage.account, '1')
      await stage.account.sync()
      const { modSeq, uidValidity } = await stateOf(stage)
      await expunge(stage.account, '4')
      await (stage.real as CyrusServer).tool('cyr_expire', ['-E', '1', '-X', '0', '-D', '0'])
      const session = await withQresync(stage)
      expect(await vanishedIn(session, `SELECT INBOX (QRESYNC (${uidValidity} ${modSeq}))`)).toBe('1,4')
      // Verifies: DC-7162-3.2.5c
      const sampled = `SELECT INBOX (QRESYNC (${uidValidity} ${modSeq} 1:6 (2,4:5 3,5:6)))`
      expect(await vanishedIn(session, sampled)).toBe('4')
    },
  },
  {
    number: 4,
    what: 'VANISHED names UIDs nobody has seen',
    on: WITH_QRESYNC,
    async show(stage) {
      const { modSeq, uidValidity } = await beginWithModSeq(stage, 2)
      await stage.account.seed('INBOX', [numbered(3)])
      await expunge(stage.account, '3')
      const session = await withQresync(stage)
      expect(await vanishedIn(session, `SELECT INBOX (QRESYNC (${uidValidity} ${modSeq}))`)).toBe('3')
    },
  },
  {
    number: 5,
    what: 'QRESYNC with another UIDVALIDITY, or a mod-sequence of the future, is a plain SELECT',
    on: WITH_QRESYNC,
    async show(stage) {
      const { uidValidity } = await beginWithModSeq(stage, 3)
      await expunge(stage.account, '2')
      const session = await withQresync(stage)
      expect(await vanishedIn(session, 'SELECT INBOX (QRESYNC (1 1))')).toBeNull()
      expect(await vanishedIn(session, `SELECT INBOX (QRESYNC (${uidValidity} 99999999))`)).toBeNull()
    },
  },
  {
    number: 6,
    what: 'VANISHED names known UIDs only; sequence data that matches the mailbox as it is does not suppress it, though that was said of Dovecot',
    on: WITH_QRESYNC,
    async show(stage) {
      const { modSeq, uidValidity } = await beginWithModSeq(stage, 4)
      await expunge(stage.account, '2')
      const session = await withQresync(stage)
      expect(await vanishedIn(session, `SELECT INBOX (QRESYNC (${uidValidity} ${modSeq} 1,3,4 (1:3 1,3:4)))`)).toBeNull()
      expect(await vanishedIn(session, `SELECT INBOX (QRESYNC (${uidValidity} ${modSeq} 1:4 (1:3 1,3:4)))`)).toBe('2')
    },
  },
  {
    number: 7,
    what: 'FETCH of FLAGS tells no MODSEQ unless it is asked for',
    on: WITH_QRESYNC,
    async show(stage) {
      await stage.begin(2)
      const session = await withQresync(stage)
      await session.ok('SELECT INBOX')
      expect(await said(session, 'UID FETCH 1 (FLAGS)')).not.toContain('MODSEQ (')
      expect(await said(session, 'UID FETCH 1 (FLAGS MODSEQ)')).toContain('MODSEQ (')
      await stage.account.rivalIn('INBOX', 'UID STORE 1 +FLAGS (\\Seen)')
    },
  },
  {
    number: 8,
    what: 'setting a flag that is set tells nothing and moves no mod-sequence; a FETCH on Courier',
    on: ALL,
    async show(stage) {
      await stage.begin(2)
      await stage.account.rivalIn('INBOX', 'UID STORE 1 +FLAGS.SILENT (\\Seen)')
      const modSeq = async (): Promise<string> => (stage.name === 'courier' ? 'none' : (await stateOf(stage)).modSeq)
      const before = await modSeq()
      const again = await said(stage.account.rival, 'UID STORE 1 +FLAGS (\\Seen)')
      expect(/ FETCH /.test(again)).toBe(stage.name === 'courier')
      expect(await modSeq()).toBe(before)
      await userFlags(stage.account, 1, '\\Seen')
    },
  },
  {
    number: 9,
    what: 'what another session expunged is still fetched, and on Courier as a made-up message',
    on: ALL,
    async show(stage) {
      await stage.begin(3)
      const session = await stage.session()
      await session.ok('SELECT INBOX')
      await session.ok('UID FETCH 2 (FLAGS)')
      await expunge(stage.account, '2')
      const { lines } = await session.command('UID FETCH 2 (UID BODY.PEEK[])')
      const body = lines.flatMap(({ literals }) => literals)[0]?.toString('latin1') ?? ''
      if (stage.name === 'courier') expect(body).not.toContain('This is message 2.')
      else expect(body).toBe(Buffer.from(numbered(2).bytes).toString('latin1'))
    },
  },
  {
    number: 10,
    what: 'what asks for a UID that is gone is OK, and tells nothing',
    on: ALL,
    async show(stage) {
      await stage.begin(3)
      await userFlags(stage.account, 2, '\\Flagged')
      await expunge(stage.account, '2')
      const session = await stage.session()
      await session.ok('SELECT INBOX')
      for (const command of ['UID FETCH 2 (FLAGS)', 'UID STORE 2 +FLAGS (\\Seen)', 'UID COPY 2 INBOX']) {
        const answer = await session.ok(command)
        expect(answer.lines.filter(({ text }) => text.includes('FETCH'))).toEqual([])
        expect(answer.text).not.toContain('COPYUID')
      }
    },
  },
  {
    number: 11,
    what: 'RENAME keeps UIDVALIDITY, X-GUID on Dovecot and MAILBOXID on Cyrus; Courier gives a new UIDVALIDITY, and renames what is not there',
    on: ALL,
    async show(stage) {
      const { account } = stage
      await account.create('Work')
      await account.seed('Work', numberedRange(1, 2))
      await account.sync()
      const [before, identity] = [await uidValidityOf(account, 'Work'), await identityOf(stage, 'Work')]
      await new Promise((resolve) => setTimeout(resolve, NEW_UIDVALIDITY_MS))
      await account.rival.ok(`RENAME ${account.wireName('Work')} ${account.wireName('Done')}`)
      const isKept = (await uidValidityOf(account, 'Done')) === before
      expect(isKept).toBe(stage.name !== 'courier')
      expect(await identityOf(stage, 'Done')).toBe(identity)
      const missing = await account.rival.command(`RENAME ${account.wireName('Nowhere')} ${account.wireName('Elsewhere')}`)
      expect(missing.status).toBe(stage.name === 'courier' ? 'OK' : 'NO')
    },
  },
  {
    number: 12,
    what: 'DELETE and CREATE give a new UIDVALIDITY, a second later at the earliest on Cyrus and Courier, and another X-GUID or MAILBOXID',
    on: ALL,
    async show(stage) {
      const { account } = stage
      await account.create('Work')
      await account.seed('Work', numberedRange(1, 2))
      await account.sync()
      const [before, identity] = [await uidValidityOf(account, 'Work'), await identityOf(stage, 'Work')]
      await account.rival.ok(`DELETE ${account.wireName('Work')}`)
      await new Promise((resolve) => setTimeout(resolve, NEW_UIDVALIDITY_MS))
      await account.create('Work')
      expect(await uidValidityOf(account, 'Work')).not.toBe(before)
      if (identity !== null) expect(await identityOf(stage, 'Work')).not.toBe(identity)
      await account.seed('Work', [numbered(3)])
    },
  },
  {
    number: 13,
    what: 'who has selected a mailbox that is deleted is cut off; on Courier all seems to be there',
    on: ALL,
    async show(stage) {
      const { account } = stage
      await account.create('Work')
      await account.seed('Work', numberedRange(1, 2))
      await account.sync()
      const session = await stage.session()
      await session.ok(`SELECT ${account.wireName('Work')}`)
      await account.rival.ok(`DELETE ${account.wireName('Work')}`)
      const end = await session.command('NOOP').catch(() => null)
      if (stage.name === 'courier') expect(end?.status).toBe('OK')
      else expect(await session.command('NOOP').catch(() => null)).toBeNull()
    },
  },
  {
    number: 14,
    what: 'UID FETCH n:* beyond the end tells of the last message, and of nothing on Courier',
    on: ALL,
    async show(stage) {
      await stage.begin(3)
      await stage.account.rivalIn('INBOX')
      const answer = await said(stage.account.rival, 'UID FETCH 500:* (FLAGS)')
      expect(answer.includes('UID 3')).toBe(stage.name !== 'courier')
      await stage.account.seed('INBOX', [numbered(4)])
    },
  },
  {
    number: 15,
    what: 'unknown commands are BAD; on Courier NO, and some ten of them end the session',
    on: ALL,
    async show(stage) {
      await stage.begin(1)
      const session = await stage.session()
      expect((await session.command('XYZZY')).status).toBe(stage.name === 'courier' ? 'NO' : 'BAD')
      let ended = false
      for (let tries = 0; tries < 15 && !ended; tries += 1) ended = (await session.command('XYZZY').catch(() => null)) === null
      expect(ended).toBe(stage.name === 'courier')
      await stage.account.seed('INBOX', [numbered(2)])
    },
  },
  {
    number: 16,
    what: 'STORE with UNCHANGEDSINCE tells MODIFIED; on Courier it is refused, and ends the session after another STORE',
    on: ALL,
    async show(stage) {
      await stage.begin(2)
      const session = await stage.session()
      await session.ok('SELECT INBOX')
      const store = 'UID STORE 1 (UNCHANGEDSINCE 1) +FLAGS (\\Flagged)'
      if (stage.name === 'courier') {
        expect((await session.command(store)).status).toBe('NO')
        await session.ok('UID STORE 1 +FLAGS (\\Seen)')
        expect(await session.command(store).catch(() => null)).toBeNull()
        return
      }
      await session.ok('UID STORE 1 +FLAGS (\\Seen)')
      expect((await session.command(store)).text).toContain('[MODIFIED 1]')
    },
  },
  {
    number: 17,
    what: 'literals that do not wait are taken by Dovecot and Cyrus; Courier refuses them and reads them as commands',
    on: ALL,
    async show(stage) {
      await stage.begin(1)
      const session = await stage.session()
      session.send('x1 STATUS {5+}\r\nINBOX (MESSAGES)\r\n')
      const first = (await session.nextResponse()).text
      if (stage.name === 'courier') expect(first).toMatch(/^x1 (NO|BAD) /)
      else expect(first).toMatch(/^\* STATUS "?INBOX"? \(MESSAGES 1\)/)
      await userAppends(stage.account, 2)
    },
  },
  {
    number: 18,
    what: 'long commands are refused beyond 64 KiB by Dovecot, taken by Cyrus, and end the session beyond 16 KiB on Courier',
    on: ALL,
    async show(stage) {
      await stage.begin(250)
      // 4,000 messages: copies of copies are faster than as many uploads.
      await stage.account.rivalIn('INBOX', ...Array.from({ length: 4 }, () => 'UID COPY 1:* INBOX'))
      await stage.account.sync()
      const session = await stage.session()
      await session.ok('SELECT INBOX')
      const octets = { dovecot: 70_000, cyrus: 100_000, courier: 17_500 }[stage.name]
      const uids = Array.from({ length: octets / 7 }, (_, index) => 100_001 + 2 * index).join(',')
      const answer = await session.command(`UID FETCH ${uids} (FLAGS)`).catch(() => null)
      expect(answer?.status ?? 'ended').toBe({ dovecot: 'BAD', cyrus: 'OK', courier: 'ended' }[stage.name])
      await userFlagsEverySecond(stage.account)
    },
  },
  {
    number: 19,
    what: 'a mailbox has at most 100 keywords on Cyrus, which tells those with a bracket as they are; the others refuse these, and Dovecot long ones',
    on: ALL,
    async show(stage) {
      await stage.begin(2)
      await stage.account.rivalIn('INBOX')
      const bracket = await stage.account.rival.command('UID STORE 2 +FLAGS.SILENT ($a]b)')
      expect(bracket.status).toBe(stage.name === 'cyrus' ? 'OK' : 'NO')
      if (stage.name === 'cyrus') expect(await said(stage.account.rival, 'UID FETCH 2 (FLAGS)')).toContain('$a]b')
      const statuses = new Set<string>()
      for (let from = 1; from <= 181; from += 20) {
        const keywords = Array.from({ length: 20 }, (_, index) => `$Key${from + index}`)
        statuses.add((await stage.account.rival.command(`UID STORE 1 +FLAGS.SILENT (${keywords.join(' ')})`)).status)
      }
      expect([...statuses].sort()).toEqual(stage.name === 'cyrus' ? ['NO', 'OK'] : ['OK'])
      const long = await stage.account.rival.command(`UID STORE 2 +FLAGS.SILENT (${'k'.repeat(120)})`)
      if (stage.name === 'dovecot') expect(long.status).toBe('NO')
    },
  },
  {
    number: 20,
    what: 'keywords that no message has are still told in FLAGS, except on Courier',
    on: ALL,
    async show(stage) {
      await stage.begin(1)
      await stage.account.rivalIn('INBOX', 'UID STORE 1 +FLAGS ($Dead)', 'UID STORE 1 -FLAGS ($Dead)')
      const session = await stage.session()
      const isTold = /^\* FLAGS \(.*\$Dead/m.test(await said(session, 'SELECT INBOX'))
      expect(isTold).toBe(stage.name !== 'courier')
    },
  },
  {
    number: 21,
    what: 'bare line feeds, NUL and messages without a header are taken by Dovecot and Courier, and refused by Cyrus',
    on: ALL,
    options: ALL_BODIES,
    async show(stage) {
      const { account, name } = stage
      await stage.begin(1)
      const append = async (text: string): Promise<string> =>
        (await account.rival.command(['APPEND INBOX ', Buffer.from(text, 'latin1')])).status
      const expected = name === 'cyrus' ? 'NO' : 'OK'
      expect(await append('From: ada@example.org\nSubject: bare\n\nLine feeds.\n')).toBe(expected)
      expect(await append('no header here\r\n')).toBe(expected)
      expect(await append('From: ada@example.org\r\nSubject: NUL\r\n\r\na\0b\r\n')).toBe(expected)
    },
  },
  {
    number: 22,
    what: '+FLAGS.SILENT is not silent: a MODSEQ on Dovecot, news of other sessions on Cyrus',
    on: ALL,
    async show(stage) {
      await stage.begin(3)
      const session = await stage.session()
      if (stage.name !== 'courier') await session.ok('ENABLE CONDSTORE')
      await session.ok('SELECT INBOX')
      await stage.account.rivalIn('INBOX', 'UID STORE 3 +FLAGS (\\Answered)')
      const answer = await said(session, 'UID STORE 1 +FLAGS.SILENT (\\Seen)')
      if (stage.name === 'dovecot') expect(answer).toMatch(/FETCH \(UID 1 MODSEQ \(\d+\)\)/)
      if (stage.name === 'cyrus') expect(answer).toMatch(/FETCH \(.*\\Answered/)
      if (stage.name === 'courier') expect(answer).not.toContain('FETCH')
    },
  },
  {
    number: 23,
    what: 'EXISTS follows an APPEND to the selected mailbox at once; on Courier at the next NOOP',
    on: ALL,
    async show(stage) {
      await stage.begin(1)
      await stage.account.rivalIn('INBOX')
      const { lines } = await stage.account.rival.ok(['APPEND INBOX ', numbered(2).bytes])
      expect(lines.some(({ text }) => text === '* 2 EXISTS')).toBe(stage.name !== 'courier')
      expect(stage.name !== 'courier' || (await said(stage.account.rival, 'NOOP')).includes('* 2 EXISTS')).toBe(true)
    },
  },
  {
    number: 24,
    what: 'response codes: TRYCREATE on all; NONEXISTENT, ALREADYEXISTS and AUTHENTICATIONFAILED on Dovecot',
    on: ALL,
    async show(stage) {
      const { account, name } = stage
      await stage.begin(1)
      await account.rivalIn('INBOX')
      const codes = async (command: string): Promise<string> => (await account.rival.command(command)).text
      expect(await codes(`UID COPY 1 ${account.wireName('Nowhere')}`)).toContain('[TRYCREATE]')
      expect((await codes(`DELETE ${account.wireName('Nowhere')}`)).includes('[NONEXISTENT]')).toBe(name === 'dovecot')
      await account.create('There')
      expect((await codes(`CREATE ${account.wireName('There')}`)).includes('[ALREADYEXISTS]')).toBe(name === 'dovecot')
      const stranger = await RawImap.connect(stage.real)
      const refused = await stranger.command(`LOGIN ${quoted(account.user.name)} "not the password"`)
      stranger.close()
      expect(refused.text.includes('[AUTHENTICATIONFAILED]')).toBe(name === 'dovecot')
    },
  },
  {
    number: 25,
    what: 'a refused login is answered late: seconds on Courier',
    on: ['dovecot', 'courier'],
    notOn: { cyrus: 'its pause is turned off where it is started for tests' },
    async show(stage) {
      await stage.begin(1)
      const { real, account } = stage
      const session = await RawImap.connect(real)
      const startedAt = performance.now()
      const { status } = await session.command(`LOGIN ${quoted(account.user.name)} "not the password"`)
      session.close()
      expect(status).toBe('NO')
      expect(performance.now() - startedAt).toBeGreaterThan(stage.name === 'courier' ? 3_000 : 300)
      await account.seed('INBOX', [numbered(2)])
    },
  },
  {
    number: 26,
    what: 'STATUS of MAILBOXID with HIGHESTMODSEQ: octets of another place on Cyrus, BAD on Dovecot, nothing on Courier',
    on: ALL,
    async show(stage) {
      const { account, name } = stage
      await stage.begin(1)
      await account.create('Work')
      const ask = (items: string): string => `STATUS ${account.wireName('Work')} (${items})`
      const answer = await account.rival.command(ask('HIGHESTMODSEQ MAILBOXID'))
      const text = answer.lines.map((line) => line.text).join()
      if (name === 'dovecot') expect(answer.status).toBe('BAD')
      if (name === 'courier') expect(text).toMatch(/\(\)$/)
      if (name !== 'cyrus') return
      const right = /MAILBOXID (\([^)]*\))/.exec(await said(account.rival, ask('MAILBOXID')))?.[1]
      expect(right).toMatch(/^\([\w-]+\)$/)
      expect(text).not.toContain(`MAILBOXID ${right}`)
    },
  },
  {
    number: 27,
    what: 'VANISHED that comes with a NOOP brings no HIGHESTMODSEQ on Cyrus; an EXPUNGE of our own does, and on Dovecot NOOP too',
    on: WITH_QRESYNC,
    async show(stage) {
      await stage.begin(3)
      const [session, other] = [await withQresync(stage), await withQresync(stage)]
      for (const one of [session, other]) await one.ok('SELECT INBOX')
      await session.ok('UID STORE 2 +FLAGS.SILENT (\\Deleted)')
      const expunged = await session.ok('UID EXPUNGE 2')
      expect(expunged.text).toContain('[HIGHESTMODSEQ')
      const noop = await other.ok('NOOP')
      expect(noop.lines.map(({ text }) => text).join('\n')).toContain('VANISHED 2')
      expect(noop.text.includes('[HIGHESTMODSEQ')).toBe(stage.name === 'dovecot')
    },
  },
  {
    number: 28,
    what: 'INTERNALDATE comes back in UTC, on Cyrus with a blank for a leading zero',
    on: ALL,
    async show(stage) {
      await stage.begin(1)
      await stage.account.rival.ok(['APPEND INBOX "05-Feb-2020 10:00:00 +0200" ', numbered(2).bytes])
      await stage.account.rivalIn('INBOX')
      const answer = await said(stage.account.rival, 'UID FETCH 2 (INTERNALDATE)')
      expect(answer).toContain(`"${stage.name === 'cyrus' ? ' ' : '0'}5-Feb-2020 08:00:00 +0000"`)
    },
  },
  {
    number: 29,
    what: 'COPYUID of a MOVE comes untagged, before the message goes',
    on: WITH_QRESYNC,
    async show(stage) {
      await stage.begin(2)
      await stage.account.create('Work')
      await stage.account.sync()
      await stage.account.rivalIn('INBOX')
      const lines = (await said(stage.account.rival, `UID MOVE 1 ${stage.account.wireName('Work')}`)).split('\n')
      const at = (pattern: RegExp): number => lines.findIndex((line) => pattern.test(line))
      expect(at(/^\* OK \[COPYUID /)).toBeGreaterThanOrEqual(0)
      expect(at(/^\* OK \[COPYUID /)).toBeLessThan(at(/^\* 1 EXPUNGE/))
    },
  },
  {
    number: 30,
    what: '\\Recent is among the flags of what is new, except on Courier',
    on: ALL,
    async show(stage) {
      await stage.begin(1)
      await stage.account.seed('INBOX', [numbered(2)])
      const session = await stage.session()
      await session.ok('SELECT INBOX')
      expect((await said(session, 'UID FETCH 2 (FLAGS)')).includes('\\Recent')).toBe(stage.name !== 'courier')
    },
  },
  {
    number: 31,
    what: 'CREATE of a grandchild makes its parents: selectable on Cyrus, containers elsewhere',
    on: ALL,
    async show(stage) {
      const { account } = stage
      await stage.begin(1)
      await account.create('p/q/r')
      await account.seed('p/q/r', [numbered(2)])
      const parent = await account.rival.command(`SELECT ${account.wireName('p/q')}`)
      expect(parent.status).toBe(stage.name === 'cyrus' ? 'OK' : 'NO')
    },
  },
  {
    number: 32,
    what: 'UTF8=ACCEPT is offered by Courier only, and then names are UTF-8',
    on: ALL,
    async show(stage) {
      const { account } = stage
      await stage.begin(1)
      await account.create('Übung')
      await account.seed('Übung', [numbered(2)])
      const session = await stage.session()
      expect(session.has('UTF8=ACCEPT')).toBe(stage.name === 'courier')
      if (stage.name !== 'courier') return
      await session.ok('ENABLE UTF8=ACCEPT')
      expect(Buffer.from(await said(session, 'LIST "" "*"'), 'latin1').toString('utf8')).toContain('Übung')
    },
  },
]

/** Every line of the answer, the tagged one last. */
async function said(client: RawImap, command: string): Promise<string> {
  const { lines, status, text } = await client.command(command)
  return [...lines.map((line) => line.text), `${status} ${text}`].join('\n')
}

async function vanishedIn(client: RawImap, command: string): Promise<string | null> {
  return /^\* VANISHED \(EARLIER\) (\S+)$/m.exec(await said(client, command))?.[1] ?? null
}

async function withQresync(stage: QuirkStage): Promise<RawImap> {
  const session = await stage.session()
  await session.ok('ENABLE QRESYNC')
  return session
}

interface MailboxState {
  readonly modSeq: string
  readonly uidValidity: string
}

async function beginWithModSeq(stage: QuirkStage, count: number): Promise<MailboxState> {
  await stage.begin(count)
  return stateOf(stage)
}

async function stateOf(stage: QuirkStage): Promise<MailboxState> {
  const answer = await said(await withQresync(stage), 'SELECT INBOX')
  const find = (pattern: RegExp): string => pattern.exec(answer)?.[1] ?? ''
  return { modSeq: find(/HIGHESTMODSEQ (\d+)/), uidValidity: find(/UIDVALIDITY (\d+)/) }
}

/** What a server tells one mailbox from another by, whatever it is called; null where it has nothing of the kind. */
async function identityOf({ account, name }: QuirkStage, mailbox: string): Promise<string | null> {
  const item = { dovecot: 'X-GUID', cyrus: 'MAILBOXID', courier: null }[name]
  if (item === null) return null
  const told = new RegExp(`${item} (\\(?[\\w-]+)`).exec(
    await said(account.rival, `STATUS ${account.wireName(mailbox)} (${item})`),
  )?.[1]
  expect(told).toBeDefined()
  return told ?? null
}

async function expunge(account: RealAccount, uids: string): Promise<void> {
  const command = account.rival.has('UIDPLUS') ? `UID EXPUNGE ${uids}` : 'EXPUNGE'
  await account.rivalIn('INBOX', `UID STORE ${uids} +FLAGS.SILENT (\\Deleted)`, command)
}

async function uidValidityOf(account: RealAccount, name: string): Promise<string | undefined> {
  const answer = await said(account.rival, `STATUS ${account.wireName(name)} (UIDVALIDITY)`)
  return /UIDVALIDITY (\d+)/.exec(answer)?.[1]
}

async function userFlags(account: RealAccount, uid: number, flag: string): Promise<void> {
  const messages = await account.messages('INBOX')
  const chosen = messages.filter(({ reference }) => reference.kind === 'stored' && reference.uid === uid)
  await account.engine.flag(
    chosen.map(({ reference }) => reference),
    { add: [flag] },
  ).accepted
}

async function userFlagsEverySecond(account: RealAccount): Promise<void> {
  const messages = await account.messages('INBOX')
  const chosen = messages.filter((_, index) => index % 2 === 1).map(({ reference }) => reference)
  await account.engine.flag(chosen, { add: ['\\Seen'] }).accepted
}

async function userAppends(account: RealAccount, number: number): Promise<void> {
  await account.engine.append({ to: await account.mailboxId('INBOX'), ...numbered(number) }).accepted
}
