import {
  accountId,
  boxEpoch,
  type MailboxRecord,
  type MailboxSeen,
  mailboxId,
  modSeq,
  type Observation,
  type Opened,
  type StatusSeen,
  UidSet,
  uidValidity,
} from '@tidemail/core'
import { describe, expect, it } from 'vitest'
import { planIdentityLook, planRenames } from './plan-renames.ts'
import { stepNamer } from './step-ids.ts'

const WITH_IDS = { capabilities: ['OBJECTID'], enabled: [], appendLimitOctets: null, distrusted: [] }
const WITHOUT_IDS = { ...WITH_IDS, capabilities: [] }

/** `uv`, UIDNEXT, how many messages, mod-sequence. */
type State = readonly [uv: number, uidNext: number, messages: number, modSeq: number | null]

/** A mailbox as it is stored: its name, its MAILBOXID, and its state, null when it was never opened. */
function held(path: string, objectId: string | null, state: State | null, more: Partial<MailboxRecord> = {}): MailboxRecord {
  const [uv, uidNext, messages, hms] = state ?? [0, 1, 0, null]
  const known = messages === 0 ? UidSet.EMPTY : UidSet.range(1, messages)
  const number = path.length * 100 + (path.codePointAt(0) ?? 0)
  const highestModSeq = hms === null ? null : modSeq(hms)
  return {
    id: mailboxId(number),
    accountId: accountId('me'),
    path,
    delimiter: '/',
    role: null,
    isSelectable: true,
    isSubscribed: true,
    objectId,
    box: boxEpoch(number),
    uidValidity: state === null ? null : uidValidity(uv),
    checkpoint: state === null ? null : { uidNext, highestModSeq, known, covered: known },
    permanentFlags: [],
    isOnServer: true,
    isReadOnly: false,
    partsHeldFor: null,
    tierLimit: null,
    formerBox: null,
    ...more,
  }
}

/** A mailbox as the server tells of it, with its MAILBOXID where it was asked. */
function there(path: string, [uv, uidNext, messages, hms]: State, objectId?: string): Observation[] {
  const base = { delimiter: '/', isSelectable: true, isSubscribed: false, role: null }
  const listed: MailboxSeen = { kind: 'mailbox', path, ...base }
  const highestModSeq = hms === null ? null : modSeq(hms)
  const validity = uidValidity(uv)
  const status: StatusSeen = { kind: 'status', path, messages, uidNext, uidValidity: validity, highestModSeq, objectId: null }
  const opened: Opened = {
    kind: 'opened',
    id: path,
    mailbox: { path, uidValidity: validity },
    exists: messages,
    uidNext,
    highestModSeq,
    permanentFlags: [],
    isReadOnly: true,
    hasPersistentUids: true,
    objectId: objectId ?? null,
    isResynced: false,
  }
  return objectId === undefined ? [listed, status] : [listed, status, opened]
}

interface Case {
  readonly held: readonly MailboxRecord[]
  readonly there: readonly Observation[][]
  /** What the server says not to have; left out: every stored name that is not listed. */
  readonly gone?: readonly string[]
  /** `A>B id`, and `-C` for one whose name is taken. */
  readonly gives: readonly string[]
}

const S: State = [7, 4, 3, 31]
const T: State = [8, 9, 5, 40]

