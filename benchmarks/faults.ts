/** Breaks a day's work offline at many points, on Dovecot, and counts what was lost, doubled and resurrected: run with `npm run bench:faults`. */

import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { MessageReference } from '@tidemail/core'
import { type DovecotServer, type Fault, startDovecot } from '@tidemail/testing'
import { type Finished, type Running, startTidemail } from '../test/e2e/cli-process.ts'
import { numbered, numberedRange, placesOf } from '../test/e2e/numbered-mail.ts'
import { RealAccount } from '../test/e2e/real-account.ts'

const POINTS = Number(process.env['TIDEMAIL_BENCH_POINTS'] ?? 10)
const MESSAGES = 10_000
const MESSAGE_BYTES = 4_000
const RERUNS_MAX = 4
const SESSIONS_END_MS_MAX = 10_000
const POLL_MS = 50

/** The day's work: so many messages of each kind, every one an operation of its own. */
const WORK = [
  { count: 300, name: 'seen' },
  { count: 100, name: 'flagged' },
  { count: 100, name: 'unseen' },
  { count: 200, name: 'expunged' },
  { count: 100, name: 'moved' },
] as const
const UPLOADS = 50
type Deed = (typeof WORK)[number]['name']

interface Point {
  readonly fault: Fault
  /** The process is killed where the fault strikes, instead of being told of a broken connection. */
  readonly isKill: boolean
}

interface Audit {
  readonly lost: number
  readonly doubled: number
  readonly resurrected: number
  /** A difference of store and server, or flags or a place that nobody wanted. */
  readonly wrong: number
  /** Processes started after the fault until one said that all was done. */
  readonly reruns: number
}

const run = promisify(execFile)
const server = await startDovecot()
try {
  const account = await RealAccount.open(server)
  try {
    await measure(server, account)
  } finally {
    await account.close()
  }
} finally {
  await server.stop()
}

async function measure(dovecot: DovecotServer, account: RealAccount): Promise<void> {
  await prepare(account)
  await workOffline(account)
  await account.closeEngine()
  account.rival.close()
  const template = await keepTemplate(dovecot, account)
  const { commands, bytesUp, bytesDown } = await cleanRun(account)
  console.log(`Without fault: ${commands} commands, ${bytesUp} octets up, ${bytesDown} down. ${POINTS} points a series.`)
  console.log(
    '| series | clean | lost | doubled | resurrected | wrong | runs until clean |\n| --- | --- | --- | --- | --- | --- | --- |',
  )
  const nth = (index: number): number => 1 + Math.floor(((index + 0.5) * commands) / POINTS)
  const any = (): boolean => true
  const series: Readonly<Record<string, (index: number) => Point>> = {
    'answer lost': (index) => ({
      fault: { kind: 'lose-answer', command: any, nth: nth(index), how: 'rst', loses: 'everything' },
      isKill: false,
    }),
    'request lost': (index) => ({ fault: { kind: 'lose-request', command: any, nth: nth(index), how: 'rst' }, isKill: false }),
    killed: (index) => ({ fault: { kind: 'lose-request', command: any, nth: nth(index), how: 'stall' }, isKill: true }),
    'cut at N bytes': (index) => {
      const direction = index % 2 === 0 ? 'up' : 'down'
      const bytes = Math.ceil(((index + 0.5) * (direction === 'up' ? bytesUp : bytesDown)) / POINTS)
      return { fault: { kind: 'cut-after', direction, bytes, how: 'rst' }, isKill: false }
    },
  }
  for (const [name, pointAt] of Object.entries(series)) {
    const audits: Audit[] = []
    for (let index = 0; index < POINTS; index += 1) {
      await restore(dovecot, account, template)
      const point = pointAt(index)
      const outcome = await trial(account, point)
      audits.push(outcome)
      console.error(`${name} ${index + 1}/${POINTS}: ${JSON.stringify(outcome)}`)
    }
    console.log(rowOf(name, audits))
  }
}

function rowOf(name: string, audits: readonly Audit[]): string {
  const sum = (of: 'lost' | 'doubled' | 'resurrected' | 'wrong'): number => audits.reduce((total, audit) => total + audit[of], 0)
  const clean = audits.filter(({ lost, doubled, resurrected, wrong }) => lost + doubled + resurrected + wrong === 0)
  const reruns = Math.max(...audits.map((audit) => audit.reruns))
  const counts = [sum('lost'), sum('doubled'), sum('resurrected'), sum('wrong')]
  return `| ${[name, `${clean.length}/${audits.length}`, ...counts, reruns].join(' | ')} |`
}

async function prepare(account: RealAccount): Promise<void> {
  const batch = 500
  for (let first = 1; first <= MESSAGES; first += batch) {
    const messages = numberedRange(first, first + batch - 1, { sizeBytes: MESSAGE_BYTES })
    await account.seed(
      'INBOX',
      messages.map((message, index) => ({ ...message, flags: flagsBefore(first + index) })),
    )
  }
  await account.sync()
}

/** Those that are to be made unseen have been seen. */
function flagsBefore(number: number): readonly string[] {
  return deedOn(number) === 'unseen' ? ['\\Answered', '\\Seen'] : ['\\Answered']
}

/** The kinds are mixed over the whole mailbox. */
function deedOn(number: number): Deed | null {
  const total = WORK.reduce((sum, { count }) => sum + count, 0)
  const stride = Math.floor(MESSAGES / total)
  if (number % stride !== 0 || number / stride > total) return null
  let place = ((number / stride) * 7) % total
  for (const { count, name } of WORK) {
    if (place < count) return name
    place -= count
  }
  return null
}

