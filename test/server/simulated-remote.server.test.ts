/** Holds the simulated remote against the real adapter: the same steps, over the wire and without it, on equal mail, give the same observations. */

import {
  bodyId,
  type Clock,
  type FetchItems,
  isMutating,
  type KnownState,
  type MailboxIdentity,
  modSeq,
  type Observation,
  type Remote,
  type RunOptions,
  type Step,
  UidSet,
  uid,
  uidValidity,
} from '@tidemail/core'
import { imapRemote } from '@tidemail/imap'
import { type Extension, ImapServer, ModelAccount, SimulatedRemote, sampleMessages } from '@tidemail/testing'
import { afterEach, describe, expect, it } from 'vitest'

const samples = sampleMessages({ count: 20, seed: 9 })
const letter = samples[4]?.bytes ?? new Uint8Array()
const options: RunOptions = { bodies: { bytes: async () => letter }, signal: new AbortController().signal }
const clock: Clock = { now: () => 1000, sleep: () => new Promise(() => undefined) }

/** What happens: steps of ours, and acts of a rival on the mail itself. */
type Act = readonly Step[] | ((account: ModelAccount) => void)

const planned = (id: string) => ({ id, reason: 'test', notAfter: Number.MAX_SAFE_INTEGER })
const inbox: MailboxIdentity = { path: 'INBOX', uidValidity: uidValidity(new ModelAccount().inbox.uidValidity) }
const open = (path: string, known?: KnownState, access: 'select' | 'examine' = 'select'): Step => ({
  ...{ kind: 'open', id: `open ${path}`, reason: 'test', path, access },
  ...(known === undefined ? {} : { known }),
})
const flag = (uids: UidSet, flags: string[], direction: 'add' | 'remove' = 'add'): Step => ({
  ...planned(`flag ${uids} ${flags}`),
  ...{ kind: 'store', mailbox: inbox, uids, direction, flags },
})
const fetch = (uids: UidSet, items: FetchItems, since?: bigint): Step => ({
  ...{ kind: 'fetch', id: `fetch ${uids} ${items}`, reason: 'test', mailbox: inbox, uids, items },
  ...(since === undefined ? {} : { changedSince: { modSeq: modSeq(since), vanished: true } }),
})
const append = (count: number): Step => ({
  ...planned(`append ${count}`),
  kind: 'append',
  target: 'Drafts',
  messages: Array.from({ length: count }, (_, i) => ({
    ...{ bodyId: bodyId('b'), sizeBytes: letter.length, flags: ['\\Draft'], internalDate: 1_767_225_600_000 + i * 1000 },
  })),
})
const search = (uids: UidSet): Step => ({ kind: 'search', id: `search ${uids}`, reason: 'test', mailbox: inbox, uids })
const copy = (uids: UidSet, target: string): Step => ({ ...planned(`copy ${uids}`), kind: 'copy', mailbox: inbox, uids, target })
const move = (uids: UidSet, target: string): Step => ({ ...planned(`move ${uids}`), kind: 'move', mailbox: inbox, uids, target })
const expunge = (uids: UidSet): Step => ({ ...planned(`expunge ${uids}`), kind: 'expunge', mailbox: inbox, uids })

const ACTS: readonly Act[] = [
  [{ kind: 'list', id: 'list', reason: 'test', withStatus: true }],
  [{ kind: 'status', id: 'status', reason: 'test', path: 'Archive' }],
  [open('INBOX'), fetch(UidSet.ALL, 'summary')],
  [fetch(UidSet.range(2, 4), 'identity'), fetch(UidSet.of(3, 99), 'flags'), search(UidSet.range(2, 8))],
  [
    flag(UidSet.range(1, 6), ['\\Flagged']),
    flag(UidSet.of(2), ['work']),
    flag(UidSet.of(2), ['work']),
    flag(UidSet.of(1), ['\\Flagged'], 'remove'),
  ],
  (account) => {
    account.inbox.store(UidSet.of(7), { direction: 'add', flags: ['\\Answered'] })
    account.inbox.remove(UidSet.of(9, 12))
    account.append('INBOX', samples.slice(0, 2))
  },
  [fetch(UidSet.ALL, 'flags'), search(UidSet.ALL)],
  [copy(UidSet.of(1, 3), 'Archive'), copy(UidSet.of(99), 'Archive'), copy(UidSet.of(1), 'Nope')],
  [move(UidSet.of(2, 3), 'Trash'), move(UidSet.of(2), 'Trash')],
  [flag(UidSet.of(4, 5), ['\\Deleted']), expunge(UidSet.range(4, 99)), append(1), append(3)],
  [
    {
      ...{ kind: 'fetch-body', id: 'bodies', reason: 'test', mailbox: inbox },
      parts: [
        { uid: uid(1), section: '', sizeBytes: 1000 },
        { uid: uid(7), section: '1', sizeBytes: 100 },
        { uid: uid(8), section: 'HEADER', sizeBytes: 100 },
      ],
    },
  ],
  [open('Archive'), flag(UidSet.of(1), ['\\Seen']), { kind: 'leave', id: 'leave', reason: 'test' }],
  (account) => {
    account.inbox.remove(UidSet.of(10))
    account.inbox.store(UidSet.of(11), { direction: 'add', flags: ['late'] })
  },
  [open('INBOX', { uidValidity: inbox.uidValidity, modSeq: modSeq(3n) }), fetch(UidSet.ALL, 'flags', 4n)],
  [open('INBOX', { uidValidity: inbox.uidValidity, modSeq: modSeq(3n), knownUids: UidSet.range(1, 10) }, 'examine')],
  [open('INBOX', { uidValidity: uidValidity(5), modSeq: modSeq(3n) }), open('Nope'), search(UidSet.ALL)],
]

