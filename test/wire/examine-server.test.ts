/** The examination of a server: an honest one, and one defect at a time. */

import type { Clock, Observation, Remote, RemoteSession, ServerProfile, Step } from '@tidemail/core'
import { type Examination, examineServer, type Verdict } from '@tidemail/engine'
import { FaultProxy, type FaultProxyOptions, ImapServer, type ImapServerOptions, sampleMessages } from '@tidemail/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SessionRecorder } from './session-recorder.ts'
import { describeBreaches, type Exemptions, lintTranscripts, OF_AN_EXAMINATION } from './transcript-lint.ts'

const ALICE = 'alice'
const PASSWORD = 'opensesame'

let server: ImapServer
let proxy: FaultProxy | null = null
let recorder: SessionRecorder
let exempt: Exemptions

async function start(options: Partial<ImapServerOptions> = {}): Promise<void> {
  await server?.close()
  server = await ImapServer.start({ users: { [ALICE]: PASSWORD }, ...options })
}

beforeEach(async () => {
  recorder = new SessionRecorder()
  exempt = OF_AN_EXAMINATION
  await start()
})
afterEach(async () => {
  await proxy?.close()
  proxy = null
  await server.close()
  expect(describeBreaches(lintTranscripts(recorder.sessions, { exempt }))).toEqual([])
})

function remoteAt(port: number): Remote {
  return recorder.remote({ host: '127.0.0.1', port, security: 'none', user: ALICE, secret: async () => PASSWORD })
}

/** The server as it looks through a proxy that lies. */
async function through(lie: Omit<FaultProxyOptions, 'host' | 'port'>): Promise<Remote> {
  if (lie.refuse?.includes('UID EXPUNGE') === true)
    exempt = { ...exempt, 'DC-4549-4.2.4b': 'In the mailboxes that an examination makes nobody else marks anything.' }
  proxy = await FaultProxy.start({ host: server.host, port: server.port, ...lie })
  return remoteAt(proxy.port)
}

const rewriting = (rewriteLine: (line: string) => string | null) => () => through({ rewriteLine })

interface Alterations {
  readonly step?: (step: Step) => Step
  readonly item?: (item: Observation, step: Step) => Observation | null
  readonly watch?: RemoteSession['watch']
  /** A capability that it does not know of, though it advertises it. */
  readonly without?: string
}

/** The server, doing something else than it was asked. */
function altered({ step: change = (step) => step, item: tell = (item) => item, watch, without }: Alterations): Remote {
  const against = { reason: '', learntBy: 'examination' as const, since: 0, expiresAt: Number.MAX_SAFE_INTEGER }
  if (without === 'UIDPLUS')
    exempt = { ...exempt, 'DC-4549-4.2.4a': 'EXPUNGE is sent in the place of UID EXPUNGE: that is the defect.' }
  const learnt = without === undefined ? [] : [{ capability: without, ...against }]
  return {
    connect: async (signal) => {
      const session = await remoteAt(server.port).connect(signal, learnt)
      const run: RemoteSession['run'] = async function* (steps, options) {
        for (const step of steps) {
          for await (const item of session.run([change(step)], options)) {
            const told = tell(item, step)
            if (told !== null) yield told
          }
        }
      }
      return {
        server: { ...session.server, distrusted: [] },
        get ended() {
          return session.ended
        },
        run,
        watch: watch ?? ((path, until) => session.watch(path, until)),
        close: () => session.close(),
      }
    },
  }
}

const altering = (alterations: Alterations) => async () => altered(alterations)

/** Time passes only while somebody waits a little; who waits long waits for something else, until there is nothing else. */
function impatient(onWait: () => void = () => undefined): Clock {
  let now = Date.now()
  return {
    now: () => now,
    sleep: (delayMs, signal) =>
      new Promise((resolve) => {
        const wake = (): void => {
          signal?.removeEventListener('abort', wake)
          resolve()
        }
        signal?.addEventListener('abort', wake)
        if (signal?.aborted === true) return wake()
        if (delayMs > 1_000) return
        now += delayMs
        onWait()
        setImmediate(wake)
      }),
  }
}

function verdicts({ findings }: Examination): Record<string, Verdict> {
  return Object.fromEntries(findings.map(({ id, verdict }) => [id, verdict]))
}

