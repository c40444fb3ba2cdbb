/** Verifies: I-LOG-4, I-LOG-5, H-2, H-7, H-20, DC-4549-5.1-4 */

import {
  accountId,
  boxEpoch,
  type ClaimId,
  type Done,
  entrySeq,
  localId,
  type MailboxId,
  type MailboxRecord,
  mailboxId,
  type Outcome,
  type Targets,
  UidSet,
  uidValidity,
} from '@tidemail/core'
import {
  acceptOperation,
  decodeReceipt,
  type Entry,
  type OperationRequest,
  type ParkReason,
  transition,
} from '@tidemail/replay-log'
import { describe, expect, it } from 'vitest'
import { Ledger } from './ledger.ts'
import { dependantsOfCopy } from './parked-targets.ts'
import { mailboxStepsAhead, planMailboxOperations } from './plan-mailbox-operations.ts'
import { awaitsMailbox, lanesWithWork, planLanes, planReplay } from './plan-replay.ts'
import type { ReplayState } from './replay-state.ts'
import { settleListed } from './settle-listed.ts'
import { settleMailboxClaim, settleMootOperations } from './settle-mailbox-operations.ts'
import { stepNamer } from './step-ids.ts'

const ME = accountId('me')
const NOW = 1_000_000
const IDS: Readonly<Record<string, MailboxId>> = {
  INBOX: mailboxId(1),
  A: mailboxId(2),
  'A/B': mailboxId(3),
  N: mailboxId(9),
  M: mailboxId(8),
  'N/C': mailboxId(7),
}
const id = (name: string): MailboxId => IDS[name] ?? mailboxId(99)

function record(path: string, more: Partial<MailboxRecord> = {}): MailboxRecord {
  return {
    id: id(path),
    accountId: ME,
    path,
    delimiter: '/',
    role: null,
    isSelectable: true,
    isSubscribed: false,
    isOnServer: true,
    objectId: null,
    box: boxEpoch(10 + id(path)),
    uidValidity: null,
    checkpoint: null,
    permanentFlags: [],
    isReadOnly: false,
    partsHeldFor: null,
    tierLimit: null,
    formerBox: null,
    ...more,
  }
}

const made = (path: string): MailboxRecord => record(path, { isOnServer: false })
const create = (path: string): OperationRequest => ({ kind: 'create-mailbox', mailboxId: id(path), path })
const rename = (from: string, path: string, of = from): OperationRequest => ({
  kind: 'rename-mailbox',
  mailboxId: id(of),
  from,
  path,
})
const remove = (path: string): OperationRequest => ({ kind: 'delete-mailbox', mailboxId: id(path), path })
const subscribe = (path: string, isSubscribed = true): OperationRequest => ({
  kind: 'subscribe-mailbox',
  mailboxId: id(path),
  path,
  isSubscribed,
})
const move = (to: string): OperationRequest => ({ kind: 'move', to: id(to) })
const inBox = (name: string): Targets => ({
  kind: 'stored',
  mailboxId: id(name),
  box: boxEpoch(10 + id(name)),
  uids: UidSet.of(4),
})

/** The log after these; a request with a mailbox is about a message in that mailbox. */
function log(...requests: readonly (OperationRequest | readonly [OperationRequest, string])[]): Entry[] {
  let firstLocal = 1
  return requests.map((asked, i) => {
    const [request, place] = 'kind' in asked ? [asked, null] : asked
    const context = { seq: entrySeq(i + 1), firstLocal: localId(firstLocal), targets: place === null ? [] : [inBox(place)] }
    const accepted = acceptOperation(request, context, { accountId: ME, now: 0 })
    firstLocal += accepted.localsUsed
    return accepted.entry
  })
}

function state(mailboxes: readonly MailboxRecord[], entries: readonly Entry[]): ReplayState {
  return {
    accountId: ME,
    entries,
    claims: [],
    mailboxes: new Map([record('INBOX'), ...mailboxes].map((one) => [one.id, one])),
    server: { capabilities: [], enabled: [], appendLimitOctets: null, distrusted: [] },
    now: NOW,
  }
}

