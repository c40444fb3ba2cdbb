/** How the adapter has a server tell of all mailboxes (RFC 5465), and what it does when the server cannot, or will not any more. */

import type { Observation, RemoteSession, WatchRequest } from '@tidemail/core'
import { UidSet } from '@tidemail/core'
import { ImapServer } from '@tidemail/testing'
import { afterEach, describe, expect, it } from 'vitest'
import {
  BODIES,
  closeScripted,
  connectScripted,
  idleOnce,
  ofKind,
  outcomes,
  remoteOf,
  SECRET,
  selectLines,
  step,
} from './scripted-session.ts'

const ALL: WatchRequest = { path: 'INBOX', beside: 'personal' }
const MESSAGE_EVENTS = 'MessageNew MessageExpunge FlagChange'
const SET_ALL = `NOTIFY SET STATUS (SELECTED-DELAYED (${MESSAGE_EVENTS})) (PERSONAL (${MESSAGE_EVENTS} MailboxName SubscriptionChange))`
const NOTIFYING = { kind: 'watching', way: 'notify' }
const IDLING = { kind: 'watching', way: 'idle' }

const servers: ImapServer[] = []

afterEach(async () => {
  await closeScripted()
  await Promise.all(servers.splice(0).map((server) => server.close()))
})

interface Watched {
  readonly server: ImapServer
  readonly session: RemoteSession
  readonly told: Observation[]
  /** Resolves when so much has been told. */
  until(claim: (told: readonly Observation[]) => boolean): Promise<void>
  end(): Promise<void>
}

/** A watch on the server in memory, from the moment on when it waits. */
async function watched(
  request: WatchRequest = ALL,
  before: (session: RemoteSession) => Promise<unknown> = async () => {},
): Promise<Watched> {
  const server = await ImapServer.start({ users: { ann: SECRET } })
  servers.push(server)
  const session = await remoteOf(server.port).connect(new AbortController().signal)
  await before(session)
  return { server, session, ...(await listening(session, request)) }
}

async function listening(session: RemoteSession, request: WatchRequest): Promise<Omit<Watched, 'server' | 'session'>> {
  const stop = new AbortController()
  const told: Observation[] = []
  let look: () => void = () => {}
  const until = (claim: (told: readonly Observation[]) => boolean): Promise<void> =>
    new Promise((resolve) => {
      look = () => claim(told) && resolve()
      look()
    })
  const over = (async () => {
    for await (const item of session.watch(request, stop.signal)) {
      told.push(item)
      look()
    }
  })()
  await until((items) => items.some(({ kind }) => kind === 'watching'))
  return {
    told,
    until,
    end: async () => {
      stop.abort()
      await over
    },
  }
}

const stirred = (told: readonly Observation[]): readonly (string | null)[] => ofKind(told, 'stirred').map(({ path }) => path)

async function run(session: RemoteSession, ...steps: Parameters<RemoteSession['run']>[0]): Promise<readonly Observation[]> {
  const seen: Observation[] = []
  for await (const item of session.run(steps, { bodies: BODIES, signal: new AbortController().signal })) seen.push(item)
  return seen
}

