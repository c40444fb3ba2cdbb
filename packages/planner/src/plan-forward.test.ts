import {
  accountId,
  boxEpoch,
  type Checkpoint,
  type Done,
  type MailboxRecord,
  mailboxId,
  modSeq,
  type Observation,
  type Opened,
  type RowSeen,
  type StatusSeen,
  type Step,
  type Tier,
  UidSet,
  uid,
  uidValidity,
} from '@tidemail/core'
import { sampleEnvelope } from '@tidemail/testing/simulated'
import { describe, expect, it } from 'vitest'
import { DIRECT_FETCH_MESSAGES_MAX, type ForwardPlan, planForward, planVerification } from './plan-forward.ts'
import type { Hold } from './policy.ts'
import { stepNamer } from './step-ids.ts'
import { takeForward } from './take-forward.ts'

const UV = uidValidity(7)

/** `local('uv=7 ms=31', '1:3')`: a mailbox as last taken in. */
function local(
  options: { ms?: number | null; known?: string; covered?: string; uidNext?: number; isNew?: boolean } = {},
): MailboxRecord {
  const known = UidSet.parse(options.known ?? '1:3')
  return {
    id: mailboxId(1),
    accountId: accountId('a'),
    path: 'INBOX',
    delimiter: '/',
    role: 'inbox',
    isSelectable: true,
    isSubscribed: true,
    objectId: null,
    box: boxEpoch(1),
    uidValidity: options.isNew === true ? null : UV,
    checkpoint:
      options.isNew === true
        ? null
        : {
            uidNext: options.uidNext ?? (known.max ?? 0) + 1,
            highestModSeq: options.ms === null ? null : modSeq(options.ms ?? 31),
            known,
            covered: options.covered === undefined ? known : UidSet.parse(options.covered),
          },
    permanentFlags: [],
    isOnServer: true,
    isReadOnly: false,
    partsHeldFor: 'text/1/1',
    tierLimit: null,
    formerBox: null,
  }
}

function status(messages: number, uidNext: number, hms: number | null, validity = UV): StatusSeen {
  const highestModSeq = hms === null ? null : modSeq(hms)
  return { kind: 'status', path: 'INBOX', messages, uidNext, uidValidity: validity, highestModSeq, objectId: null }
}

function plan(mailbox: MailboxRecord, seen: StatusSeen | null, tier: Tier, newMessages: 'fetch' | 'list' = 'fetch'): ForwardPlan {
  return planForward({ mailbox, status: seen, tier, newMessages }, stepNamer())
}

const sketch = (steps: readonly Step[]): string[] =>
  steps.map((step) => {
    if (step.kind === 'open') return step.known === undefined ? 'open' : `open since ${step.known.modSeq}`
    if (step.kind === 'fetch')
      return `${step.items} ${step.uids}${step.changedSince === undefined ? '' : ` since ${step.changedSince.modSeq}`}`
    return step.kind === 'search' ? `search ${step.uids}` : step.kind
  })

const mailbox = { path: 'INBOX', uidValidity: UV }

function opened(of: ForwardPlan, exists: number, uidNext: number, hms: number | null, more: Partial<Opened> = {}): Opened {
  return {
    kind: 'opened',
    id: of.openId,
    mailbox,
    exists,
    uidNext,
    highestModSeq: hms === null ? null : modSeq(hms),
    permanentFlags: ['\\Seen', '\\*'],
    isReadOnly: false,
    hasPersistentUids: true,
    objectId: null,
    isResynced: of.steps.some((step) => step.kind === 'open' && step.known !== undefined),
    ...more,
  }
}

const summary = {
  internalDate: 0,
  sizeBytes: 1,
  parts: [],
  emailId: null,
  envelope: sampleEnvelope(),
}
const row = (n: number, flags: string[], kind: 'flags' | 'summary'): RowSeen => ({
  kind: 'row',
  mailbox,
  uid: uid(n),
  flags,
  modSeq: null,
  summary: kind === 'summary' ? summary : null,
})
const vanished = (uids: string): Observation => ({ kind: 'vanished', mailbox, uids: UidSet.parse(uids), isEarlier: true })
const done = (of: ForwardPlan, exists: number): Done[] =>
  of.steps.map((step) => ({ kind: 'done', id: step.id, outcome: 'ok', rejection: null, exists }))