const context = (): Parameters<typeof planMailboxOperations>[1] => ({ name: stepNamer(), claimId: () => 'c' as ClaimId })

/** `create N`, `rename A to Z`; what needs no answer as `#2 cancelled`. */
function next(now: ReplayState): string[] {
  const { steps, moot } = planMailboxOperations(now, context())
  const spelled = steps.map((step) =>
    'to' in step ? `${step.kind} ${step.path} to ${step.to}` : 'path' in step ? `${step.kind} ${step.path}` : step.kind,
  )
  return [...moot.map(({ seq, why }) => `#${seq} ${why}`), ...spelled]
}

function ahead(now: ReplayState): string[] {
  return mailboxStepsAhead(now, context()).flatMap((step) => ('path' in step ? [`${step.kind} ${step.path}`] : []))
}

function parked(entry: Entry, reason: ParkReason): Entry {
  return entry.progress.reduce((rest, { targets }) => transition(rest, targets, { kind: 'park', parkedFor: reason }).entry, entry)
}

/** The log and the mailboxes after the next claim ended so. */
function after(
  now: ReplayState,
  outcome: Outcome,
  code: string | null = null,
): ReplayState & { readonly told: readonly string[] } {
  const plan = planMailboxOperations(now, context())
  const ledger = new Ledger({ entries: now.entries, mailboxes: now.mailboxes, now: NOW })
  settleMootOperations(plan.moot, ledger)
  if (plan.claim !== null) {
    ledger.claim(plan.claim)
    const rejection = outcome === 'rejected' ? { status: 'NO' as const, code, text: 'No.' } : null
    const dones = plan.claim.steps.map((step): Done => ({ kind: 'done', id: step.id, outcome, rejection, exists: null }))
    settleMailboxClaim(plan.claim, dones, ledger)
  }
  return read(now, ledger)
}

function read(now: ReplayState, ledger: Ledger): ReplayState & { readonly told: readonly string[] } {
  const { writes } = ledger.change()
  const receipts = writes.flatMap((write) => (write.kind === 'put-receipt' ? [decodeReceipt(write.receipt)] : []))
  const told = [
    ...receipts.map(({ seq, outcomes }) => `#${seq} ${outcomes.map(({ outcome }) => outcome).join()}`),
    ...ledger.open.flatMap(({ seq, progress }) => progress.map(({ state: at, parkedFor }) => `#${seq} ${parkedFor ?? at}`)),
  ]
  return { ...now, entries: ledger.open, mailboxes: new Map(ledger.server.all), told }
}

const paths = ({ mailboxes }: ReplayState): string[] =>
  [...mailboxes.values()].map(({ path, isOnServer }) => (isOnServer ? path : `(${path})`))