describe('a watch on a server with NOTIFY', () => {
  // Verifies: DC-5465-5
  it('asks for all mailboxes in one command, and is told the state of each', async () => {
    const { server, told, end } = await watched()
    expect(server.commands.filter((line) => line.includes('NOTIFY'))).toEqual([expect.stringContaining(SET_ALL)])
    expect(ofKind(told, 'status').map(({ path }) => path)).toEqual(server.account('ann').mailboxes.map(({ path }) => path))
    expect(told.at(-1)).toEqual(NOTIFYING)
    await end()
  })

  it('opens no mailbox, and is told which one has changed', async () => {
    const { server, told, until, end } = await watched()
    const account = server.account('ann')
    account.open('Archive').append([{ bytes: new Uint8Array([10]), flags: [], internalDate: 0 }])
    await until((items) => stirred(items).length > 0)
    account.inbox.append([{ bytes: new Uint8Array([10]), flags: [], internalDate: 0 }])
    await until((items) => stirred(items).includes('INBOX'))
    expect(stirred(told)).toEqual(['Archive', 'INBOX'])
    expect(server.commands.join('\n')).not.toMatch(/ (SELECT|EXAMINE) /)
    await end()
  })

  it('is told of the open mailbox too, as ever', async () => {
    const { server, until, end } = await watched(ALL, (session) => run(session, step.open('o', 'Archive')))
    const archive = server.account('ann').open('Archive')
    archive.append([{ bytes: new Uint8Array([10]), flags: [], internalDate: 0 }])
    await until((items) => stirred(items).includes('Archive'))
    archive.store(UidSet.ALL, { direction: 'add', flags: ['\\Seen'] })
    await until((items) => stirred(items).length > 1)
    await end()
  })

  // Verifies: DC-5465-5.4
  it.each([
    ['made', 'New', true, (account: ReturnType<ImapServer['account']>) => account.create('New')],
    ['deleted', 'Junk', false, (account: ReturnType<ImapServer['account']>) => account.delete('Junk')],
    [
      'renamed, with what is below it',
      'Old',
      true,
      (account: ReturnType<ImapServer['account']>) => account.rename('Archive', 'Old'),
    ],
  ])('is told the name of a mailbox that was %s', async (_, path, isSelectable, change) => {
    const { server, until, end } = await watched()
    change(server.account('ann'))
    await until((items) => ofKind(items, 'mailbox').length > 0)
    await until((items) =>
      items.some((item) => item.kind === 'mailbox' && item.path === path && item.isSelectable === isSelectable),
    )
    await end()
  })

  // Verifies: DC-9051-6.3.13a
  it('has nothing told to a plan but what the plan asks for', async () => {
    const { server, session, end } = await watched()
    await end()
    const running = run(session, step.list('l'))
    server.account('ann').create('Meanwhile')
    const seen = await running
    expect(outcomes(seen)).toBe('l:ok')
    const commands = server.commands.map((line) => line.split(' ').slice(1).join(' '))
    expect(commands.indexOf('NOTIFY NONE')).toBe(commands.findIndex((line) => line.startsWith('LIST')) - 1)
    const paths = ofKind(seen, 'mailbox').map(({ path }) => path)
    expect(paths.filter((path, index) => paths.indexOf(path) !== index)).toEqual([])
  })

  it('is told of what came while it did something else', async () => {
    const { server, session, told, until, end } = await watched()
    const { length } = told
    server
      .account('ann')
      .open('Archive')
      .append([{ bytes: new Uint8Array([10]), flags: [], internalDate: 0 }])
    await run(session, step.list('l'))
    await until((items) => items.slice(length).some(({ kind }) => kind === 'watching'))
    const states = ofKind(told, 'status').filter(({ path }) => path === 'Archive')
    expect(states.at(-1)?.messages).toBe(1)
    await end()
  })

  it('asks only for those that are wanted, by name', async () => {
    const { server, told, end } = await watched({ path: 'INBOX', beside: ['INBOX', 'Sent'] })
    expect(server.commands.join('\n')).toContain('(MAILBOXES ("INBOX" "Sent") (')
    expect(ofKind(told, 'status').map(({ path }) => path)).toEqual(['INBOX', 'Sent'])
    await end()
  })

  // Verifies: DC-5465-5.2
  it('asks for nothing of new messages that would mark them as read or name them by numbers', async () => {
    const { server, end } = await watched()
    const asked = server.commands.find((line) => line.includes('NOTIFY SET')) ?? ''
    expect(asked).toContain('SELECTED-DELAYED')
    expect(asked).not.toMatch(/MessageNew \(|BODY|RFC822|\(SELECTED /)
    await end()
  })
})

describe('a server that cannot tell of everything', () => {
  const CAPABILITIES = 'NOTIFY IDLE'

  // Verifies: DC-5465-3.1
  it('is asked for the events that it has', async () => {
    const { session, server } = await connectScripted(CAPABILITIES, async (peer) => {
      await peer.answer(SET_ALL, 'NO [BADEVENT (MessageNew MessageExpunge MailboxName)] not those')
      const events = 'MessageNew MessageExpunge'
      await peer.answer(`NOTIFY SET STATUS (SELECTED-DELAYED (${events})) (PERSONAL (${events} MailboxName))`, 'OK set')
      await idleOnce(peer, ['* STATUS Work (MESSAGES 4 UIDNEXT 9)'])
    })
    const { told, until, end } = await listening(session, ALL)
    await until((items) => stirred(items).length > 0)
    expect(told).toEqual([NOTIFYING, { kind: 'stirred', path: 'Work' }])
    await server.played
    await end()
  })

  // Verifies: DC-5465-3.1
  it.each([
    ['that it is too much', 'NO [NOTIFICATIONOVERFLOW] too much'],
    ['that it has no such events', 'NO [BADEVENT (MailboxName)] none'],
    ['that it does not understand', 'BAD what'],
    ['no, without a reason', 'NO no'],
  ])('is waited for by IDLE in one mailbox when it says %s, and not asked again', async (_, refusal) => {
    const { session, server } = await connectScripted(CAPABILITIES, async (peer) => {
      await peer.answer('NOTIFY SET', refusal)
      await peer.answer('EXAMINE "INBOX"', ...selectLines())
      await idleOnce(peer, ['* 4 EXISTS'])
      await idleOnce(peer, ['* 5 EXISTS'])
    })
    const { told, until, end } = await listening(session, ALL)
    await until((items) => stirred(items).length > 1)
    expect(told).toEqual([
      expect.objectContaining({ kind: 'status', path: 'INBOX', messages: 3 }),
      IDLING,
      { kind: 'stirred', path: 'INBOX' },
      { kind: 'stirred', path: 'INBOX' },
    ])
    await server.played
    await end()
  })

  // Verifies: DC-5465-5.8
  it('is polled as before once it is overrun, and everything is looked at', async () => {
    const { session, server } = await connectScripted(CAPABILITIES, async (peer) => {
      await peer.answer('NOTIFY SET', '* STATUS Work (MESSAGES 4 UIDNEXT 9 UIDVALIDITY 1)', 'OK set')
      await idleOnce(peer, ['* OK [NOTIFICATIONOVERFLOW] too many'])
      await peer.answer('EXAMINE "INBOX"', ...selectLines())
      await idleOnce(peer, ['* 4 EXISTS'])
    })
    const { told, until, end } = await listening(session, ALL)
    await until((items) => stirred(items).length > 1)
    expect(told.map((item) => (item.kind === 'stirred' ? item.path : item.kind))).toEqual([
      'status',
      'watching',
      null,
      'status',
      'watching',
      'INBOX',
    ])
    expect(told).toContainEqual(IDLING)
    await server.played
    await end()
  })

  it('is believed once: what it says again is no news', async () => {
    const state = '* STATUS Work (MESSAGES 4 UIDNEXT 9 UIDVALIDITY 1 UNSEEN 2)'
    const { session } = await connectScripted(CAPABILITIES, async (peer) => {
      await peer.answer('NOTIFY SET', state, 'OK set')
      await idleOnce(peer, [state, '* STATUS Work (MESSAGES 4 UIDNEXT 9)', '* STATUS First (UNSEEN 1)'])
      await idleOnce(peer, ['* STATUS Work (UNSEEN 1)'])
      await idleOnce(peer, ['* STATUS Work (UNSEEN 1)', '* STATUS Last (UNSEEN 1)'])
    })
    const { told, until, end } = await listening(session, ALL)
    await until((items) => stirred(items).includes('Last'))
    expect(stirred(told)).toEqual(['First', 'Work', 'Last'])
    await end()
  })

  // Verifies: DC-5465-3.1
  it('is believed when it cannot tell of one mailbox, which is no news', async () => {
    const { session } = await connectScripted(CAPABILITIES, async (peer) => {
      await peer.answer('NOTIFY SET', '* LIST (\\NoAccess) "/" Secret', 'OK set')
      await idleOnce(peer, ['* LIST (\\NoAccess) "/" Secret', '* STATUS Work (MESSAGES 4)'])
    })
    const { told, until, end } = await listening(session, ALL)
    await until((items) => stirred(items).length > 0)
    expect(told).toEqual([NOTIFYING, { kind: 'stirred', path: 'Work' }])
    await end()
  })

  it('is listened to without IDLE where it has none', async () => {
    let tell: () => void = () => {}
    const { session } = await connectScripted('NOTIFY', async (peer) => {
      await peer.answer('NOTIFY SET', 'OK set')
      tell = () => peer.send('* STATUS Work (MESSAGES 4)')
    })
    const { told, until, end } = await listening(session, ALL)
    tell()
    await until((items) => stirred(items).length > 0)
    expect(told).toEqual([NOTIFYING, { kind: 'stirred', path: 'Work' }])
    await end()
  })
})