describe('planning a look at a mailbox', () => {
  it('begins anew with a mailbox of another MAILBOXID under the same UIDVALIDITY', () => {
    // Verifies: I-SYNC-1, I-SYNC-2
    const forward = plan({ ...local(), objectId: 'F1' }, status(3, 4, 40), 'qresync')
    const done: Observation[] = forward.steps.map(
      ({ id }) => ({ kind: 'done', id, outcome: 'ok', rejection: null, exists: 3 }) as Done,
    )
    const take = (objectId: string | null): string =>
      takeForward(forward, [opened(forward, 3, 4, 40, { objectId }), ...done]).kind
    expect([take('F2'), take('F1'), take(null)]).toEqual(['reset', 'taken', 'taken'])
  })

  it('asks by QRESYNC for what changed, and fetches nothing new when UIDNEXT has not moved', () => {
    // Verifies: DC-4549-4.3.1a, DC-7162-6a
    expect(sketch(plan(local(), status(3, 4, 40), 'qresync').steps)).toEqual(['open since 31'])
  })

  it('asks for one SELECT and one FETCH when messages came', () => {
    expect(sketch(plan(local(), status(5, 6, 40), 'qresync').steps)).toEqual(['open since 31', 'summary 4:4294967295'])
  })

  it('lists first when more came than one fetch should carry', () => {
    const many = DIRECT_FETCH_MESSAGES_MAX + 1
    expect(sketch(plan(local(), status(3 + many, 4 + many, 40), 'qresync').steps)).toEqual([
      'open since 31',
      'search 4:4294967295',
    ])
  })

  it('does not fetch again what COPYUID or APPENDUID named', () => {
    // Verifies: H-13
    const steps = plan(local({ known: '1:3,5', uidNext: 4 }), status(4, 6, 40), 'qresync').steps
    expect(sketch(steps)).toEqual(['open since 31', 'summary 4,6:4294967295'])
  })

  it('tells the server what it knows only while that is short', () => {
    // Verifies: H-15
    const told = (known: string): string | undefined => {
      const [open] = plan(local({ known }), status(3, 4, 40), 'qresync').steps
      return open?.kind === 'open' ? open.known?.knownUids?.toString() : undefined
    }
    expect(told('1:90000')).toBe('1:90000')
    expect(told(Array.from({ length: 200 }, (_, i) => 2 * i + 1).join())).toBeUndefined()
  })

  it('lists only, before an upload', () => {
    // Verifies: DC-4549-3.6
    expect(sketch(plan(local(), status(5, 6, 40), 'qresync', 'list').steps)).toEqual(['open since 31', 'search 4:4294967295'])
    expect(sketch(plan(local(), status(5, 6, 40), 'condstore', 'list').steps)).toEqual(['open', 'search 1:4294967295'])
  })

  it('asks by CHANGEDSINCE over explicit UIDs in the condstore tier, and only when HIGHESTMODSEQ moved', () => {
    // Verifies: FIELD-2, DC-4549-6.1a
    expect(sketch(plan(local(), status(3, 4, 40), 'condstore').steps)).toEqual(['open', 'flags 1:4294967295 since 31'])
    expect(sketch(plan(local(), status(2, 4, 31), 'condstore').steps)).toEqual(['open'])
  })

  it('asks for new messages first and then for the flags of the old ones in the plain tier', () => {
    expect(sketch(plan(local({ ms: null }), status(5, 6, null), 'plain').steps)).toEqual([
      'open',
      'summary 4:4294967295',
      'flags 1:4294967295',
    ])
  })

  it('takes a small mailbox in one fetch the first time, and lists a large one', () => {
    expect(sketch(plan(local({ isNew: true }), status(9, 10, 40), 'qresync').steps)).toEqual(['open', 'summary 1:4294967295'])
    expect(sketch(plan(local({ isNew: true }), status(900, 901, 40), 'qresync').steps)).toEqual(['open', 'search 1:4294967295'])
    expect(sketch(plan(local({ isNew: true }), status(0, 1, 40), 'qresync').steps)).toEqual(['open'])
  })

  it('asks under the UIDVALIDITY that STATUS told, whatever was held before', () => {
    // Verifies: DC-4549-4.1.1
    const { steps } = plan(local(), status(3, 4, 40, uidValidity(8)), 'qresync')
    expect(sketch(steps)).toEqual(['open since 31', 'summary 1:4294967295'])
    expect(steps.flatMap((step) => ('mailbox' in step ? [step.mailbox.uidValidity] : []))).toEqual([8])
  })

  it('only opens a mailbox whose UIDVALIDITY nobody told', () => {
    // Verifies: I-NET-2
    expect(sketch(plan(local({ isNew: true }), null, 'qresync').steps)).toEqual(['open'])
  })
})