describe('the order of operations on mailboxes', () => {
  it.each([
    ['a superior that is to be made goes first', [made('N/C'), made('N')], [create('N'), create('N/C')], ['create N']],
    ['a rename leaves the mailbox first', [record('A')], [rename('A', 'Z')], ['leave', 'rename A to Z']],
    ['a deletion leaves the mailbox first', [record('A')], [remove('A')], ['leave', 'delete A']],
    [
      'subscriptions follow a name',
      [record('A', { isSubscribed: true })],
      [rename('A', 'Z')],
      ['leave', 'rename A to Z', 'subscribe Z', 'unsubscribe A'],
    ],
    ['a deletion waits for the move out of the mailbox', [record('A')], [[move('INBOX'), 'A'], remove('A')], []],
    ['a deletion waits for the move into the mailbox', [record('A')], [[move('A'), 'INBOX'], remove('A')], []],
    [
      'a deletion does not wait for what came after it',
      [record('A')],
      [remove('A'), [move('A'), 'INBOX']],
      ['leave', 'delete A'],
    ],
    [
      'a name is made when the one that had it is gone',
      [record('A'), made('N')],
      [rename('A', 'N'), create('N')],
      ['leave', 'rename A to N'],
    ],
    [
      'unrelated names do not wait for each other',
      [record('A'), made('N')],
      [[move('INBOX'), 'A'], remove('A'), create('N')],
      ['create N'],
    ],
  ] as const)('%s', (_, mailboxes, requests, steps) => {
    expect(next(state(mailboxes, log(...requests)))).toEqual(steps)
  })

  it('tells all that would be sent, one after another', () => {
    const entries = log(create('N'), create('N/C'), subscribe('N'), rename('A', 'N/A'))
    expect(ahead(state([made('N'), made('N/C'), record('A')], entries))).toEqual([
      'create N',
      'create N/C',
      'subscribe N',
      'rename A',
    ])
  })

  it('parks a deletion when what was to save the messages is parked', () => {
    const [first, second] = log([move('INBOX'), 'A'], remove('A')) as [Entry, Entry]
    const now = state([record('A')], [parked(first, 'over-quota'), second])
    expect(next(now)).toEqual(['#2 needs-another'])
    expect(after(now, 'ok').told).toContain('#2 needs-another')
  })

  it('leaves names alone while an answer about them is missing', () => {
    const now = after(
      state([record('A'), record('A/B'), made('N')], log(rename('A', 'Z'), remove('A/B'), create('N'))),
      'unknown',
    )
    expect(next(now)).toEqual(['create N'])
  })

  it('lets messages rest below a name whose change has no answer', () => {
    const seen: OperationRequest = { kind: 'flag', add: ['\\Seen'], remove: [] }
    const now = state([record('A'), record('A/B')], log(rename('A', 'Z'), [seen, 'A/B'], [seen, 'INBOX']))
    const plan = planMailboxOperations(now, context())
    expect(planLanes(now)).toHaveLength(2)
    const claims = plan.claim === null ? [] : [plan.claim]
    expect(planLanes({ ...now, claims })).toEqual([{ kind: 'messages', mailboxId: id('INBOX') }])
  })

  it('changes only mailboxes that nobody took away meanwhile', () => {
    const now = state([record('A'), made('A/B')], log(rename('A', 'Z')))
    const ledger = new Ledger({ entries: now.entries, mailboxes: now.mailboxes, now: NOW })
    const { claim } = planMailboxOperations(now, context())
    if (claim === null) throw new Error('nothing is sent')
    ledger.claim(claim)
    const done: Done = { kind: 'done', id: claim.steps[0]?.id ?? '', outcome: 'ok', rejection: null, exists: null }
    settleMailboxClaim(claim, [done], ledger)
    expect(ledger.change().expect.boxes).toEqual([
      { mailboxId: id('A'), box: record('A').box },
      { mailboxId: id('A/B'), box: record('A/B').box },
    ])
  })

  it('keeps what is to go into a mailbox until it is made, without parking it', () => {
    const now = state([made('N')], log(create('N'), [move('N'), 'INBOX']))
    expect(now.entries.map((entry) => awaitsMailbox(entry, now))).toEqual([false, true])
    expect(planLanes(now)).toEqual([])
    const then = after(now, 'ok')
    expect(then.told).toEqual(['#1 applied', '#2 queued'])
    expect(planLanes(then)).toEqual([{ kind: 'messages', mailboxId: id('INBOX') }])
  })
})

