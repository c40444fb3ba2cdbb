import {
  accountId,
  boxEpoch,
  type Checkpoint,
  type Done,
  entrySeq,
  localId,
  type MailboxRecord,
  type MessageIdentity,
  mailboxId,
  modSeq,
  type Observation,
  type Outcome,
  type Rejection,
  type Step,
  type Targets,
  UID_MAX,
  UidPairs,
  UidSet,
  uid,
  uidValidity,
} from '@tidemail/core'
import { acceptOperation, decodeReceipt, type Entry, type OperationRequest } from '@tidemail/replay-log'
import { describe, expect, it } from 'vitest'
import { Ledger } from './ledger.ts'
import { planLanes, planReplay } from './plan-replay.ts'
import type { Batch, BatchContext, ReplayState } from './replay-state.ts'
import { settleBatch, settleMoot } from './settle-batch.ts'
import { stepNamer } from './step-ids.ts'

const ME = accountId('me')
const INBOX = mailboxId(1)
const ARCHIVE = mailboxId(2)
const NOW = 1_000_000
const EVERYTHING = ['IMAP4REV1', 'UIDPLUS', 'MOVE', 'MULTIAPPEND', 'QRESYNC', 'CONDSTORE']

function mailbox(id: typeof INBOX, path: string, known: string): MailboxRecord {
  return {
    id,
    accountId: ME,
    path,
    delimiter: '/',
    role: null,
    isSelectable: true,
    isSubscribed: true,
    objectId: null,
    box: boxEpoch(id),
    uidValidity: uidValidity(70 + id),
    checkpoint: { uidNext: 100, highestModSeq: modSeq(9), known: UidSet.parse(known), covered: UidSet.parse(known) },
    permanentFlags: ['\\Seen', '\\Flagged', '\\Deleted', '\\*'],
    isOnServer: true,
    isReadOnly: false,
    partsHeldFor: null,
    tierLimit: null,
    formerBox: null,
  }
}

const stored = (uids: string): Targets => ({ kind: 'stored', mailboxId: INBOX, box: boxEpoch(1), uids: UidSet.parse(uids) })

/** The log after these operations on UIDs of INBOX, in this order. */
function log(...operations: readonly (readonly [OperationRequest, string])[]): Entry[] {
  let firstLocal = 1
  return operations.map(([request, uids], i) => {
    const targets = request.kind === 'append' ? [] : [stored(uids)]
    const accepted = acceptOperation(
      request,
      { seq: entrySeq(i + 1), firstLocal: localId(firstLocal), targets },
      { accountId: ME, now: 0 },
    )
    firstLocal += accepted.localsUsed
    return accepted.entry
  })
}

const seen: OperationRequest = { kind: 'flag', add: ['\\Seen'], remove: [] }
const unseen: OperationRequest = { kind: 'flag', add: [], remove: ['\\Seen'] }
const flagged: OperationRequest = { kind: 'flag', add: ['\\Flagged'], remove: [] }
const toArchive: OperationRequest = { kind: 'move', to: ARCHIVE }
const copyToArchive: OperationRequest = { kind: 'copy', to: ARCHIVE }
const expunge: OperationRequest = { kind: 'expunge' }

function world(entries: readonly Entry[], capabilities: readonly string[] = EVERYTHING, known = '1:9'): ReplayState {
  return {
    accountId: ME,
    entries,
    claims: [],
    mailboxes: new Map([
      [INBOX, mailbox(INBOX, 'INBOX', known)],
      [ARCHIVE, mailbox(ARCHIVE, 'Archive', '50')],
    ]),
    server: {
      capabilities,
      enabled: capabilities.includes('QRESYNC') ? ['QRESYNC'] : [],
      appendLimitOctets: null,
      distrusted: [],
    },
    now: NOW,
  }
}

const identity = (name: string): MessageIdentity => ({ messageId: `<${name}@x>`, sizeBytes: 5, internalDate: 0, emailId: null })
const IDENTITIES = new Map(Array.from({ length: 9 }, (_, i) => [i + 1, identity(`m${i}`)]))

