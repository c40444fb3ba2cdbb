import {
  accountId,
  bodyId,
  boxEpoch,
  claimId,
  type Done,
  entrySeq,
  type MailboxRecord,
  mailboxId,
  type Observation,
  type RowSeen,
  UidSet,
  uid,
  uidValidity,
} from '@tidemail/core'
import type { Claim, FencedMessage } from '@tidemail/replay-log'
import { sampleEnvelope } from '@tidemail/testing/simulated'
import { describe, expect, it } from 'vitest'
import { concludeProbe } from './conclude-probe.ts'
import {
  GHOST_QUIET_MS_MAX,
  isRepeatable,
  LISTING_LAG_MS_MAX,
  needsSecondLook,
  type Probe,
  planProbe,
  planRestore,
  recoverableFrom,
} from './plan-recovery.ts'
import { stepNamer } from './step-ids.ts'

const UV = uidValidity(7)
const target = { path: 'Archive', uidValidity: UV }

const fenced = (of: number, messageId: string | null, more: Partial<FencedMessage> = {}): FencedMessage => ({
  of,
  messageId,
  sizeBytes: 10,
  internalDate: 1000,
  emailId: null,
  digest: null,
  ...more,
})

function claim(kind: 'append' | 'move' | 'copy', messages: readonly FencedMessage[]): Claim {
  const uids = UidSet.from(messages.map((message) => message.of))
  const outgoing = { bodyId: bodyId('b'), sizeBytes: 10, flags: [], internalDate: 1000 }
  const planned = { id: 'step-1', reason: 'test', notAfter: 60_000 }
  const inbox = { path: 'INBOX', uidValidity: uidValidity(3) }
  return {
    id: claimId('c'),
    accountId: accountId('me'),
    steps: [
      kind === 'append'
        ? { ...planned, kind, target: 'Archive', messages: messages.map(() => outgoing) }
        : { ...planned, kind, target: 'Archive', mailbox: inbox, uids },
    ],
    members: [{ seq: entrySeq(1), targets: { kind: 'stored', mailboxId: mailboxId(1), box: boxEpoch(1), uids } }],
    fence: { mailboxId: mailboxId(2), box: boxEpoch(2), path: 'Archive', uidValidity: UV, uidNext: 50, messages },
    claimedAt: 30_000,
    lostAt: null,
    answer: 'none',
  }
}

const source = { path: 'INBOX', uidValidity: uidValidity(3) } as MailboxRecord

function probeOf(of: Claim): Probe {
  const probe = planProbe(of, of.steps[0]?.kind === 'append' ? null : source, stepNamer())
  if (probe === null) throw new Error('nothing to probe')
  return probe
}

interface Server {
  readonly uidNext: number | null
  /** What STATUS tells, where the open tells nothing. */
  readonly statusUidNext?: number
  readonly statusUidValidity?: number
  readonly rows?: readonly RowSeen[]
  readonly sourcesLeft?: string
  readonly uidValidity?: number
}

function answers(probe: Probe, server: Server): Observation[] {
  const mailbox = { path: 'Archive', uidValidity: uidValidity(server.uidValidity ?? 7) }
  const done = probe.steps.map((step): Done => {
    const isStale = server.uidValidity !== undefined && step.id === probe.targetFetchId
    return { kind: 'done', id: step.id, outcome: isStale ? 'stale' : 'ok', rejection: null, exists: 1 }
  })
  const opened: Observation = {
    kind: 'opened',
    id: probe.targetOpenId,
    mailbox,
    exists: 1,
    uidNext: server.uidNext,
    highestModSeq: null,
    permanentFlags: [],
    isReadOnly: true,
    hasPersistentUids: true,
    objectId: null,
    isResynced: false,
  }
  const left: Observation[] =
    probe.sourceSearchId === null
      ? []
      : [
          {
            kind: 'uids',
            id: probe.sourceSearchId,
            mailbox: { path: 'INBOX', uidValidity: uidValidity(3) },
            uids: UidSet.parse(server.sourcesLeft ?? ''),
          },
        ]
  const { statusUidNext } = server
  const status: Observation[] =
    statusUidNext === undefined
      ? []
      : [
          {
            kind: 'status',
            path: 'Archive',
            messages: 1,
            uidNext: statusUidNext,
            uidValidity: uidValidity(server.statusUidValidity ?? mailbox.uidValidity),
            highestModSeq: null,
            objectId: null,
          },
        ]
  return [...status, opened, ...(server.rows ?? []), ...left, ...done]
}