describe('planning a look at a mailbox of which some messages are held', () => {
  const look = (mailbox: MailboxRecord, seen: StatusSeen, tier: Tier, hold: Hold): string[] =>
    sketch(planForward({ mailbox, status: seen, tier, newMessages: 'fetch', hold }, stepNamer()).steps)
  const windowed = (options: Parameters<typeof local>[0]): MailboxRecord => {
    const record = local(options)
    const window = {
      hold: 'last-messages:3',
      box: record.box,
      from: 7,
      dated: UidSet.EMPTY,
      since: null,
      backfilled: UidSet.EMPTY,
    }
    return { ...record, window }
  }

  it.each<[Hold, number, string]>([
    [{ lastMessages: 3 }, 3, 'summary 1:4294967295'],
    [{ lastMessages: 3 }, 4, 'search 1:4294967295'],
    [{ lastDays: 3 }, 4, 'search 1:4294967295'],
    ['new-only', 4, 'search 1:4294967295'],
    ['whole', 4, 'summary 1:4294967295'],
  ])('the first time fetches at once what is held for certain: %j of %d', (hold, messages, expected) => {
    expect(look(local({ isNew: true }), status(messages, messages + 1, 9), 'qresync', hold)).toEqual(['open', expected])
  })

  it('lists first when more came than are held', () => {
    const of = (hold: Hold): string | undefined =>
      look(windowed({ known: '1:9', covered: '7:9' }), status(13, 14, 32), 'qresync', hold).at(-1)
    expect([of({ lastMessages: 4 }), of({ lastMessages: 3 }), of({ lastDays: 1 })]).toEqual([
      'summary 10:4294967295',
      'search 10:4294967295',
      'summary 10:4294967295',
    ])
  })

  it('asks for no flags of what is not held, and for the UIDs of all', () => {
    const mailbox = windowed({ known: '1:9', covered: '4,7:9' })
    expect(look(mailbox, status(9, 10, 32), 'condstore', { lastMessages: 3 })).toEqual(['open', 'flags 4:4294967295 since 31'])
    expect(look(mailbox, status(9, 10, null), 'plain', { lastMessages: 3 })).toEqual([
      'open',
      'search 1:4294967295',
      'flags 4,7:9',
    ])
    const empty = windowed({ known: '1:9', covered: '' })
    expect(look(empty, status(9, 10, 32), 'condstore', 'new-only')).toEqual(['open', 'flags 10:4294967295 since 31'])
    expect(look(empty, status(9, 10, null), 'plain', 'new-only')).toEqual(['open', 'search 1:4294967295'])
  })
})