function batchOf(state: ReplayState, { identities = IDENTITIES, marked = null, rows = [] }: Partial<BatchContext> = {}): Batch {
  let claims = 0
  const lane = { kind: 'messages' as const, mailboxId: INBOX }
  const claimId = (): Batch['claims'][number]['id'] => {
    claims += 1
    return `c${claims}` as Batch['claims'][number]['id']
  }
  return planReplay(lane, state, { name: stepNamer(), claimId, identities, marked, rows })
}

const sketch = (steps: readonly Step[]): string[] =>
  steps.map((step) => {
    const set = 'uids' in step ? ` ${step.uids}` : ''
    if (step.kind === 'store') return `${step.direction} ${step.flags.join(' ')}${set}`
    return 'target' in step ? `${step.kind}${set} -> ${step.target}` : `${step.kind}${set}`
  })

/** The ledger after the batch was claimed and answered. */
function answered(state: ReplayState, batch: Batch, observations: readonly Observation[]): Ledger {
  const claimed = new Ledger({ entries: state.entries, mailboxes: state.mailboxes, now: NOW })
  settleMoot(batch.moot, claimed)
  for (const claim of batch.claims) claimed.claim(claim)
  const ledger = new Ledger({ entries: claimed.open, mailboxes: state.mailboxes, now: NOW })
  settleBatch(batch, observations, ledger)
  return ledger
}

const done = (step: Step, outcome: Outcome = 'ok', rejection: Rejection | null = null): Done => ({
  kind: 'done',
  id: step.id,
  outcome,
  rejection,
  exists: null,
})

const receipts = (ledger: Ledger): string[] =>
  ledger.change().writes.flatMap((write) =>
    write.kind === 'put-receipt'
      ? decodeReceipt(write.receipt).outcomes.map(({ outcome, targets, evidence }) => {
          const numbers = targets.kind === 'stored' ? targets.uids : targets.locals
          return `#${write.receipt.seq} ${outcome} ${numbers} (${evidence.kind})`
        })
      : [],
  )

const states = (ledger: Ledger): string[] =>
  ledger.open.flatMap(({ seq, progress }) => progress.map(({ state }) => `#${seq} ${state}`))