describe('a mailbox whose making is refused', () => {
  const seen: OperationRequest = { kind: 'flag', add: ['\\Seen'], remove: [] }
  const copy: OperationRequest = { kind: 'copy', to: id('N') }
  const expunge: OperationRequest = { kind: 'expunge' }
  const open = (path: string): MailboxRecord => {
    const known = UidSet.of(4)
    return record(path, {
      uidValidity: uidValidity(7),
      permanentFlags: ['\\*', '\\Seen'],
      checkpoint: { uidNext: 100, highestModSeq: null, known, covered: known },
    })
  }
  const mailboxes = [open('INBOX'), open('A'), made('N')]
  const refused = (entries: readonly Entry[]): ReplayState =>
    state(
      mailboxes,
      entries.map((entry, i) => (i === 0 ? parked(entry, 'not-permitted') : entry)),
    )
  const sent = (now: ReplayState): string[] => {
    const identity = { messageId: '<m@x>', sizeBytes: 5, internalDate: 0, emailId: null }
    const more = { identities: new Map([[4, identity]]), marked: null, rows: [] }
    const lane = { kind: 'messages' as const, mailboxId: id('INBOX') }
    return planReplay(lane, now, { ...context(), ...more }).steps.map((step) =>
      'target' in step ? `${step.kind} to ${step.target}` : step.kind,
    )
  }

  it('lets a message go on its way to it as far as there are mailboxes (Verifies: I-LOG-5)', () => {
    const [make, visit, onward] = log(create('N'), [move('A'), 'INBOX'], [move('N'), 'A']) as [Entry, Entry, Entry]
    const locals = visit.progress[0]?.placed.destinations ?? UidSet.EMPTY
    const targets: Targets = { kind: 'local', mailboxId: id('A'), locals }
    const now = refused([make, visit, { ...onward, progress: onward.progress.map((group) => ({ ...group, targets })) }])
    expect(locals.size).toBe(1)
    expect(lanesWithWork(now)).toEqual([{ kind: 'messages', mailboxId: id('INBOX') }])
    expect(sent(now)).toEqual(['copy to A'])
  })

  it('holds up what is to go into it, and not the flags of that (Verifies: I-LOG-5)', () => {
    const marked = log(create('N'), [copy, 'INBOX'], [seen, 'INBOX'])
    expect(sent(refused(marked))).toEqual(['store'])
    expect(lanesWithWork(refused(marked))).toHaveLength(1)
    // While it is only a matter of time, the copy is made of what was there when it was asked for.
    expect(sent(state(mailboxes, marked))).toEqual([])
    const removed = log(create('N'), [copy, 'INBOX'], [expunge, 'INBOX'])
    expect(sent(refused(removed))).toEqual([])
    expect(lanesWithWork(refused(removed))).toEqual([])
  })
})

describe('names that are used again', () => {
  it('leaves what was made under the former name where it is, below it too', () => {
    const second = { ...made('M'), path: 'A' }
    const below = { ...made('N/C'), path: 'A/C' }
    const made2: OperationRequest = { kind: 'create-mailbox', mailboxId: second.id, path: 'A' }
    const made3: OperationRequest = { kind: 'create-mailbox', mailboxId: below.id, path: 'A/C' }
    const now = state([record('A'), second, below], log(rename('A', 'Z'), made2, made3))
    expect(ahead(now)).toEqual(['rename A', 'create A', 'create A/C'])
    expect(paths(after(now, 'ok'))).toEqual(['INBOX', 'Z', '(A)', '(A/C)'])
    const unsent = state([made('N'), second, below], log(create('N'), rename('N', 'Z'), made2, made3))
    expect(paths(after(unsent, 'ok'))).toEqual(['INBOX', 'Z', '(A)', '(A/C)'])
  })
})