function row(n: number, messageId: string | null, more: { sizeBytes?: number; emailId?: string } = {}): RowSeen {
  const envelope = sampleEnvelope({ messageId })
  const summary = { internalDate: 1000, sizeBytes: more.sizeBytes ?? 10, envelope, parts: [], emailId: more.emailId ?? null }
  return { kind: 'row', mailbox: target, uid: uid(n), flags: null, modSeq: null, summary }
}

function conclude(of: Claim, server: Server, digests: ReadonlyMap<number, string> = new Map()): string[] {
  const probe = probeOf(of)
  const conclusion = concludeProbe(probe, answers(probe, server), null, digests)
  if (conclusion.kind !== 'concluded') return [conclusion.kind]
  return conclusion.verdicts.map(
    (verdict) => `${verdict.of} ${verdict.kind}${verdict.kind === 'done' ? ` as ${verdict.uid}` : ''}`,
  )
}

describe('what a probe tells of flags', () => {
  const probe = probeOf(claim('copy', [fenced(3, '<a@x>')]))
  const flagsOf = (n: number): RowSeen => ({
    kind: 'row',
    mailbox: target,
    uid: uid(n),
    flags: ['\\Seen'],
    modSeq: null,
    summary: null,
  })

  it('is what the server states of what is ours, and of nothing else', () => {
    const rows = [row(50, '<z@x>'), row(51, '<a@x>'), flagsOf(50), flagsOf(51)]
    const found = concludeProbe(probe, answers(probe, { uidNext: 52, rows, sourcesLeft: '3' }), null, new Map())
    expect(found).toMatchObject({ kind: 'concluded', states: [{ uid: 51, flags: ['\\Seen'], modSeq: null }] })
  })

  it('proves nothing of a message that came between the two questions', () => {
    const rows = [row(50, '<z@x>'), flagsOf(50), flagsOf(51)]
    const found = concludeProbe(probe, answers(probe, { uidNext: 52, rows, sourcesLeft: '3' }), null, new Map())
    expect(found).toMatchObject({ verdicts: [{ of: 3, kind: 'uncertain' }], states: [] })
  })

  it('may come along with an identity', () => {
    const rows = [{ ...row(50, '<a@x>'), flags: ['\\Seen'] }]
    const found = concludeProbe(probe, answers(probe, { uidNext: 51, rows, sourcesLeft: '3' }), null, new Map())
    expect(found).toMatchObject({ verdicts: [{ kind: 'done', uid: 50 }], states: [{ uid: 50 }] })
  })
})

