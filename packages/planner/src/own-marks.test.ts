import {
  accountId,
  boxEpoch,
  claimId,
  type Done,
  entrySeq,
  localId,
  type MailboxRecord,
  type MutatingStep,
  mailboxId,
  type Observation,
  type Outcome,
  type StoreStep,
  UidSet,
  uidValidity,
} from '@tidemail/core'
import { acceptOperation, type Claim, type Entry, type Happening, type OperationRequest, transition } from '@tidemail/replay-log'
import { sampleMailbox } from '@tidemail/testing/simulated'
import { describe, expect, it } from 'vitest'
import { marksLeftBy, marksOf, unwantedMarks } from './own-marks.ts'
import { lanesWithWork, planLanes } from './plan-replay.ts'

const ME = accountId('me')
const [INBOX, ARCHIVE] = [mailboxId(1), mailboxId(2)]
const UIDS = UidSet.parse('1:9')
const mailbox: MailboxRecord = sampleMailbox(INBOX, {
  accountId: ME,
  uidValidity: uidValidity(5),
  checkpoint: { uidNext: 10, highestModSeq: null, known: UIDS, covered: UIDS, marked: UidSet.parse('4:6') },
})
const identity = { path: 'INBOX', uidValidity: uidValidity(5) }
const mark: StoreStep = {
  ...{ kind: 'store', id: 's1', mailbox: identity, uids: UidSet.parse('1:6'), notAfter: 1, reason: '' },
  ...{ direction: 'add', flags: ['\\Deleted'] },
}
const expunge: MutatingStep = { kind: 'expunge', id: 's2', mailbox: identity, uids: mark.uids, notAfter: 1, reason: '' }

function claim(steps: readonly MutatingStep[], more: Partial<Claim> = {}): Claim {
  const times = { claimedAt: 0, lostAt: null, answer: 'none' as const }
  return { id: claimId('c1'), accountId: ME, steps, members: [], fence: null, ...times, ...more }
}

function entry(request: OperationRequest, uids: string, steps: readonly Happening[] = [], box = mailbox.box): Entry {
  const targets = { kind: 'stored' as const, mailboxId: INBOX, box, uids: UidSet.parse(uids) }
  const place = { seq: entrySeq(1), firstLocal: localId(1), targets: [targets] }
  const accepted = acceptOperation(request, place, { accountId: ME, now: 0 }).entry
  return steps.reduce((before, step) => transition(before, targets, step).entry, accepted)
}

describe('marks of ours in a mailbox', () => {
  const parked: Happening = { kind: 'park', parkedFor: 'not-permitted' }
  const copied: readonly Happening[] = [{ kind: 'claim', claimId: claimId('c1') }, { kind: 'answered-copied' }]

  it.each<[string, Entry, string]>([
    ['a removal that is to be made', entry({ kind: 'expunge' }, '5'), '4,6'],
    ['the second half of a move', entry({ kind: 'move', to: ARCHIVE }, '5', copied), '4,6'],
    ['no removal that waits for the user', entry({ kind: 'expunge' }, '5', [parked]), '4:6'],
    ['no message that is still to be copied', entry({ kind: 'move', to: ARCHIVE }, '5'), '4:6'],
    ['no change of flags', entry({ kind: 'flag', add: ['\\Seen'], remove: [] }, '5'), '4:6'],
    ['no removal from the mailbox that was', entry({ kind: 'expunge' }, '5', [], boxEpoch(99)), '4:6'],
  ])('are wanted by %s', (_, one, unwanted) => {
    // Verifies: I-STORE-2
    expect(String(unwantedMarks(mailbox, { entries: [one] }))).toBe(unwanted)
  })

  it('are left on what the server does not list yet', () => {
    // Verifies: H-14
    const checkpoint = { uidNext: 6, highestModSeq: null, known: UIDS, covered: UIDS, marked: UidSet.parse('4:6') }
    expect(String(unwantedMarks({ ...mailbox, checkpoint }, { entries: [] }))).toBe('4:5')
  })

  it('are left for now where the server has just refused to take them off', () => {
    expect(unwantedMarks(mailbox, { entries: [], marksLeft: new Set([INBOX]) }).isEmpty).toBe(true)
    expect(String(unwantedMarks(mailbox, { entries: [], marksLeft: new Set([ARCHIVE]) }))).toBe('4:6')
  })
})

it('marks that nobody wants come off in a lane of their own, as soon as nothing there is without an answer', () => {
  // Verifies: I-STORE-2, H-7
  const server = { capabilities: [], enabled: [], appendLimitOctets: null, distrusted: [] }
  const state = { accountId: ME, entries: [], mailboxes: new Map([[INBOX, mailbox]]), server, now: 0 }
  const unmarking = claim([{ ...mark, direction: 'remove' }], { unmarks: INBOX })
  for (const lanes of [planLanes, lanesWithWork]) {
    expect(lanes({ ...state, claims: [] })).toEqual([{ kind: 'messages', mailboxId: INBOX }])
    expect(lanes({ ...state, claims: [unmarking] })).toEqual([])
  }
})

describe('what a removal marks', () => {
  const removal = [mark, expunge]
  const two = UidSet.parse('2')

  it.each<[string, Claim, string]>([
    ['is what its STORE names', claim(removal), '1:6'],
    ['is not what others had marked', claim(removal, { unaltered: [{ flag: '\\deleted', uids: two }] }), '1,3:6'],
    ['is what others had seen, too', claim(removal, { unaltered: [{ flag: '\\Seen', uids: two }] }), '1:6'],
    ['is not what is shielded from it', claim(removal, { shielded: UidSet.parse('5:9') }), '1:4'],
    ['is nothing where nothing is removed', claim([mark]), ''],
  ])('%s', (_, one, marked) => {
    expect(String(marksOf(one))).toBe(marked)
  })
})

it.each<[Outcome | null, boolean]>([
  ['ok', false],
  ['rejected', true],
  ['unknown', true],
  ['not-sent', true],
  [null, true],
])('taking marks off, answered %s, leaves marks: %s', (outcome, isLeft) => {
  // Verifies: I-LOG-5
  const unmarking = claim([{ ...mark, direction: 'remove' }], { unmarks: INBOX })
  const done: Done = { kind: 'done', id: mark.id, outcome: outcome ?? 'ok', rejection: null, exists: null }
  const observations: Observation[] = outcome === null ? [] : [done]
  expect(marksLeftBy({ claims: [unmarking, claim([expunge])], steps: [], moot: [] }, observations)).toEqual(isLeft ? [INBOX] : [])
})