async function workOffline(account: RealAccount): Promise<void> {
  const { engine } = account
  const [inbox, archive] = [await account.mailboxId('INBOX'), await account.mailboxId('Archive')]
  const act: Readonly<Record<Deed, (reference: MessageReference) => { readonly accepted: Promise<unknown> }>> = {
    seen: (reference) => engine.flag(reference, { add: ['\\Seen'] }),
    flagged: (reference) => engine.flag(reference, { add: ['\\Flagged'] }),
    unseen: (reference) => engine.flag(reference, { remove: ['\\Seen'] }),
    expunged: (reference) => engine.expunge(reference),
    moved: (reference) => engine.move(reference, archive),
  }
  for (const [index, { reference }] of (await account.messages('INBOX')).entries()) {
    const deed = deedOn(index + 1)
    if (deed !== null) await act[deed](reference).accepted
  }
  for (let number = MESSAGES + 1; number <= MESSAGES + UPLOADS; number += 1)
    await engine.append({ to: inbox, ...numbered(number, { sizeBytes: MESSAGE_BYTES }) }).accepted
}

function expectedPlace(number: number): string | null {
  if (number > MESSAGES) return 'INBOX'
  switch (deedOn(number)) {
    case 'expunged':
      return null
    case 'moved':
      return 'Archive \\Answered'
    case 'seen':
      return 'INBOX \\Answered \\Seen'
    case 'flagged':
      return 'INBOX \\Answered \\Flagged'
    default:
      return 'INBOX \\Answered'
  }
}

async function trial(account: RealAccount, { fault, isKill }: Point): Promise<Audit> {
  const { proxy } = account
  const struck = proxy.nextFault()
  proxy.setFault(fault)
  const { child, finished } = await startSync(account)
  if (isKill) {
    await Promise.race([struck, finished])
    child.kill('SIGKILL')
  }
  await finished
  proxy.setFault(null)
  proxy.cut('rst')
  let reruns = 1
  while ((await finishedSync(account)).status !== 0 && reruns < RERUNS_MAX) reruns += 1
  await finishedSync(account)
  return { ...(await audit(account)), reruns }
}

async function audit(account: RealAccount): Promise<Omit<Audit, 'reruns'>> {
  const places = placesOf(await account.readServer())
  let [lost, doubled, resurrected, wrong] = [0, 0, 0, 0]
  for (let number = 1; number <= MESSAGES + UPLOADS; number += 1) {
    const [found, wanted] = [places.get(number) ?? [], expectedPlace(number)]
    if (wanted === null) resurrected += found.length
    else if (found.length === 0) lost += 1
    else if (found.length > 1) doubled += found.length - 1
    else if (found[0] !== wanted) wrong += 1
  }
  await account.reopen()
  wrong += (await account.compareWithServer()).length + (await account.engine.entries()).length
  await account.closeEngine()
  return { lost, doubled, resurrected, wrong }
}

async function cleanRun(account: RealAccount): Promise<ReturnType<RealAccount['proxy']['counts']>> {
  account.proxy.reset()
  const { status, notes } = await finishedSync(account)
  const counts = account.proxy.counts()
  const { lost, doubled, resurrected, wrong } = await audit(account)
  if (status !== 0 || lost + doubled + resurrected + wrong > 0)
    throw new Error(`A run without fault left with ${status}, ${lost} lost, ${doubled} doubled, ${wrong} wrong: ${notes}`)
  return counts
}

async function finishedSync(account: RealAccount): Promise<Finished> {
  return (await startSync(account)).finished
}

async function startSync({ folder, storeFolder, proxy, user }: RealAccount): Promise<Running> {
  const passwordFile = join(folder, 'password')
  await writeFile(passwordFile, user.password, { mode: 0o600 })
  const where = ['--host', '127.0.0.1', '--port', String(proxy.port), '--security', 'none']
  const who = ['--user', user.name, '--password-file', passwordFile]
  return startTidemail(['sync', '--store', storeFolder, ...where, ...who, '--bodies', 'none', '--json'], { folder })
}

/** Mail and store as they were before the first run. */
interface Template {
  readonly home: string
  readonly keptHome: string
  readonly keptStore: string
}

async function keepTemplate(dovecot: DovecotServer, account: RealAccount): Promise<Template> {
  const home = (await dovecot.doveadm(['user', '-f', 'home', account.user.name])).trim()
  const template = { home, keptHome: join(account.folder, 'home'), keptStore: join(account.folder, 'kept-store') }
  await sessionsEnded(dovecot, account)
  await run('cp', ['-a', home, template.keptHome])
  await run('cp', ['-a', account.storeFolder, template.keptStore])
  return template
}

async function restore(dovecot: DovecotServer, account: RealAccount, { home, keptHome, keptStore }: Template): Promise<void> {
  await sessionsEnded(dovecot, account)
  await run('rm', ['-rf', home, account.storeFolder])
  await run('cp', ['-a', keptHome, home])
  await run('cp', ['-a', keptStore, account.storeFolder])
}

/** What the server was told before a connection broke, it goes on doing for a while. */
async function sessionsEnded(dovecot: DovecotServer, { user }: RealAccount): Promise<void> {
  const giveUpAt = performance.now() + SESSIONS_END_MS_MAX
  while ((await dovecot.doveadm(['who', '-1', user.name])).includes(user.name)) {
    if (performance.now() > giveUpAt) throw new Error('The sessions of the run before do not end.')
    await wait(POLL_MS)
  }
}