describe('what a probe proves of an upload', () => {
  const upload = claim('append', [fenced(3, '<a@x>')])

  it.each([
    ['it is there, certainly', { uidNext: 52, rows: [row(50, '<z@x>'), row(51, '<a@x>')] }, '3 done as 51'],
    ['UIDNEXT has not moved: it never arrived', { uidNext: 50 }, '3 not-done'],
    [
      'every UID since the fence is there and is another message',
      { uidNext: 52, rows: [row(50, '<z@x>'), row(51, '<y@x>')] },
      '3 not-done',
    ],
    ['a gap: somebody may have taken ours away', { uidNext: 52, rows: [row(51, '<z@x>')] }, '3 uncertain'],
    [
      'the same Message-ID with another size: the server may have rewritten it',
      { uidNext: 51, rows: [row(50, '<a@x>', { sizeBytes: 99 })] },
      '3 uncertain',
    ],
    ['the server does not tell UIDNEXT', { uidNext: null }, '3 uncertain'],
    ['only STATUS tells that UIDNEXT has not moved', { uidNext: null, statusUidNext: 50 }, '3 not-done'],
    ['only STATUS tells that UIDNEXT has moved', { uidNext: null, statusUidNext: 51 }, '3 uncertain'],
    ['STATUS told of another life', { uidNext: null, statusUidNext: 50, statusUidValidity: 8 }, '3 uncertain'],
    ['its like was there before the fence', { uidNext: 50, rows: [row(49, '<a@x>')] }, '3 not-done'],
    [
      'its like is in another mailbox',
      { uidNext: 50, rows: [{ ...row(50, '<a@x>'), mailbox: { path: 'INBOX', uidValidity: uidValidity(3) } }] },
      '3 not-done',
    ],
    ['the mailbox was made anew', { uidNext: 1, uidValidity: 8 }, '3 uncertain'],
  ] as const)('%s', (_, server, verdict) => {
    // Verifies: H-9, I-LOG-3, FIELD-10
    expect(conclude(upload, server)).toEqual([verdict])
  })

  it('counts the matches of twins, and gives one row to one message only', () => {
    // Verifies: H-10
    const twins = claim('append', [fenced(3, '<a@x>'), fenced(4, '<a@x>')])
    expect(conclude(twins, { uidNext: 52, rows: [row(50, '<a@x>'), row(51, '<a@x>')] })).toEqual(['3 done as 50', '4 done as 51'])
    expect(conclude(twins, { uidNext: 51, rows: [row(50, '<a@x>')] })).toEqual(['3 done as 50', '4 not-done'])
  })

  it('names what matches once more, besides the one that is taken for ours', () => {
    // Verifies: H-10
    const probe = probeOf(upload)
    const rows = [row(50, '<a@x>'), row(51, '<z@x>'), row(52, '<a@x>')]
    expect(concludeProbe(probe, answers(probe, { uidNext: 53, rows }), null, new Map())).toMatchObject({
      verdicts: [{ of: 3, kind: 'done', uid: 50, more: [52] }],
      uidNext: 53,
    })
  })

  it('leaves alone what is held already: that was somebody else, or an operation that was settled', () => {
    // Verifies: H-9, H-10
    const probe = probeOf(upload)
    const held = { box: boxEpoch(2), checkpoint: { known: UidSet.of(50) } } as MailboxRecord
    const told = answers(probe, { uidNext: 51, rows: [row(50, '<a@x>')] })
    expect(concludeProbe(probe, told, held, new Map())).toMatchObject({ verdicts: [{ of: 3, kind: 'not-done' }] })
  })

  it('compares the bytes where there is no Message-ID', () => {
    const bare = claim('append', [fenced(3, null, { digest: 'aa' })])
    const server = { uidNext: 51, rows: [row(50, null)] }
    expect(conclude(bare, server)).toEqual(['need-digests'])
    expect(conclude(bare, server, new Map([[50, 'aa']]))).toEqual(['3 done as 50'])
    expect(conclude(bare, server, new Map([[50, 'bb']]))).toEqual(['3 not-done'])
  })

  it('concludes nothing when the probe itself was cut off', () => {
    const probe = probeOf(upload)
    expect(concludeProbe(probe, [], null, new Map())).toEqual({ kind: 'lost' })
  })
})

