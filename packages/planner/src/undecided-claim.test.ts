import {
  accountId,
  boxEpoch,
  claimId,
  entrySeq,
  type LocalId,
  localId,
  type MailboxRecord,
  mailboxId,
  type StoredTargets,
  type Targets,
  UidPairs,
  UidSet,
  uidValidity,
} from '@tidemail/core'
import {
  type Claim,
  type ClaimMember,
  type Entry,
  type MessageOperation,
  type ParkReason,
  transition,
} from '@tidemail/replay-log'
import { sampleMailbox } from '@tidemail/testing/simulated'
import { describe, expect, it } from 'vitest'
import { partOfClaim, undecidedOf } from './undecided-claim.ts'

const me = accountId('me')
const [INBOX, ARCHIVE, WORK] = [mailboxId(1), mailboxId(2), mailboxId(3)]
const mailboxes = new Map([INBOX, ARCHIVE, WORK].map((id) => [id, sampleMailbox(id, { accountId: me })]))
const boxOf = (id: MailboxRecord['id']): MailboxRecord['box'] => mailboxes.get(id)?.box ?? boxEpoch(0)

function stored(uids: string): StoredTargets {
  return { kind: 'stored', mailboxId: INBOX, box: boxOf(INBOX), uids: UidSet.parse(uids) }
}

function local(...numbers: number[]): Targets {
  return { kind: 'local', mailboxId: ARCHIVE, locals: UidSet.of(...numbers.map((number): LocalId => localId(number))) }
}

function entry(seq: number, operation: MessageOperation, targets: Targets): Entry {
  const progress = [{ state: 'queued' as const, targets, claimId: null, parkedFor: null, placed: UidPairs.EMPTY }]
  const base = { seq: entrySeq(seq), accountId: me, revision: 1, acceptedAt: 0, operation, progress }
  return { ...base, placed: UidPairs.EMPTY, settled: [], rejections: 0, notBefore: 0, conflicts: [] }
}

const move = (seq: number, targets: Targets, to = ARCHIVE): Entry =>
  entry(seq, { kind: 'move', targets, to, names: {} } as never, targets)

function parked(one: Entry, targets: Targets, parkedFor: ParkReason): Entry {
  return transition(one, targets, { kind: 'park', parkedFor }).entry
}

function claim(members: readonly ClaimMember[], uids: string, { kind = 'move', to = ARCHIVE } = {}): Claim {
  const messages = [...UidSet.parse(uids).values()].map((of) => ({
    of,
    messageId: `<${of}@x>`,
    sizeBytes: 1,
    internalDate: 0,
    emailId: null,
    digest: null,
  }))
  const fence = { mailboxId: to, box: boxOf(to), path: 'box2', uidValidity: uidValidity(7), uidNext: 5, messages }
  const base = { id: claimId('c'), accountId: me, claimedAt: 0, lostAt: 1, answer: 'none' as const, keptAt: 2 }
  return { ...base, steps: [{ kind } as never], members, fence }
}

/** `#1 3:4, messages 3:4`, or null. */
function undecided(of: Claim, entries: readonly Entry[], now = mailboxes): string | null {
  const left = undecidedOf(
    of,
    (seq) => entries.find((one) => one.seq === seq),
    (id) => now.get(id),
  )
  if (left === null) return null
  const members = left.members.map(({ seq, targets }) => `#${seq} ${targets.kind === 'stored' ? targets.uids : targets.locals}`)
  return `${members.join(' ')}, messages ${UidSet.from(left.fence.messages.map((message) => message.of))}`
}

describe('what is undecided of a claim', () => {
  // Verifies: H-10, H-11
  const sent = claim([{ seq: entrySeq(1), targets: stored('3:6') }], '3:6')

  it('is what is queued again, and what is parked as uncertain', () => {
    expect(undecided(sent, [move(1, stored('3:6'))])).toBe('#1 3:6, messages 3:6')
    expect(undecided(sent, [parked(move(1, stored('3:6')), stored('3:6'), 'uncertain')])).toBe('#1 3:6, messages 3:6')
  })

  it('is not what became settled, is on its way again, or waits for another reason', () => {
    expect(undecided(sent, [])).toBeNull()
    expect(undecided(sent, [move(1, stored('3:4'))])).toBe('#1 3:4, messages 3:4')
    const sending = transition(move(1, stored('3:6')), stored('3'), { kind: 'claim', claimId: claimId('d') }).entry
    expect(undecided(sent, [sending])).toBe('#1 4:6, messages 4:6')
    expect(undecided(sent, [parked(move(1, stored('3:6')), stored('3:6'), 'over-quota')])).toBeNull()
  })

  it('is nothing where the operation goes elsewhere now, or the target has other UIDs', () => {
    expect(undecided(sent, [move(1, stored('3:6'), WORK)])).toBeNull()
    const anew = new Map(mailboxes)
    anew.set(ARCHIVE, { ...sampleMailbox(ARCHIVE, { accountId: me }), box: boxEpoch(99) })
    expect(undecided(sent, [move(1, stored('3:6'))], anew)).toBeNull()
  })

  it('is a chain that was sent as one step only while all of it is as it was', () => {
    const pairs = new UidPairs([{ from: 20, to: 3, length: 2 }])
    const chain = claim(
      [
        { seq: entrySeq(1), targets: stored('3:4'), isSuperseded: true },
        { seq: entrySeq(2), targets: local(20, 21), sentAs: pairs },
      ],
      '3:4',
      { to: WORK },
    )
    const [first, second] = [move(1, stored('3:4'), ARCHIVE), move(2, local(20, 21), WORK)]
    expect(undecided(chain, [first, second])).toBe('#1 3:4 #2 20:21, messages 3:4')
    expect(undecided(chain, [first])).toBeNull()
    expect(undecided(chain, [first, move(2, local(20), WORK)])).toBeNull()
  })

  it('is of a draft the new version, and not the one that it takes the place of', () => {
    const draft = claim(
      [
        { seq: entrySeq(1), targets: local(7) },
        { seq: entrySeq(1), targets: stored('3') },
      ],
      '7',
      { kind: 'replace' },
    )
    const saved = entry(1, { kind: 'append', to: ARCHIVE, message: { local: localId(7) } } as never, local(7))
    const both = { ...saved, progress: [...saved.progress, ...move(1, stored('3')).progress] }
    expect(undecided(draft, [both])).toBe('#1 7, messages 7')
  })
})

it('a part of a claim has the members and the messages of that part', () => {
  const both = claim(
    [
      { seq: entrySeq(1), targets: stored('3:4') },
      { seq: entrySeq(2), targets: stored('5') },
    ],
    '3:5',
  )
  const part = partOfClaim(both, UidSet.of(4))
  expect(part.members.map(({ seq, targets }) => [seq, targets])).toEqual([[1, stored('4')]])
  expect(part.fence?.messages.map(({ of }) => of)).toEqual([4])
})