describe('the simulated remote and the adapter over the wire see the same', () => {
  let server: ImapServer | undefined

  afterEach(async () => {
    await server?.close()
  })

  it.each<[string, readonly Extension[]]>([
    ['with everything', []],
    ['without QRESYNC', ['QRESYNC']],
    ['without CONDSTORE', ['CONDSTORE']],
    ['without UIDPLUS and MOVE', ['UIDPLUS', 'MOVE', 'MULTIAPPEND']],
    ['without the conveniences', ['LIST-EXTENDED', 'ESEARCH', 'UNSELECT', 'OBJECTID', 'SPECIAL-USE', 'LITERAL+']],
  ])('%s', async (_, without) => {
    server = await ImapServer.start({ users: { alice: 'secret' }, without })
    const wire = imapRemote({
      host: server.host,
      port: server.port,
      security: 'none',
      user: 'alice',
      secret: async () => 'secret',
    })
    const overWire = await observe(wire, server.account('alice'), without)
    const account = new ModelAccount()
    const simulated = await observe(new SimulatedRemote({ account, clock, without }), account, without)
    expect(simulated).toEqual(overWire)
    expect(overWire.length).toBeGreaterThan(60)
  })
})

async function observe(remote: Remote, account: ModelAccount, without: readonly Extension[]): Promise<unknown[]> {
  account.append('INBOX', samples)
  const session = await remote.connect(options.signal)
  const seen: unknown[] = []
  for (const act of ACTS) {
    if (typeof act === 'function') act(account)
    else {
      const steps = act.filter((step) => isPlannedFor(step, without))
      for await (const observation of session.run(steps, options)) seen.push(comparable(observation))
    }
  }
  await session.close()
  return seen
}

/** What the planner asks only of servers that can. */
function isPlannedFor(step: Step, without: readonly Extension[]): boolean {
  if (step.kind === 'fetch' && step.changedSince !== undefined)
    return !without.some((name) => name === 'QRESYNC' || name === 'CONDSTORE')
  const needed: Partial<Record<Step['kind'], Extension>> = { move: 'MOVE', expunge: 'UIDPLUS' }
  if (step.kind === 'append' && step.messages.length > 1) return !without.includes('MULTIAPPEND')
  const name = isMutating(step) ? needed[step.kind] : undefined
  return name === undefined || !without.includes(name)
}

/** Without the words of the server, and with sets as text. */
function comparable(observation: Observation): unknown {
  if (observation.kind === 'done' && observation.rejection !== null) {
    return { ...observation, rejection: { ...observation.rejection, text: '' } }
  }
  // EXISTS without a tagged reply, and MAILBOXID outside LIST, are left to the adapter.
  if (observation.kind === 'done' && observation.outcome === 'stale') return { ...observation, exists: null }
  if (observation.kind === 'status') return { ...observation, objectId: null }
  if (observation.kind === 'vanished' || observation.kind === 'uids') return { ...observation, uids: observation.uids.toString() }
  if (observation.kind === 'opened') return { ...observation, permanentFlags: [...observation.permanentFlags].sort() }
  return observation.kind === 'row' && observation.flags !== null
    ? { ...observation, flags: [...observation.flags].sort() }
    : observation
}