describe('folding', () => {
  it.each([
    [
      'create and rename: made under the last name',
      [made('N')],
      [create('N'), rename('N', 'Y', 'N'), rename('Y', 'Z', 'N')],
      ['create Z'],
      ['#1 applied', '#2 superseded', '#3 superseded'],
    ],
    [
      'create and delete: nothing',
      [made('N')],
      [create('N'), subscribe('N'), remove('N')],
      ['#1 cancelled', '#2 cancelled', '#3 cancelled'],
      ['#1 superseded', '#2 superseded', '#3 superseded'],
    ],
    [
      'create, use and delete: all of it',
      [made('N')],
      [create('N'), [move('N'), 'INBOX'], remove('N')],
      ['create N'],
      ['#1 applied', '#2 queued', '#3 queued'],
    ],
    [
      'subscribe and unsubscribe: the last one',
      [record('A')],
      [subscribe('A'), subscribe('A', false)],
      ['unsubscribe A'],
      ['#1 superseded', '#2 applied'],
    ],
  ] as const)('%s', (_, mailboxes, requests, steps, told) => {
    const now = state(mailboxes, log(...requests))
    expect(next(now)).toEqual(steps)
    expect(after(now, 'ok').told).toEqual(told)
  })

  it('takes along what is to be made below', () => {
    const now = state([made('N'), made('N/C')], log(create('N'), create('N/C'), rename('N', 'Z')))
    const then = after(now, 'ok')
    expect(paths(then)).toEqual(['INBOX', 'Z', '(Z/C)'])
    expect(next(then)).toEqual(['create Z/C'])
  })

  it('sends one by one what was refused together', () => {
    const now = after(state([made('N')], log(create('N'), rename('N', 'Z'))), 'rejected', 'CANNOT')
    expect(next(now)).toEqual(['create N'])
    const then = after(now, 'ok')
    expect(next(then)).toEqual(['leave', 'rename N to Z'])
    expect(after(then, 'rejected', 'CANNOT').told).toEqual(['#2 rejected'])
  })

  it('does not fold a name that another operation has to free', () => {
    const now = state([record('A'), made('N')], log([move('INBOX'), 'A'], remove('A'), create('N'), rename('N', 'A')))
    expect(next(now)).toEqual(['create N'])
  })
})

describe('answers', () => {
  it.each([
    ['rename', [record('A'), record('A/B')], rename('A', 'Z'), ['INBOX', 'Z', 'Z/B']],
    ['delete', [record('A')], remove('A'), ['INBOX']],
    ['create', [made('N')], create('N'), ['INBOX', 'N']],
  ] as const)('%s changes the mailboxes', (_, mailboxes, request, then) => {
    expect(paths(after(state(mailboxes, log(request)), 'ok'))).toEqual(then)
  })

  it.each([
    ['create', [made('N')], create('N'), 'ALREADYEXISTS', ['INBOX', 'N'], ['#1 applied']],
    ['delete', [record('A')], remove('A'), 'NONEXISTENT', ['INBOX'], ['#1 applied']],
    ['rename', [record('A')], rename('A', 'Z'), 'NONEXISTENT', ['INBOX', 'A'], ['#1 queued']],
    ['rename', [record('A')], rename('A', 'Z'), 'ALREADYEXISTS', ['INBOX', 'A'], ['#1 rejected']],
    ['delete', [record('A')], remove('A'), 'NOPERM', ['INBOX', 'A'], ['#1 not-permitted']],
    ['create', [made('N')], create('N'), 'CANNOT', ['INBOX'], ['#1 rejected']],
  ] as const)('NO to %s: %#', (_, mailboxes, request, code, then, told) => {
    // Verifies: DC-5530-3
    const end = after(state(mailboxes, log(request)), 'rejected', code)
    expect(paths(end)).toEqual(then)
    expect(end.told).toEqual(told)
  })

  it('shows where they were the messages that were to go into a mailbox that is refused', () => {
    const end = after(state([made('N')], log(create('N'), [move('N'), 'INBOX'])), 'rejected', 'CANNOT')
    expect(end.told).toEqual(['#1 rejected', '#2 mailbox-gone'])
  })

  it('parks the deletion of a mailbox out of which a move was refused', () => {
    const [moving, deleting] = log([move('INBOX'), 'A'], remove('A')) as [Entry, Entry]
    const ledger = new Ledger({ entries: [moving, deleting], mailboxes: state([record('A')], []).mailboxes, now: NOW })
    ledger.parkAll(dependantsOfCopy(ledger.open, { seq: moving.seq, targets: inBox('A') }))
    ledger.reject(moving.seq, inBox('A'), { kind: 'nothing-sent' })
    expect(read(state([record('A')], []), ledger).told).toContain('#2 needs-another')
  })
})