describe('planning what is sent', () => {
  it('folds flag changes to the last intent of each flag, and equal ones into one STORE', () => {
    // Verifies: H-21, DC-4549-4.2.3a, DC-4549-4.2.3b
    const state = world(log([seen, '1:3'], [seen, '4'], [unseen, '2'], [flagged, '1,3:4']))
    expect(sketch(batchOf(state).steps)).toEqual(['add \\Seen \\Flagged 1,3:4', 'remove \\Seen 2'])
  })

  it('sends flags before the move of the same messages, and leaves what follows a copy for later', () => {
    // Verifies: DC-4549-3.1, H-4
    const state = world(log([seen, '1'], [copyToArchive, '1'], [flagged, '1'], [expunge, '1']))
    expect(sketch(batchOf(state).steps)).toEqual(['add \\Seen 1', 'copy 1 -> Archive'])
  })

  it('moves by MOVE where the server can, and else copies first', () => {
    expect(sketch(batchOf(world(log([toArchive, '1:3']))).steps)).toEqual(['move 1:3 -> Archive'])
    expect(sketch(batchOf(world(log([toArchive, '1:3']), ['UIDPLUS'])).steps)).toEqual(['copy 1:3 -> Archive'])
  })

  it.each([
    [9, ['gone']],
    [8, []],
  ])('takes what is not listed for gone below UIDNEXT only: of UID 8, with %d', (uidNext, moot) => {
    // Verifies: H-13
    const state = world(log([expunge, '5,8']), EVERYTHING, '1:5')
    const inbox = mailbox(INBOX, 'INBOX', '1:5')
    const checkpoint = { ...(inbox.checkpoint as Checkpoint), uidNext }
    const batch = batchOf({ ...state, mailboxes: new Map([...state.mailboxes, [INBOX, { ...inbox, checkpoint }]]) })
    expect(batch.moot.map(({ why }) => why)).toEqual(moot)
    expect(batch.claims.map(({ members }) => members.map(({ targets }) => targets))).toEqual([[stored('5')]])
  })

  it.each([
    [6, '1:6', '1:5'],
    [UID_MAX, `1:5,${UID_MAX}`, `1:5,${UID_MAX}`],
  ])('sends nothing for what was named and is not listed yet: with UIDNEXT %d, of %s only %s', (uidNext, uids, sent) => {
    // Verifies: H-13, H-14
    const inbox = mailbox(INBOX, 'INBOX', uids)
    const checkpoint = { ...(inbox.checkpoint as Checkpoint), uidNext }
    const state = world(log([seen, uids]))
    const batch = batchOf({ ...state, mailboxes: new Map([...state.mailboxes, [INBOX, { ...inbox, checkpoint }]]) })
    expect(batch.moot).toEqual([])
    expect(batch.claims.map(({ members }) => members.map(({ targets }) => targets))).toEqual([[stored(sent)]])
  })

  it('has what follows a change of flags on the same messages wait for it: other changes of flags, and copies', () => {
    // Verifies: H-4, H-20
    const ifUnchanged = { since: modSeq(8), base: [] }
    const conditional: OperationRequest = { kind: 'flag', add: ['\\Seen'], remove: [], ifUnchanged }
    const { steps } = batchOf(
      world(log([unseen, '1'], [conditional, '1:2'], [flagged, '3:4'], [copyToArchive, '3'], [toArchive, '4'])),
    )
    const nameOf = (wanted: string): string => sketch(steps.filter(({ id }) => id === wanted)).join()
    const waits = steps.flatMap(({ id, requires = [] }) => requires.map((before) => `${nameOf(id)} waits for ${nameOf(before)}`))
    // What is refused is sent again with all that was sent with it.
    const plain = ['remove \\Seen 1', 'add \\Flagged 3:4']
    const waiting = ['add \\Seen 1:2', 'copy 3 -> Archive']
    expect(waits).toEqual(waiting.flatMap((name) => plain.map((before) => `${name} waits for ${before}`)))
  })

  it('has what follows a change of flags that waits for the answer to another wait too, even on the same condition', () => {
    // Verifies: H-4, H-12
    const ifUnchanged = { since: modSeq(8), base: [] }
    const conditional: OperationRequest = { kind: 'flag', add: ['\\Seen'], remove: [], ifUnchanged }
    const { claims, steps } = batchOf(world(log([conditional, '1:2'], [unseen, '1'], [conditional, '1:2'])))
    expect(sketch(steps)).toEqual(['add \\Seen 1:2', 'fetch 1:2'])
    expect(claims.map(({ members }) => members.map(({ seq, targets }) => [seq, targets]))).toEqual([
      [
        [1, stored('1:2')],
        [3, stored('2')],
      ],
    ])
  })

  it('expunges our own UIDs only, once they are marked, and looks where no VANISHED tells', () => {
    // Verifies: DC-4549-4.2.4a, H-4
    const [mark, remove, look] = batchOf(world(log([expunge, '5']), ['UIDPLUS'])).steps
    expect(sketch([mark, remove, look] as Step[])).toEqual(['add \\Deleted 5', 'expunge 5', 'search 5'])
    expect(remove?.requires).toEqual([mark?.id])
  })

  it('fences every copy, move and upload before it is sent, and nothing else', () => {
    // Verifies: I-LOG-3, H-2, H-21
    const { claims } = batchOf(world(log([seen, '1'], [toArchive, '2'], [expunge, '3'])))
    const fences = claims.map((claim) => `${claim.steps.at(-1)?.kind} ${claim.fence?.uidNext ?? 'free'}`)
    expect(fences.toSorted()).toEqual(['expunge free', 'move 100', 'store free'])
  })

  it('sends nothing later than the life of its claim', () => {
    // Verifies: H-8
    for (const claim of batchOf(world(log([seen, '1'], [toArchive, '2']))).claims) {
      for (const step of claim.steps) expect(step.notAfter).toBe(NOW + 30_000)
    }
  })

  it('settles what is gone without asking, and refuses flags that would not last', () => {
    // Verifies: H-14, DC-4549-5.1-5, DC-9051-7.1b
    const state = world(log([seen, '1,12'], [{ kind: 'flag', add: ['\\Draft'], remove: [] }, '2']))
    const batch = batchOf(state)
    expect(sketch(batch.steps)).toEqual(['add \\Seen 1'])
    const ledger = answered(
      state,
      batch,
      batch.steps.map((step) => done(step)),
    )
    expect(receipts(ledger)).toEqual(['#1 skipped 12 (vanished)', '#1 applied 1 (tagged-ok)'])
  })

  it('leaves mailboxes alone that have a claim without an answer', () => {
    // Verifies: H-7
    const state = world(log([seen, '1']))
    const { claims } = batchOf(state)
    expect(planLanes({ ...state, claims })).toEqual([])
  })
})