const distrustedBy = ({ profile }: { readonly profile: ServerProfile }): readonly string[] =>
  profile.distrusted.map(({ capability }) => capability).toSorted()

const ALL_AS_CLAIMED: Readonly<Record<string, Verdict>> = {
  enable: 'as claimed',
  'listing-lag': 'as claimed',
  'append-uid': 'as claimed',
  'date-and-size': 'as claimed',
  search: 'as claimed',
  'list-status': 'as claimed',
  'mod-sequences': 'as claimed',
  'changed-flags': 'as claimed',
  vanished: 'as claimed',
  'uid-expunge': 'as claimed',
  'copy-uid': 'as claimed',
  move: 'as claimed',
  'permanent-flags': 'as claimed',
  names: 'as claimed',
  'large-message': 'as claimed',
  idle: 'not checked',
}

describe('the examination of a server that does what it says', () => {
  it('finds everything as claimed, and nothing to distrust', async () => {
    const examination = await examineServer({ remote: remoteAt(server.port) })
    expect(verdicts(examination)).toEqual(ALL_AS_CLAIMED)
    expect(examination.profile).toMatchObject({ distrusted: [], measured: { listingLagMs: 0, idleMs: null } })
    expect(examination.profile.enabled).toContain('QRESYNC')
  })

  it('says what is not offered', async () => {
    await start({ without: ['UIDPLUS', 'MOVE', 'CONDSTORE', 'IDLE', 'LIST-STATUS'] })
    const examination = await examineServer({ remote: remoteAt(server.port), idleMs: 1 })
    const notOffered = Object.entries(verdicts(examination)).flatMap(([id, verdict]) => (verdict === 'not offered' ? [id] : []))
    expect(notOffered).toEqual(
      'enable append-uid list-status mod-sequences changed-flags vanished uid-expunge copy-uid move idle'.split(' '),
    )
    expect(Object.values(verdicts(examination)).filter((verdict) => verdict === 'as claimed')).toHaveLength(6)
    expect(distrustedBy(examination)).toEqual([])
  })

  it('hears news of an idle connection', async () => {
    const examination = await examineServer({ remote: remoteAt(server.port), idleMs: 5 })
    expect(verdicts(examination)).toEqual({ ...ALL_AS_CLAIMED, idle: 'as claimed' })
  })

  it('stays below the size that the server takes', async () => {
    server.account(ALICE).appendLimitOctets = 20_000
    const examination = await examineServer({ remote: remoteAt(server.port) })
    expect(verdicts(examination)['large-message']).toBe('as claimed')
    expect(examination.profile.appendLimitOctets).toBe(20_000)
  })

  it('touches nothing but mailboxes of its own, and removes them', async () => {
    const account = server.account(ALICE)
    account.inbox.append(sampleMessages({ count: 3, seed: 4 }))
    account.create('tidemail-doctor-old')
    const before = account.mailboxes.map(({ path, version }) => `${path} ${version}`)
    const { scratch, leftovers } = await examineServer({ remote: remoteAt(server.port) })
    expect(account.mailboxes.map(({ path, version }) => `${path} ${version}`)).toEqual(before)
    expect(leftovers).toEqual(['tidemail-doctor-old'])
    const naming = server.commands.filter((line) =>
      /^\S+ (SELECT|EXAMINE|APPEND|STATUS|CREATE|DELETE|RENAME|UID (COPY|MOVE))/.test(line),
    )
    expect(naming.length).toBeGreaterThan(20)
    expect(naming.filter((line) => !line.includes(scratch))).toEqual([])
  })

  it('works below INBOX where nothing may be made beside it', async () => {
    const remote = altered({
      step: (step) => (step.kind === 'create' && !step.path.startsWith('INBOX') ? { ...step, path: 'a//b' } : step),
    })
    const examination = await examineServer({ remote })
    expect(examination.scratch).toMatch(/^INBOX\/tidemail-doctor-/)
    expect(verdicts(examination)).toEqual(ALL_AS_CLAIMED)
    expect(server.account(ALICE).mailboxes.filter(({ path }) => path.includes('doctor'))).toEqual([])
  })
})