const CASES: Readonly<Record<string, Case>> = {
  'the same MAILBOXID under a new name': {
    held: [held('A', 'FA', S)],
    there: [there('B', [9, 1, 0, 1], 'FA')],
    gives: ['A>B mailbox-id'],
  },
  'another MAILBOXID, though all else is the same': { held: [held('A', 'FA', S)], there: [there('B', S, 'FB')], gives: [] },
  'two with the same MAILBOXID': {
    held: [held('A', 'FA', S)],
    there: [there('B', T, 'FA'), there('C', T, 'FA')],
    gives: [],
  },
  'a name that LIST left out and STATUS still has': {
    held: [held('A', 'FA', S)],
    there: [there('B', S, 'FA')],
    gone: [],
    gives: [],
  },
  'two at once': {
    held: [held('A', 'FA', S), held('B', 'FB', T)],
    there: [there('C', T, 'FB'), there('D', S, 'FA')],
    gives: ['A>D mailbox-id', 'B>C mailbox-id'],
  },
  'names exchanged': {
    held: [held('A', 'FA', S), held('B', 'FB', T)],
    there: [there('A', T, 'FB'), there('B', S, 'FA')],
    gives: ['A>B mailbox-id', 'B>A mailbox-id'],
  },
  'names exchanged, without MAILBOXID': {
    held: [held('A', null, S), held('B', null, T)],
    there: [there('A', T), there('B', S)],
    gives: ['A>B guess', 'B>A guess'],
  },
  'another one under the old name': {
    held: [held('A', 'FA', S)],
    there: [there('A', [9, 1, 0, 1], 'FN'), there('B', S, 'FA')],
    gives: ['A>B mailbox-id'],
  },
  'the name of one that was deleted': {
    held: [held('A', 'FA', S), held('B', 'FB', T)],
    there: [there('B', S, 'FA')],
    gives: ['A>B mailbox-id', '-B'],
  },
  'a new UIDVALIDITY under the same name': {
    held: [held('A', 'FA', S)],
    there: [there('A', T, 'FA'), there('B', S, 'FB')],
    gives: [],
  },
  'the same state, without MAILBOXID': { held: [held('A', null, S)], there: [there('B', S)], gives: ['A>B guess'] },
  'the same state without mod-sequences, which may be by chance': {
    held: [held('A', null, [7, 4, 3, null])],
    there: [there('B', [7, 4, 3, null])],
    gives: [],
  },
  'another UIDVALIDITY': { held: [held('A', null, S)], there: [there('B', [8, 4, 3, 31])], gives: [] },
  'another UIDNEXT': { held: [held('A', null, S)], there: [there('B', [7, 5, 3, 31])], gives: [] },
  'another number of messages': { held: [held('A', null, S)], there: [there('B', [7, 4, 2, 31])], gives: [] },
  'another mod-sequence': { held: [held('A', null, S)], there: [there('B', [7, 4, 3, 32])], gives: [] },
  'an empty mailbox': { held: [held('A', null, [7, 4, 0, 31])], there: [there('B', [7, 4, 0, 31])], gives: [] },
  'two gone of the same state': { held: [held('A', null, S), held('C', null, S)], there: [there('B', S)], gives: [] },
  'two new ones of the same state': { held: [held('A', null, S)], there: [there('B', S), there('C', S)], gives: [] },
  'a name that is known already': { held: [held('A', null, S), held('B', null, S)], there: [there('B', S)], gives: [] },
  'INBOX, which gives its messages away and stays': {
    held: [held('INBOX', null, S)],
    there: [there('INBOX', [9, 1, 0, 1]), there('B', S)],
    gives: [],
  },
  'what is below it, empty or never opened': {
    held: [held('A', null, S), held('A/x', null, [9, 1, 0, 1]), held('A/y', null, null)],
    there: [there('B', S), there('B/x', [9, 1, 0, 1]), there('B/y', T)],
    gives: ['A>B guess', 'A/x>B/x superior', 'A/y>B/y superior'],
  },
  'what is below it, but another one': {
    held: [held('A', 'FA', S), held('A/x', 'FX', S)],
    there: [there('B', S, 'FA'), there('B/x', S, 'FN')],
    gives: ['A>B mailbox-id'],
  },
  'what is still to be made below it': {
    held: [held('A', 'FA', S), held('A/new', null, null, { isOnServer: false })],
    there: [there('B', S, 'FA')],
    gone: ['A'],
    gives: ['A>B mailbox-id', 'A/new>B/new superior'],
  },
  'what is still to be made below a name that is there again': {
    held: [held('A', 'FA', S), held('A/new', null, null, { isOnServer: false })],
    there: [there('A', T, 'FN'), there('B', S, 'FA')],
    gives: ['A>B mailbox-id'],
  },
}

describe('which mailboxes have new names', () => {
  // Verifies: DC-8474-8.3a, DC-8474-8.4a, I-SYNC-2
  it.each(Object.entries(CASES))('%s', (_name, { held: records, there: answers, gone, gives }) => {
    const seen = answers.flat()
    const listed = new Set(seen.flatMap((item) => (item.kind === 'mailbox' ? [item.path] : [])))
    const rejected = new Set(gone ?? records.map(({ path }) => path).filter((path) => !listed.has(path)))
    const { renames, replaced } = planRenames({ records, seen, rejected })
    const told = renames.map(({ mailbox, path, by }) => `${mailbox.path}>${path} ${by}`)
    expect([...told, ...replaced.map(({ path }) => `-${path}`)]).toEqual(gives)
  })
})

describe('asking for MAILBOXID', () => {
  const look = (
    records: readonly MailboxRecord[],
    seen: readonly Observation[],
    rejected: readonly string[],
    server = WITH_IDS,
  ) =>
    planIdentityLook({ records, seen, rejected: new Set(rejected) }, server, stepNamer()).map((step) =>
      'path' in step ? `${step.kind} ${step.path}` : step.kind,
    )

  it('asks the new ones when one is gone, and leaves none open', () => {
    expect(look([held('A', 'FA', S), held('C', 'FC', T)], [...there('B', S), ...there('C', T)], ['A'])).toEqual([
      'open B',
      'leave',
    ])
  })

  it.each<[string, ReturnType<typeof look>]>([
    ['nothing is gone', look([held('A', 'FA', S)], [...there('A', S), ...there('B', T)], [])],
    ['nothing is new', look([held('A', 'FA', S)], [], ['A'])],
    ['the one that is gone had no MAILBOXID', look([held('A', null, S)], there('B', S), ['A'])],
    ['the server has none', look([held('A', 'FA', S)], there('B', S), ['A'], WITHOUT_IDS)],
    ['only UIDVALIDITY is another', look([held('A', 'FA', S)], there('A', T), [])],
  ])('asks nothing when %s', (_name, asked) => expect(asked).toEqual([]))
})