describe('taking in the answers', () => {
  it('believes VANISHED when what is left, and what is new, is as many as EXISTS', () => {
    // Verifies: I-SYNC-2, DC-7162-3.2.10.1b
    const looked = plan(local(), status(3, 5, 40), 'qresync')
    const result = takeForward(looked, [
      opened(looked, 3, 5, 40),
      vanished('2,9'),
      row(1, ['\\Seen'], 'flags'),
      row(4, [], 'summary'),
      ...done(looked, 3),
    ])
    expect(result.kind).toBe('taken')
    if (result.kind !== 'taken') return
    expect(result.mailbox.checkpoint).toMatchObject({ uidNext: 5, highestModSeq: 40n })
    expect(`${result.mailbox.checkpoint?.known}`).toBe('1,3:4')
    expect(result.writes.map((write) => write.kind)).toEqual(['put-mailbox', 'remove-messages', 'put-messages', 'put-flags'])
  })

  it('deletes nothing on a VANISHED that does not add up, and asks for the list of UIDs', () => {
    // Verifies: I-SYNC-2, FIELD-1
    const looked = plan(local(), status(3, 4, 40), 'qresync')
    const lie = [opened(looked, 3, 4, 40), vanished('1:3'), ...done(looked, 3)]
    expect(takeForward(looked, lie)).toMatchObject({ kind: 'verify' })
    const verified = planVerification(looked, { uidValidity: UV, list: null }, stepNamer())
    const list: Observation = { kind: 'uids', id: verified.wholeListId ?? '', mailbox, uids: UidSet.parse('1:3') }
    const result = takeForward(verified, [...lie, list, ...done(verified, 3)])
    expect(result.kind === 'taken' && `${result.mailbox.checkpoint?.known}`).toBe('1:3')
    expect(result.kind === 'taken' && result.writes.map((write) => write.kind)).toEqual(['put-mailbox'])
  })

  it('is not deceived by a count that one expunged and one new message leave as it was', () => {
    // Verifies: I-SYNC-2
    const looked = plan(local({ known: '1:5' }), status(4, 6, 40), 'condstore')
    const answers = [opened(looked, 4, 6, 40), ...done(looked, 5)]
    expect(takeForward(looked, answers)).toMatchObject({ kind: 'verify' })
  })

  it('misses what came unnamed while a copy of ours, not listed yet, stands in the count for it', () => {
    // Verifies: I-SYNC-2
    const looked = plan(local({ known: '1:3,9', uidNext: 4 }), status(4, 5, 40), 'qresync')
    expect(takeForward(looked, [opened(looked, 4, 5, 40), ...done(looked, 4)])).toMatchObject({ kind: 'verify' })
    const named = [opened(looked, 4, 5, 40), row(4, [], 'summary'), ...done(looked, 5)]
    expect(takeForward(looked, named)).toMatchObject({ kind: 'taken' })
  })

  it('counts what was gone before the mailbox was opened, not what went since, as gone when it was opened', () => {
    // Verifies: I-SYNC-2
    const looked = plan(local(), status(3, 4, 40), 'qresync')
    const since: Observation = { kind: 'vanished', mailbox, uids: UidSet.parse('2'), isEarlier: false }
    expect(takeForward(looked, [opened(looked, 3, 4, 40), since, ...done(looked, 2)])).toMatchObject({ kind: 'taken' })
    expect(takeForward(looked, [opened(looked, 2, 4, 40), vanished('2'), ...done(looked, 2)])).toMatchObject({ kind: 'taken' })
  })

  it('keeps what it does not tell of: which messages we marked, but for those that went, and how far UIDs were named', () => {
    // Verifies: I-STORE-2, H-10
    const before = local()
    const checkpoint = { ...(before.checkpoint as Checkpoint), marked: UidSet.parse('1:2'), namedUpTo: 9 }
    const looked = plan({ ...before, checkpoint }, status(2, 4, 40), 'qresync')
    const result = takeForward(looked, [opened(looked, 2, 4, 40), vanished('2'), ...done(looked, 2)])
    expect(result.kind === 'taken' && result.mailbox.checkpoint).toMatchObject({ marked: UidSet.parse('1'), namedUpTo: 9 })
    const all = takeForward(looked, [opened(looked, 1, 4, 40), vanished('1:2'), ...done(looked, 1)])
    expect(all.kind === 'taken' && all.mailbox.checkpoint).not.toHaveProperty('marked')
  })

  it('does not take an omitted FETCH for an expunge', () => {
    // Verifies: FIELD-7, I-SYNC-2
    const looked = plan(local({ ms: null }), status(3, 4, null), 'plain')
    const answers = [opened(looked, 3, 4, null), row(1, [], 'flags'), row(3, [], 'flags'), ...done(looked, 3)]
    expect(takeForward(looked, answers)).toMatchObject({ kind: 'verify' })
  })

  it('finds in the plain tier what was expunged, and what is new', () => {
    // Verifies: DC-4549-4.3.1b
    const looked = plan(local({ ms: null }), status(3, 5, null), 'plain')
    const answers = [
      opened(looked, 3, 5, null),
      row(4, [], 'summary'),
      row(3, [], 'flags'),
      row(1, [], 'flags'),
      row(4, [], 'flags'),
      ...done(looked, 3),
    ]
    const result = takeForward(looked, answers)
    expect(result.kind === 'taken' && `${result.mailbox.checkpoint?.known}`).toBe('1,3:4')
    expect(result.kind === 'taken' && result.news).toEqual({ fetched: 1, removed: 1, flagsChanged: 2 })
  })

  it('moves the mod-sequence to that of the SELECT, never to that of a row', () => {
    // Verifies: H-12, DC-7162-6e
    const looked = plan(local(), status(3, 4, 40), 'qresync')
    const late = { ...row(2, ['\\Flagged'], 'flags'), modSeq: modSeq(99) }
    const result = takeForward(looked, [opened(looked, 3, 4, 40), late, ...done(looked, 3)])
    expect(result.kind === 'taken' && result.mailbox.checkpoint?.highestModSeq).toBe(40n)
  })

  it('leaves the mod-sequence where it is when flags were not asked for', () => {
    // Verifies: H-12
    const looked = plan(local(), status(3, 4, 40), 'condstore', 'list')
    const list: Observation = { kind: 'uids', id: looked.wholeListId ?? '', mailbox, uids: UidSet.parse('1:3') }
    const result = takeForward(looked, [opened(looked, 3, 4, 40), list, ...done(looked, 3)])
    expect(result.kind === 'taken' && result.mailbox.checkpoint?.highestModSeq).toBe(31n)
  })

  it.each([
    ['goes back', 30, 'plain'],
    ['is missing', null, 'plain'],
  ] as const)('falls to a lower tier when HIGHESTMODSEQ %s', (_, hms, tier) => {
    // Verifies: FIELD-3, DC-7162-6f
    const looked = plan(local(), status(3, 4, 40), 'qresync')
    expect(takeForward(looked, [opened(looked, 3, 4, hms), ...done(looked, 3)])).toMatchObject({ kind: 'lower-tier', tier })
  })

  it.each(['qresync', 'condstore'] as const)('looks at everything, in the tier %s, when UIDNEXT went back', (tier) => {
    // Verifies: FIELD-4, I-SYNC-2
    const looked = plan(local(), null, tier)
    const result = takeForward(looked, [opened(looked, 2, 3, 40), vanished('3'), ...done(looked, 2)])
    expect(result).toEqual({ kind: 'lower-tier', tier: 'plain', reason: 'UIDNEXT went back under the same UIDVALIDITY' })
  })

  it('never lowers the UIDNEXT it has seen, and takes only a list of UIDs for what is gone', () => {
    const looked = plan(local(), status(2, 3, 40), 'plain')
    const result = takeForward(looked, [opened(looked, 2, 3, 40), row(1, [], 'flags'), row(2, [], 'flags'), ...done(looked, 2)])
    expect(result.kind === 'taken' && result.mailbox.checkpoint).toMatchObject({ uidNext: 4, known: UidSet.parse('1:2') })
    const short = takeForward(looked, [opened(looked, 3, 3, 40), row(1, [], 'flags'), row(2, [], 'flags'), ...done(looked, 3)])
    expect(short.kind).toBe('verify')
  })

  it('asks by CHANGEDSINCE when the server ignored the QRESYNC parameters', () => {
    const looked = plan(local(), status(3, 4, 40), 'qresync')
    const answers = [opened(looked, 3, 4, 40, { isResynced: false }), ...done(looked, 3)]
    expect(takeForward(looked, answers)).toMatchObject({ kind: 'lower-tier', tier: 'condstore' })
  })

  it('starts again on another UIDVALIDITY, and believes nothing that came with it', () => {
    // Verifies: DC-7162-3.2.5a, DC-4549-4.1.1
    const looked = plan(local(), status(3, 4, 40), 'qresync')
    const other = opened(looked, 3, 4, 5, { mailbox: { path: 'INBOX', uidValidity: uidValidity(8) } })
    expect(takeForward(looked, [other, vanished('1:3'), ...done(looked, 3)])).toMatchObject({ kind: 'reset' })
  })

  it('takes a mailbox that could not be opened again for just that, not for one with a new UIDVALIDITY', () => {
    // Verifies: FIELD-20
    const looked = plan(local(), status(3, 4, 40), 'condstore')
    const verified = planVerification(looked, { uidValidity: UV, list: null }, stepNamer())
    const [open, search] = verified.steps
    const busy = { status: 'NO', code: 'INUSE', text: 'Busy.' } as const
    const answers: Observation[] = [
      opened(looked, 2, 4, 40),
      ...done(looked, 2),
      { kind: 'done', id: open?.id ?? '', outcome: 'rejected', rejection: busy, exists: null },
      { kind: 'done', id: search?.id ?? '', outcome: 'stale', rejection: null, exists: null },
    ]
    expect(takeForward(verified, answers)).toEqual({ kind: 'refused', what: 'open', rejection: busy })
  })

  it('writes nothing of answers that the connection cut short', () => {
    // Verifies: I-STORE-1, DC-7162-6b
    const looked = plan(local(), status(5, 6, 40), 'qresync')
    const [first] = done(looked, 5)
    const answers: Observation[] = [opened(looked, 5, 6, 40), vanished('2'), row(4, [], 'summary')]
    if (first !== undefined) answers.push(first)
    expect(takeForward(looked, answers)).toEqual({ kind: 'lost' })
  })

  it('takes VANISHED 1:4294967295 as a set', () => {
    // Verifies: FIELD-21
    const looked = plan(local(), status(0, 4, 40), 'qresync')
    const result = takeForward(looked, [opened(looked, 0, 4, 40), vanished('1:4294967295'), ...done(looked, 0)])
    expect(result.kind === 'taken' && `${result.mailbox.checkpoint?.known}`).toBe('')
  })
})