describe('what a probe proves of a move or copy', () => {
  it.each([
    ['moved', 'move', { uidNext: 51, rows: [row(50, '<a@x>')] }, '9 done as 50'],
    ['still where it was', 'move', { uidNext: 50, sourcesLeft: '9' }, '9 not-done'],
    ['still where it was, though others came and went', 'move', { uidNext: 55, sourcesLeft: '9' }, '9 not-done'],
    ['taken away by somebody else', 'move', { uidNext: 50 }, '9 gone'],
    ['gone from one side and hidden by a gap on the other', 'move', { uidNext: 52 }, '9 uncertain'],
    ['copied', 'copy', { uidNext: 51, rows: [row(50, '<a@x>')], sourcesLeft: '9' }, '9 done as 50'],
    ['not copied', 'copy', { uidNext: 50, sourcesLeft: '9' }, '9 not-done'],
    ['perhaps copied: there is a gap', 'copy', { uidNext: 52, sourcesLeft: '9' }, '9 uncertain'],
  ] as const)('%s', (_, kind, server, verdict) => {
    // Verifies: H-9, DC-6851-3.3a
    expect(conclude(claim(kind, [fenced(9, '<a@x>')]), server)).toEqual([verdict])
  })
})

describe('when a lost claim may be decided', () => {
  const times = { startedAt: 40_000 }

  it('waits until the server has finished what it had received', () => {
    // Verifies: H-7
    expect(recoverableFrom({ ...claim('copy', []), lostAt: 50_000 }, { ...times, ownership: 'process' })).toBe(
      50_000 + GHOST_QUIET_MS_MAX,
    )
  })

  it('knows that a process that held the lock is dead', () => {
    expect(recoverableFrom(claim('copy', []), { ...times, ownership: 'process' })).toBe(40_000 + GHOST_QUIET_MS_MAX)
  })

  it('waits for the claim of a sleeping tab to expire', () => {
    // Verifies: H-8
    expect(recoverableFrom(claim('copy', []), { ...times, ownership: 'shared' })).toBe(60_000 + 300_000 + GHOST_QUIET_MS_MAX)
    expect(recoverableFrom(claim('append', []), { ...times, ownership: 'shared' })).toBe(60_000 + 1_800_000 + GHOST_QUIET_MS_MAX)
  })

  it('looks twice, with time between, before what was not found is sent again', () => {
    // Verifies: H-7, H-9
    const lost = claim('append', [])
    expect(needsSecondLook(lost, [{ kind: 'done' }, { kind: 'uncertain' }])).toBe(false)
    expect(needsSecondLook(lost, [{ kind: 'not-done' }])).toBe(true)
    const looked = { ...lost, lostAt: 50_000, probedAt: 70_000 }
    expect(needsSecondLook(looked, [{ kind: 'not-done' }])).toBe(false)
    expect(recoverableFrom(looked, { ...times, ownership: 'process' })).toBe(70_000 + LISTING_LAG_MS_MAX)
  })

  it('marks again what others had marked, after a removal that was cut short', () => {
    // Verifies: DC-4549-4.2.4c
    const removal = {
      kind: 'expunge-all' as const,
      id: 'e',
      reason: 'test',
      notAfter: 1,
      mailbox: target,
    }
    const steps = planRestore({ ...claim('copy', []), steps: [removal], shielded: UidSet.parse('2,8') }, stepNamer(), 99)
    expect(steps).toMatchObject([
      { kind: 'open', path: target.path, access: 'select' },
      { kind: 'store', direction: 'add', flags: ['\\Deleted'], uids: UidSet.parse('2,8'), notAfter: 99 },
    ])
    expect(planRestore(claim('copy', []), stepNamer(), 99)).toBeNull()
  })

  it('repeats what may be repeated, without a probe', () => {
    const store = {
      kind: 'store' as const,
      id: 's',
      reason: 'test',
      notAfter: 1,
      mailbox: target,
      uids: UidSet.of(1),
      direction: 'add' as const,
      flags: [],
    }
    expect(isRepeatable({ ...claim('copy', []), steps: [store] })).toBe(true)
    expect(isRepeatable(claim('move', [fenced(1, null)]))).toBe(false)
  })
})