/** What is wrong; the findings that are not `as claimed`; what must not be used any more. */
type Defect = readonly [
  what: string,
  remote: () => Promise<Remote>,
  findings: Readonly<Record<string, Verdict>>,
  distrusted: string,
]

let lastModSeq = 1_000
function falling(): number {
  lastModSeq -= 1
  return lastModSeq
}

const DEFECTS: readonly Defect[] = [
  [
    'ENABLE is not confirmed',
    rewriting((line) => (line.startsWith('* ENABLED') ? null : line)),
    { enable: 'missing', vanished: 'missing' },
    'QRESYNC',
  ],
  [
    'HIGHESTMODSEQ stands still',
    rewriting((line) => line.replace(/HIGHESTMODSEQ \d+/, 'HIGHESTMODSEQ 5')),
    { 'mod-sequences': 'contradicts', 'changed-flags': 'contradicts' },
    'CONDSTORE QRESYNC',
  ],
  [
    'HIGHESTMODSEQ goes back',
    rewriting((line) => line.replace(/HIGHESTMODSEQ \d+/, () => `HIGHESTMODSEQ ${falling()}`)),
    { 'list-status': 'contradicts', 'mod-sequences': 'contradicts', 'changed-flags': 'missing', vanished: 'missing' },
    'CONDSTORE LIST-STATUS QRESYNC',
  ],
  [
    'there is no HIGHESTMODSEQ',
    rewriting((line) => (/\[HIGHESTMODSEQ/.test(line) && line.startsWith('*') ? null : line.replace(/ HIGHESTMODSEQ \d+/, ''))),
    { 'mod-sequences': 'missing', 'changed-flags': 'missing', vanished: 'missing' },
    'CONDSTORE QRESYNC',
  ],
  [
    'CHANGEDSINCE leaves out what changed',
    rewriting((line) => (/FETCH .*\\Answered/.test(line) ? null : line)),
    { 'changed-flags': 'missing', 'permanent-flags': 'contradicts' },
    'CONDSTORE QRESYNC',
  ],
  [
    'CHANGEDSINCE is ignored',
    altering({
      step: (step) => {
        if (step.kind !== 'fetch') return step
        const { changedSince: _, ...rest } = step
        return rest
      },
    }),
    { 'changed-flags': 'contradicts' },
    'CONDSTORE QRESYNC',
  ],
  [
    'VANISHED does not come',
    rewriting((line) => (line.startsWith('* VANISHED (EARLIER)') ? null : line)),
    { vanished: 'missing' },
    'QRESYNC',
  ],
  [
    'VANISHED names what is there',
    rewriting((line) => line.replace(/^(\* VANISHED \(EARLIER\)) .*/, '$1 1:4294967295')),
    { vanished: 'contradicts' },
    'QRESYNC',
  ],
  ['UID EXPUNGE is refused', () => through({ refuse: ['UID EXPUNGE'] }), { 'uid-expunge': 'missing' }, 'UIDPLUS'],
  [
    'UID EXPUNGE removes everything that is marked',
    altering({ without: 'UIDPLUS', step: (step) => (step.kind === 'expunge' ? { ...step, kind: 'expunge-all' } : step) }),
    { 'uid-expunge': 'contradicts' },
    'UIDPLUS',
  ],
  ['there is no APPENDUID', rewriting((line) => line.replace(/\[APPENDUID [^\]]*\] /, '')), { 'append-uid': 'missing' }, ''],
  [
    'APPENDUID is of another message',
    rewriting((line) => line.replace(/\[APPENDUID (\d+) \d+\]/, '[APPENDUID $1 77]')),
    { 'append-uid': 'contradicts' },
    '',
  ],
  [
    'there is no COPYUID',
    rewriting((line) => line.replace(/\[COPYUID [^\]]*\] /, '')),
    { 'copy-uid': 'missing', move: 'missing' },
    '',
  ],
  [
    'COPYUID is of other messages',
    rewriting((line) => line.replace(/\[COPYUID (\d+) (\S+) \S+\]/, '[COPYUID $1 $2 8:9]')),
    { 'copy-uid': 'contradicts', move: 'contradicts' },
    '',
  ],
  ['MOVE is refused', () => through({ refuse: ['UID MOVE'] }), { move: 'missing' }, 'MOVE'],
  [
    'MOVE copies',
    altering({ step: (step) => (step.kind === 'move' ? { ...step, kind: 'copy' } : step) }),
    { move: 'contradicts' },
    'MOVE',
  ],
  ['keywords are not kept', rewriting((line) => line.replace(/ TidemailDoctor/i, '')), { 'permanent-flags': 'contradicts' }, ''],
  [
    'the date is not kept',
    rewriting((line) => line.replace('17-May-2020', '18-May-2020')),
    { 'date-and-size': 'contradicts' },
    '',
  ],
  [
    'the size is another',
    rewriting((line) => line.replace(/RFC822\.SIZE \d+/, 'RFC822.SIZE 7')),
    { 'date-and-size': 'contradicts' },
    '',
  ],
  [
    'SEARCH leaves messages out',
    rewriting((line) => line.replace(/^(\* ESEARCH .* ALL) \S+/, '$1 1')),
    { search: 'contradicts' },
    '',
  ],
  [
    'LIST tells no state',
    altering({ item: (item, step) => (item.kind === 'status' && step.kind === 'list' ? null : item) }),
    { 'list-status': 'missing' },
    'LIST-STATUS',
  ],
  [
    'LIST tells an old state',
    altering({ item: (item, step) => (item.kind === 'status' && step.kind === 'list' ? { ...item, messages: 0 } : item) }),
    { 'list-status': 'contradicts' },
    'LIST-STATUS',
  ],
  [
    'names are listed in another form',
    rewriting((line) => line.replace('Gr&APwA3w-e', 'Gru&AwgA3w-e')),
    { names: 'contradicts' },
    '',
  ],
  [
    'names beyond ASCII are refused',
    altering({ step: (step) => (step.kind === 'create' && /[^ -~]/.test(step.path) ? { ...step, path: 'a//b' } : step) }),
    { names: 'missing' },
    '',
  ],
  [
    'large messages are cut short',
    altering({
      item: (item) => (item.kind === 'body' ? { ...item, bytes: item.bytes?.subarray(0, 65_536) ?? null } : item),
    }),
    { 'large-message': 'contradicts' },
    '',
  ],
]