describe('what LIST shows to be done', () => {
  const listing = (now: ReplayState, listed: readonly string[], gone: readonly string[]): ReturnType<typeof read> => {
    const ledger = new Ledger({ entries: now.entries, mailboxes: now.mailboxes, now: NOW })
    const selectable = new Set(listed.filter((path) => path !== 'A/B'))
    settleListed({ listed: new Set(listed), selectable, gone: new Set(gone) }, ledger)
    return read(now, ledger)
  }

  it.each([
    ['made', [made('N')], [create('N')], ['INBOX', 'N'], [], ['INBOX', 'N'], ['#1 applied']],
    ['not made', [made('N')], [create('N')], ['INBOX'], [], ['INBOX', '(N)'], ['#1 queued']],
    [
      'made under its last name',
      [made('N')],
      [create('N'), rename('N', 'Z')],
      ['INBOX', 'Z'],
      [],
      ['INBOX', 'Z'],
      ['#1 applied', '#2 superseded'],
    ],
    [
      'made under its first name',
      [made('N')],
      [create('N'), rename('N', 'Z')],
      ['INBOX', 'N'],
      [],
      ['INBOX', 'N'],
      ['#1 applied', '#2 queued'],
    ],
    [
      'renamed',
      [record('A'), record('A/B')],
      [rename('A', 'Z')],
      ['INBOX', 'Z', 'Z/B'],
      ['A', 'A/B'],
      ['INBOX', 'Z', 'Z/B'],
      ['#1 applied'],
    ],
    ['both names there', [record('A')], [rename('A', 'Z')], ['INBOX', 'A', 'Z'], [], ['INBOX', 'A'], ['#1 queued']],
    ['left out, but not gone', [record('A')], [rename('A', 'Z')], ['INBOX', 'Z'], [], ['INBOX', 'A'], ['#1 queued']],
    ['deleted', [record('A')], [remove('A')], ['INBOX'], ['A'], ['INBOX'], ['#1 applied']],
    [
      'a name that another mailbox bears',
      [made('N'), record('M', { path: 'N' })],
      [create('N')],
      ['INBOX', 'N'],
      [],
      ['INBOX', '(N)', 'N'],
      ['#1 queued'],
    ],
    [
      'a new name that another mailbox bears',
      [record('A'), record('M', { path: 'Z' })],
      [rename('A', 'Z')],
      ['INBOX', 'Z'],
      ['A'],
      ['INBOX', 'A', 'Z'],
      ['#1 queued'],
    ],
    ['not listed, but not gone', [record('A')], [remove('A')], ['INBOX'], [], ['INBOX', 'A'], ['#1 queued']],
    ['still there', [record('A')], [remove('A')], ['INBOX', 'A'], [], ['INBOX', 'A'], ['#1 queued']],
  ] as const)('%s', (_, mailboxes, requests, listed, gone, then, told) => {
    const end = listing(state(mailboxes, log(...requests)), listed, gone)
    expect(paths(end)).toEqual(then)
    expect(end.told).toEqual(told)
  })

  it('settles also what waits for the user: it is as was asked', () => {
    const waiting = log(create('N')).map((entry) => parked(entry, 'uncertain'))
    expect(listing(state([made('N')], waiting), ['INBOX', 'N'], []).told).toEqual(['#1 applied'])
  })

  it('decides nothing while the answer is missing: it may still come about', () => {
    const lost = after(state([record('A')], log(rename('A', 'Z'))), 'unknown')
    expect(listing(lost, ['INBOX', 'Z'], ['A']).told).toEqual(['#1 unknown'])
  })
})