describe('folding', () => {
  const WORK = mailboxId(3)

  /** `log` and one more operation, on locals. */
  function then(entries: readonly Entry[], request: OperationRequest, locals: string, firstLocal = 50): Entry[] {
    const targets: Targets = { kind: 'local', mailboxId: ARCHIVE, locals: UidSet.parse(locals) }
    const context = { seq: entrySeq(entries.length + 1), firstLocal: localId(firstLocal), targets: [targets] }
    return [...entries, acceptOperation(request, context, { accountId: ME, now: 0 }).entry]
  }

  function threeMailboxes(entries: readonly Entry[], capabilities: readonly string[] = EVERYTHING): ReplayState {
    const state = world(entries, capabilities)
    return { ...state, mailboxes: new Map([...state.mailboxes, [WORK, mailbox(WORK, 'Work', '70')]]) }
  }

  const toWork: OperationRequest = { kind: 'move', to: WORK }
  const namedIn = (step: Step | undefined, path: string, validity: number): Observation => ({
    kind: 'copied',
    id: step?.id ?? '',
    target: { path, uidValidity: uidValidity(validity) },
    pairs: new UidPairs([{ from: 1, to: 201, length: 1 }]),
  })

  it('moves what goes to one place by one MOVE, and removes by one UID EXPUNGE, whatever the number of operations', () => {
    const state = world(log([toArchive, '1'], [toArchive, '3'], [expunge, '4'], [toArchive, '2'], [expunge, '6:7']))
    expect(sketch(batchOf(state).steps)).toEqual(['add \\Deleted 4,6:7', 'expunge 4,6:7', 'move 1:3 -> Archive'])
  })

  it('moves once what was moved on: A to B to C is A to C', () => {
    // Verifies: I-LOG-4
    const state = threeMailboxes(then(log([toArchive, '1:2']), toWork, '1'))
    const batch = batchOf(state)
    expect(sketch(batch.steps)).toEqual(['move 2 -> Archive', 'move 1 -> Work'])
    const onWork = batch.steps[1]
    const ledger = answered(state, batch, [namedIn(onWork, 'Work', 73), ...batch.steps.map((step) => done(step))])
    expect(receipts(ledger)).toEqual(['#2 applied 1 (copy-uid)'])
    expect(ledger.entry(entrySeq(1))?.settled).toMatchObject([{ outcome: 'superseded' }])
    const forwards = ledger.change().writes.flatMap((write) => (write.kind === 'forward' ? [write] : []))
    // The local of the mailbox on the way, the local in the last one, and the message itself all lead to the new UID.
    expect(
      forwards.map(({ from, to, pairs }) => `${from.kind} ${pairs.sources} -> ${to.mailboxId}/${pairs.destinations}`),
    ).toEqual(['local 1 -> 1/1', 'local 50 -> 3/201', 'stored 1 -> 3/201'])
  })

  it('sends flags of a message under the name that it still has', () => {
    const state = world(then(log([toArchive, '1']), flagged, '1'))
    expect(sketch(batchOf(state).steps)).toEqual(['add \\Flagged 1', 'move 1 -> Archive'])
  })

  it('sends no flags of what is removed, unless it is copied in between', () => {
    // Verifies: DC-4549-5.3-2
    const removed = world(log([seen, '1:2'], [expunge, '1']))
    expect(sketch(batchOf(removed).steps)).toEqual(['add \\Seen 2', 'add \\Deleted 1', 'expunge 1'])
    const copied = world(log([seen, '1'], [copyToArchive, '1'], [expunge, '1']))
    expect(sketch(batchOf(copied).steps)).toEqual(['add \\Seen 1', 'copy 1 -> Archive'])
  })

  it('removes what was to be moved first', () => {
    const state = world(then(log([toArchive, '1']), expunge, '1'))
    expect(sketch(batchOf(state).steps)).toEqual(['add \\Deleted 1', 'expunge 1'])
  })

  it('does not fold what is copied on the way, nor a way back', () => {
    const copiedOn = threeMailboxes(then(then(log([toArchive, '1']), copyToArchive, '1'), toWork, '1', 60))
    expect(sketch(batchOf(copiedOn).steps)).toEqual(['move 1 -> Archive'])
    const back = world(then(log([toArchive, '1']), { kind: 'move', to: INBOX }, '1'))
    expect(sketch(batchOf(back).steps)).toEqual(['move 1 -> Archive'])
  })

  it('sends what was refused together one by one', () => {
    // Verifies: H-20
    const state = threeMailboxes(then(log([toArchive, '1'], [toArchive, '2']), toWork, '1'))
    const batch = batchOf(state)
    const no: Rejection = { status: 'NO', code: null, text: 'no' }
    const ledger = answered(
      state,
      batch,
      batch.steps.map((step) => done(step, 'rejected', no)),
    )
    expect(states(ledger)).toEqual(['#1 queued', '#2 queued', '#3 queued'])
    const again = batchOf({ ...threeMailboxes(ledger.open), now: NOW + 60_000 })
    expect(sketch(again.steps)).toEqual(['move 1 -> Archive', 'move 2 -> Archive'])
  })

  it('keeps twins apart: what cannot be told from another is not on its way with it', () => {
    // Verifies: H-10
    const twins = new Map([...IDENTITIES, [2, identity('m0')]])
    expect(sketch(batchOf(world(log([toArchive, '1:3'])), { identities: twins }).steps)).toEqual(['move 1,3 -> Archive'])
  })

  it('spares what others marked where single messages cannot be expunged, and removes nothing while that is not known', () => {
    // Verifies: DC-4549-4.2.4b
    const state = world(log([expunge, '5']), ['MOVE'])
    const batch = batchOf(state, { marked: UidSet.parse('2,5,8') })
    expect(sketch(batch.steps)).toEqual([
      'remove \\Deleted 2,8',
      'add \\Deleted 5',
      'expunge-all',
      'add \\Deleted 2,8',
      'search 5',
    ])
    expect(batch.claims[0]?.shielded).toEqual(UidSet.parse('2,8'))
    expect(batchOf(state).steps).toEqual([])
    // Cut short with the marks off: the claim stays, for recovery to put them back.
    const cut = answered(
      state,
      batch,
      batch.steps.map((step, i) => done(step, i === 0 ? 'ok' : 'rejected')),
    )
    expect(states(cut)).toEqual(['#1 unknown'])
  })

  it('does nothing to a mailbox that is read-only but copy from it', () => {
    const state = world(log([seen, '1'], [toArchive, '2'], [expunge, '3'], [copyToArchive, '4']))
    const inbox = state.mailboxes.get(INBOX) as MailboxRecord
    const batch = batchOf({ ...state, mailboxes: new Map([...state.mailboxes, [INBOX, { ...inbox, isReadOnly: true }]]) })
    expect(sketch(batch.steps)).toEqual(['copy 4 -> Archive'])
    expect(batch.moot.map(({ why }) => why)).toEqual(['not-possible', 'not-possible', 'not-possible'])
  })

  it('changes flags on a condition, and shows what others did first', () => {
    // Verifies: DC-7162-3.1.3a
    const ifUnchanged = { since: modSeq(8), base: [{ uid: uid(2), flags: ['\\Answered'] }] }
    const state = world(log([{ kind: 'flag', add: ['\\Seen'], remove: [], ifUnchanged }, '1:2'], [seen, '3']))
    const batch = batchOf(state)
    expect(sketch(batch.steps)).toEqual(['add \\Seen 1:2', 'fetch 1:2', 'add \\Seen 3'])
    const target = { path: 'INBOX', uidValidity: uidValidity(71) }
    const modified: Observation = { kind: 'modified', id: batch.steps[0]?.id ?? '', mailbox: target, uids: UidSet.of(2) }
    const theirs: Observation = {
      kind: 'row',
      mailbox: target,
      uid: uid(2),
      flags: ['\\Flagged'],
      modSeq: modSeq(12),
      summary: null,
    }
    const ledger = answered(state, batch, [modified, theirs, ...batch.steps.map((step) => done(step))])
    expect(states(ledger)).toEqual(['#1 parked'])
    expect(ledger.entry(entrySeq(1))?.conflicts).toEqual([{ uid: 2, base: ['\\Answered'], theirs: ['\\Flagged'] }])
    const same = answered(state, batch, [modified, { ...theirs, flags: ['\\Seen'] }, ...batch.steps.map((step) => done(step))])
    expect(receipts(same)).toContain('#1 applied 2 (flags-seen)')
    // The view goes on showing the flag when the entry is gone.
    expect(same.change().writes.filter(({ kind }) => kind === 'infer-flags')).toMatchObject([{ uids: UidSet.of(2) }])
  })

  it('lets no flag change overtake another on the same message, though one goes alone', () => {
    // Verifies: I-LOG-4, H-20
    const unseen = { kind: 'flag', add: [], remove: ['\\Seen'] } as const
    const entries = log([seen, '2'], [unseen, '2'], [seen, '2:3'])
    const refused = entries.map((entry, i) => (i === 1 ? { ...entry, rejections: 1 } : entry))
    expect(sketch(batchOf(world(refused)).steps)).toEqual(['add \\Seen 2', 'remove \\Seen 2', 'add \\Seen 2:3'])
  })
})