// Verifies: FIELD-5
describe('the examination of a server where', () => {
  it.each(DEFECTS)('%s', async (_, remote, findings, distrusted) => {
    const examination = await examineServer({ remote: await remote() })
    expect(verdicts(examination)).toEqual({ ...ALL_AS_CLAIMED, ...findings })
    expect(distrustedBy(examination).join(' ')).toBe(distrusted)
    for (const { since, expiresAt, reason } of examination.profile.distrusted) {
      expect(expiresAt - since).toBe(7 * 86_400_000)
      expect(reason.length).toBeGreaterThan(20)
    }
    expect(server.account(ALICE).mailboxes.filter(({ path }) => path.includes('doctor'))).toEqual([])
  })

  it('what arrives is listed late', async () => {
    const account = server.account(ALICE)
    let waits = 0
    account.listen(({ mailbox, event }) => {
      if (event.kind === 'created' && mailbox.path.includes('doctor')) mailbox.isListingLate = true
    })
    const clock = impatient(() => {
      waits += 1
      if (waits % 4 === 0) for (const mailbox of account.mailboxes) mailbox.listArrivals()
    })
    const examination = await examineServer({ remote: remoteAt(server.port), clock })
    expect(verdicts(examination)['listing-lag']).toBe('contradicts')
    expect(examination.profile.measured?.listingLagMs).toBe(1_000)
  })

  it('what arrives is not listed', async () => {
    server.account(ALICE).listen(({ mailbox, event }) => {
      if (event.kind === 'created' && mailbox.path.includes('doctor')) mailbox.isListingLate = true
    })
    const examination = await examineServer({ remote: remoteAt(server.port), clock: impatient() })
    expect(verdicts(examination)).toMatchObject({ 'listing-lag': 'missing', search: 'not checked', move: 'not checked' })
    expect(distrustedBy(examination)).toEqual([])
  })

  it('an idle connection ends', async () => {
    const remote = altered({ watch: async function* () {} })
    const examination = await examineServer({ remote, idleMs: 60_000 })
    expect(verdicts(examination)['idle']).toBe('contradicts')
    expect(examination.profile.measured?.idleMs).toBeLessThan(60_000)
  })

  it('an idle connection is deaf', async () => {
    const remote = altered({
      watch: async function* (_, signal) {
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
      },
    })
    const { now, sleep } = impatient()
    // Thirty seconds without news are over at once.
    const clock: Clock = { now, sleep: (delayMs, signal) => sleep(delayMs === 30_000 ? 1 : delayMs, signal) }
    const examination = await examineServer({ remote, clock, idleMs: 1 })
    expect(verdicts(examination)).toEqual({ ...ALL_AS_CLAIMED, idle: 'missing' })
  })
})