describe('settling what was answered', () => {
  it('takes COPYUID of a MOVE as proof, per message, and never a bare OK', () => {
    // Verifies: I-LOG-2, H-1, H-14, DC-4315-3d
    const state = world(log([toArchive, '1:3']))
    const batch = batchOf(state)
    const [move] = batch.steps as [Step]
    const target = { path: 'Archive', uidValidity: uidValidity(72) }
    const copied: Observation = { kind: 'copied', id: move.id, target, pairs: new UidPairs([{ from: 1, to: 101, length: 2 }]) }
    expect(receipts(answered(state, batch, [copied, done(move)]))).toEqual([
      '#1 applied 1:2 (copy-uid)',
      '#1 skipped 3 (vanished)',
    ])
    expect(states(answered(state, batch, [done(move)]))).toEqual(['#1 unknown'])
  })

  it('keeps what was not answered, with its claim, until a probe decides', () => {
    // Verifies: H-5, I-LOG-3, DC-4549-5.1-1b
    const state = world(log([toArchive, '1'], [seen, '2']))
    const batch = batchOf(state)
    const ledger = answered(
      state,
      batch,
      batch.steps.map((step) => done(step, 'unknown')),
    )
    expect(states(ledger)).toEqual(['#1 unknown', '#2 unknown'])
    expect(ledger.change().writes.filter((write) => write.kind === 'put-claim')).toHaveLength(2)
    expect(ledger.change().writes.filter((write) => write.kind === 'remove-claim')).toEqual([])
  })

  it('queues again what was not sent', () => {
    // Verifies: H-5
    const state = world(log([toArchive, '1']))
    const batch = batchOf(state)
    expect(
      states(
        answered(
          state,
          batch,
          batch.steps.map((step) => done(step, 'not-sent')),
        ),
      ),
    ).toEqual(['#1 queued'])
  })

  it('never removes the original of a copy that was refused', () => {
    // Verifies: DC-4549-5.1-N1, DC-4549-5.1-N2
    const state = world(log([copyToArchive, '1'], [expunge, '1']))
    const batch = batchOf(state)
    const overQuota: Rejection = { status: 'NO', code: 'OVERQUOTA', text: 'full' }
    const ledger = answered(
      state,
      batch,
      batch.steps.map((step) => done(step, 'rejected', overQuota)),
    )
    expect(states(ledger)).toEqual(['#1 parked', '#2 parked'])
    expect(ledger.open[1]?.progress[0]?.parkedFor).toBe('needs-another')
  })

  it('remembers, between copy and removal, that the copy is proved', () => {
    // Verifies: H-1, DC-4549-5.1-1a
    const state = world(log([toArchive, '1']), ['UIDPLUS'])
    const batch = batchOf(state)
    const [copy] = batch.steps as [Step]
    const target = { path: 'Archive', uidValidity: uidValidity(72) }
    const copied: Observation = { kind: 'copied', id: copy.id, target, pairs: new UidPairs([{ from: 1, to: 101, length: 1 }]) }
    const ledger = answered(state, batch, [copied, done(copy)])
    expect(states(ledger)).toEqual(['#1 copied'])
    expect(sketch(batchOf(world(ledger.open, ['UIDPLUS'])).steps)).toEqual(['add \\Deleted 1', 'expunge 1', 'search 1'])
  })

  it('tries again, later and not for ever, what may pass', () => {
    // Verifies: DC-5530-3, I-NET-1
    const state = world(log([seen, '1']))
    const batch = batchOf(state)
    const busy: Rejection = { status: 'NO', code: 'INUSE', text: 'busy' }
    const ledger = answered(
      state,
      batch,
      batch.steps.map((step) => done(step, 'rejected', busy)),
    )
    expect(ledger.open[0]).toMatchObject({ rejections: 1, notBefore: NOW + 30_000 })
    expect(planLanes(world(ledger.open))).toEqual([])
  })

  it('counts one refusal for an operation, however many steps of it were refused at a time', () => {
    // Verifies: DC-5530-3
    const state = world(log([toArchive, '1:1200']), EVERYTHING, '1:1200')
    const identities = new Map(Array.from({ length: 1_200 }, (_, i) => [i + 1, identity(`m${i}`)]))
    const inbox = mailbox(INBOX, 'INBOX', '1:1200')
    const checkpoint = { ...(inbox.checkpoint as Checkpoint), uidNext: 1_201 }
    const mailboxes = new Map([...state.mailboxes, [INBOX, { ...inbox, checkpoint }]])
    const batch = batchOf({ ...state, mailboxes }, { identities })
    const busy: Rejection = { status: 'NO', code: 'INUSE', text: 'busy' }
    const ledger = answered(
      state,
      batch,
      batch.steps.map((step) => done(step, 'rejected', busy)),
    )
    expect(batch.claims.length).toBe(3)
    expect(ledger.open).toMatchObject([{ rejections: 1, progress: [{ state: 'queued' }] }])
  })

  it.each([
    ['there', 72, ['carry-messages', 'forward', 'forward']],
    ['under another UIDVALIDITY: it says nothing', 73, []],
  ])('puts the copy where COPYUID says, %s', (_, given, then) => {
    // Verifies: DC-4315-3d, DC-4549-4.1.1
    const state = world(log([toArchive, '1']))
    const batch = batchOf(state)
    const [move] = batch.steps as [Step]
    const target = { path: 'Archive', uidValidity: uidValidity(given) }
    const copied: Observation = { kind: 'copied', id: move.id, target, pairs: new UidPairs([{ from: 1, to: 101, length: 1 }]) }
    const ledger = answered(state, batch, [copied, done(move)])
    const kinds = ledger.change().writes.map(({ kind }) => kind)
    expect(receipts(ledger)).toEqual(['#1 applied 1 (copy-uid)'])
    expect(kinds.filter((kind) => kind === 'carry-messages' || kind === 'forward')).toEqual(then)
  })

  it('gives a reference that follows the message, and rewrites what later operations name', () => {
    // Verifies: H-18
    const entries = log([toArchive, '1'], [seen, '2'])
    const onLocal = acceptOperation(
      copyToArchive,
      { seq: entrySeq(3), firstLocal: localId(9), targets: [{ kind: 'local', mailboxId: ARCHIVE, locals: UidSet.of(1) }] },
      { accountId: ME, now: 0 },
    ).entry
    const state = world([...entries, onLocal])
    const batch = batchOf(state)
    const move = batch.steps.find((step) => step.kind === 'move') as Step
    const target = { path: 'Archive', uidValidity: uidValidity(72) }
    const copied: Observation = { kind: 'copied', id: move.id, target, pairs: new UidPairs([{ from: 1, to: 101, length: 1 }]) }
    const ledger = answered(state, batch, [copied, ...batch.steps.map((step) => done(step))])
    const [left] = ledger.open.filter((entry) => entry.seq === 3)
    expect(left?.progress[0]?.targets).toMatchObject({ kind: 'stored', mailboxId: ARCHIVE })
    expect(left?.progress[0]?.targets).toHaveProperty('uids', UidSet.of(uid(101)))
  })
})