describe('an examination that is disturbed', () => {
  it('goes on with the next check when the connection is cut', async () => {
    const remote = await through({ fault: { kind: 'lose-answer', command: 'UID MOVE', how: 'rst' } })
    const examination = await examineServer({ remote })
    expect(verdicts(examination)).toEqual({ ...ALL_AS_CLAIMED, move: 'not checked' })
    expect(server.account(ALICE).mailboxes.filter(({ path }) => path.includes('doctor'))).toEqual([])
  })

  it('goes on with the next check when there is no answer', async () => {
    const remote = await through({ fault: { kind: 'lose-answer', command: 'UID MOVE', how: 'stall' } })
    const { now, sleep } = impatient()
    const silence = proxy?.nextFault() ?? Promise.reject(new Error('There is no proxy.'))
    const clock: Clock = {
      now,
      sleep: (delayMs, signal) => Promise.race([sleep(delayMs, signal), ...(delayMs === 60_000 ? [silence] : [])]),
    }
    const examination = await examineServer({ remote, clock })
    expect(verdicts(examination)['move']).toBe('not checked')
    expect(examination.findings.find(({ id }) => id === 'move')?.sentence).toMatch(/60 seconds/)
    expect(server.account(ALICE).mailboxes.filter(({ path }) => path.includes('doctor'))).toEqual([])
  })

  it('ends on an abort, and has removed its mailboxes then', async () => {
    const interruption = new AbortController()
    const ended = examineServer({
      remote: remoteAt(server.port),
      signal: interruption.signal,
      onFinding: ({ id }) => {
        if (id === 'copy-uid') interruption.abort()
      },
    })
    await expect(ended).rejects.toMatchObject({ code: 'engine.aborted' })
    expect(server.commands.some((line) => line.includes('UID MOVE'))).toBe(false)
    expect(server.account(ALICE).mailboxes.filter(({ path }) => path.includes('doctor'))).toEqual([])
  })

  it('ends on an abort in the middle of a check, and has removed its mailboxes then', async () => {
    const remote = await through({ fault: { kind: 'lose-answer', command: 'UID MOVE', how: 'stall' } })
    const interruption = new AbortController()
    const ended = examineServer({ remote, signal: interruption.signal })
    ended.catch(() => undefined)
    await proxy?.nextFault()
    interruption.abort()
    await expect(ended).rejects.toMatchObject({ code: 'engine.aborted', message: 'The examination was interrupted.' })
    expect(server.account(ALICE).mailboxes.filter(({ path }) => path.includes('doctor'))).toEqual([])
  })

  it('says what could not be removed', async () => {
    const remote = altered({ step: (step) => (step.kind === 'delete' ? { ...step, path: 'INBOX' } : step) })
    const { scratch, leftovers } = await examineServer({ remote })
    expect(leftovers).toContain(scratch)
  })

  it('ends when the server is not to be reached any more', async () => {
    const remote = await through({})
    const ended = examineServer({
      remote,
      onFinding: ({ id }) => {
        if (id !== 'search') return
        proxy?.setFault({ kind: 'refuse-connections' })
        proxy?.cut('rst')
      },
    })
    await expect(ended).rejects.toMatchObject({ code: expect.stringMatching(/^remote\./) })
  })

  it('ends where no mailbox may be made', async () => {
    const remote = altered({ step: (step) => (step.kind === 'create' ? { ...step, path: 'a//b' } : step) })
    await expect(examineServer({ remote })).rejects.toMatchObject({ code: 'remote.try-later' })
  })
})
