import {
  accountId,
  type Done,
  type MailboxRecord,
  type MessageIdentity,
  mailboxId,
  modSeq,
  type Observation,
  type Opened,
  type RowSeen,
  UidSet,
  uid,
  uidValidity,
} from '@tidemail/core'
import { sampleEnvelope, sampleMailbox } from '@tidemail/testing/simulated'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AuditListPlan, planAuditList, planAuditRows, sampleOf } from './plan-audit.ts'
import { stepNamer } from './step-ids.ts'
import {
  type AuditDifferences,
  caughtBy,
  compareRows,
  compareUids,
  confirmed,
  differing,
  NO_DIFFERENCES,
  repairOf,
  takeAuditList,
} from './take-audit.ts'

const UV = uidValidity(7)
const set = (text: string): UidSet => UidSet.parse(text)

function local(known: string, covered = known): MailboxRecord {
  const checkpoint = { uidNext: (set(known).max ?? 0) + 1, highestModSeq: modSeq(9), known: set(known), covered: set(covered) }
  return {
    ...sampleMailbox(mailboxId(1), { accountId: accountId('a') }),
    path: 'INBOX',
    uidValidity: UV,
    checkpoint,
    partsHeldFor: 'text/1/1',
  }
}

const MAILBOX = { path: 'INBOX', uidValidity: UV }
const done = (id: string, exists: number, outcome: Done['outcome'] = 'ok'): Done => ({
  ...{ kind: 'done', id, outcome, rejection: null, exists },
})

function opened(plan: AuditListPlan, exists: number, validity = UV): Opened {
  return {
    ...{ kind: 'opened', id: plan.openId, mailbox: { ...MAILBOX, uidValidity: validity }, exists, uidNext: null },
    ...{ highestModSeq: null, permanentFlags: [], isReadOnly: true, hasPersistentUids: true, objectId: null, isResynced: false },
  }
}

function row(number: number, flags: readonly string[] | null, identity?: Partial<MessageIdentity>): RowSeen {
  const summary =
    identity === undefined
      ? null
      : {
          internalDate: identity.internalDate ?? 5_000,
          sizeBytes: identity.sizeBytes ?? 100,
          envelope: { ...sampleEnvelope(), messageId: identity.messageId ?? `<${number}@x>` },
          parts: [],
          emailId: identity.emailId ?? null,
        }
  return { kind: 'row', mailbox: MAILBOX, uid: uid(number), flags: flags as RowSeen['flags'], modSeq: modSeq(4), summary }
}

function answers(plan: AuditListPlan, exists: number, ...told: readonly Observation[]): Observation[] {
  return [opened(plan, exists), done(plan.openId, exists), ...told, done(plan.listId, exists)]
}

const found = (plan: AuditListPlan, uids: string): Observation => ({
  ...{ kind: 'uids', id: plan.listId, mailbox: MAILBOX, uids: set(uids) },
})

describe('the list of an audit', () => {
  const plan = planAuditList(local('1:3'), [], stepNamer())

  it('is asked for without a chance to change anything', () => {
    expect(plan.steps.map((step) => (step.kind === 'open' ? step.access : step.kind))).toEqual(['examine', 'search'])
  })

  // Verifies: I-SYNC-2, FIELD-7
  it.each([
    ['adds up', answers(plan, 3, found(plan, '1:3')), 'listed 1:3'],
    ['is too short', answers(plan, 3, found(plan, '1:2')), 'doubted 1:2'],
    ['is too long', answers(plan, 2, found(plan, '1:3')), 'doubted 1:3'],
    [
      'is made while a message goes',
      answers(plan, 2, found(plan, '1:3'), { kind: 'vanished', mailbox: MAILBOX, uids: set('2'), isEarlier: false }),
      'listed 1,3',
    ],
    [
      'is of another UIDVALIDITY',
      [opened(plan, 3, uidValidity(8)), done(plan.openId, 3), done(plan.listId, 3, 'stale')],
      'reset',
    ],
    ['is refused', [opened(plan, 3), done(plan.openId, 3), done(plan.listId, 3, 'rejected')], 'unanswered'],
    ['is lost', [opened(plan, 3), done(plan.openId, 3), done(plan.listId, 3, 'unknown')], 'unanswered'],
  ] as const)('that %s', (_, observations, expected) => {
    const list = takeAuditList(plan, observations)
    expect('uids' in list ? `${list.kind} ${list.uids}` : list.kind).toBe(expected)
  })

  it('is asked for by FETCH once SEARCH was doubted, and believed when it comes twice', () => {
    const again = planAuditList(local('1:3'), [set('1:2')], stepNamer())
    expect(again.steps[1]).toMatchObject({ kind: 'fetch', items: 'flags', uids: UidSet.ALL })
    expect(takeAuditList(again, answers(again, 3, row(1, []), row(2, []), row(3, [])))).toEqual({
      kind: 'listed',
      uids: set('1:3'),
    })
    expect(takeAuditList(again, answers(again, 3, row(1, []), row(2, [])))).toEqual({ kind: 'listed', uids: set('1:2') })
    expect(takeAuditList(again, answers(again, 3, row(1, [])))).toMatchObject({ kind: 'doubted' })
  })
})

describe('compareUids', () => {
  it.each([
    ['1:3', '1:3', '', ''],
    ['1:3', '1:2,4', '4', '3'],
    ['', '1:2', '1:2', ''],
    ['1:2', '', '', '1:2'],
  ])('of %s here and %s there', (known, there, missing, extra) => {
    const result = compareUids(local(known), set(there))
    expect([result.missing.toString(), result.extra.toString()]).toEqual([missing, extra])
  })
})

describe('compareRows', () => {
  const identity = (number: number, more: Partial<MessageIdentity> = {}): [number, MessageIdentity] => [
    number,
    { messageId: `<${number}@x>`, sizeBytes: 100, internalDate: 5_000, emailId: null, ...more },
  ]
  const held = { flags: new Map([1, 2].map((n) => [n, ['\\Seen'] as const])), identities: new Map([identity(1), identity(2)]) }
  const compare = (rows: readonly Observation[], of = held, uids = '1:3') => {
    const { missing, flags, identityDiffers, contentDiffers } = compareRows({ mailbox: local('1:3'), uids: set(uids) }, rows, of)
    const texts = [missing, UidSet.from(flags.map((state) => state.uid)), identityDiffers, contentDiffers].map(String)
    return texts
      .map((text, i) => (text === '' ? '' : `${['missing', 'flags', 'identity', 'content'][i]} ${text}`))
      .filter(Boolean)
  }

  it.each([
    ['the same', [row(1, ['\\seen']), row(1, null, {})], []],
    ['other flags', [row(1, []), row(2, ['\\Seen', '$Work'])], ['flags 1:2']],
    ['flags that changed back', [row(1, []), row(1, ['\\Seen'])], []],
    ['a row that is not held', [row(3, [])], ['missing 3']],
    ['another date', [row(1, null, { internalDate: 6_000 })], ['identity 1']],
    ['a date with other milliseconds', [row(1, null, { internalDate: 5_999 })], []],
    ['another size', [row(1, null, { sizeBytes: 101 })], ['identity 1', 'content 1']],
    ['another Message-ID', [row(1, null, { messageId: '<9@x>' })], ['identity 1', 'content 1']],
    ['an EMAILID that was not known', [row(1, null, { emailId: 'M1' })], []],
    ['a message that was not asked about', [row(4, [])], []],
    ['nothing told', [], []],
  ])('finds %s', (_, rows, expected) => {
    expect(compare(rows)).toEqual(expected)
  })

  it('tells another EMAILID from none', () => {
    const identities = new Map([identity(1, { emailId: 'M1' })])
    expect(compare([row(1, null, { emailId: 'M2' })], { ...held, identities }, '1')).toEqual(['identity 1', 'content 1'])
  })
})

const differences = (more: Partial<Record<keyof AuditDifferences, string>>): AuditDifferences => ({
  ...NO_DIFFERENCES,
  ...Object.fromEntries(Object.entries(more).map(([key, text]) => [key, set(text)])),
  flags: [...set(more.flags ?? '').values()].map((number) => ({ uid: uid(number), flags: ['\\Seen'], modSeq: null })),
})

describe('what two audits confirm', () => {
  it('is what both found, kind by kind, with the flags as told last', () => {
    const first = differences({ missing: '1:2', extra: '5', flags: '7:8', identityDiffers: '9' })
    const second = differences({ missing: '2:3', extra: '6', flags: '8:9', identityDiffers: '9', contentDiffers: '9' })
    const both = confirmed(first, second)
    expect(differing(both).toString()).toBe('2,8:9')
    expect(both.extra.isEmpty && both.contentDiffers.isEmpty).toBe(true)
  })
})

describe('caughtBy', () => {
  it.each([
    ['extra messages', differences({ extra: '2' }), /gone/],
    ['missing messages', differences({ missing: '9' }), /there were messages/],
    ['flags', differences({ flags: '1' }), /flags/],
    ['lost rows of known messages', differences({ missing: '2' }), null],
    ['another identity', differences({ identityDiffers: '2', contentDiffers: '2' }), null],
  ])('%s', (_, found, expected) => {
    const reason = caughtBy(local('1:3'), found)
    if (expected === null) expect(reason).toBeNull()
    else expect(reason).toMatch(expected)
  })
})

// Verifies: I-STORE-1, I-SYNC-2
describe('repairOf', () => {
  it('keeps in mind what went, of which the server will tell', () => {
    // Verifies: DC-7162-3.2.5c
    const { checkpoint } = repairOf(local('1:9'), { ...NO_DIFFERENCES, extra: set('2,4') }).mailbox
    expect(`${checkpoint?.known} ${checkpoint?.goneSince}`).toBe('1,3,5:9 2,4')
    expect(repairOf(local('1:9'), { ...NO_DIFFERENCES, missing: set('12') }).mailbox.checkpoint).not.toHaveProperty('goneSince')
  })

  const repaired = (mailbox: MailboxRecord, found: AuditDifferences) => {
    const { mailbox: after, writes } = repairOf(mailbox, found)
    const removed = writes.flatMap((write) => (write.kind === 'remove-messages' ? [write.uids.toString()] : [])).join()
    const kinds = writes.map(({ kind }) => kind).join(' ')
    const { known, covered, uidNext } = after.checkpoint ?? {}
    return { known: String(known), covered: String(covered), uidNext, removed, kinds, partsHeldFor: after.partsHeldFor }
  }
  const untouched = { known: '1:3', covered: '1:3', uidNext: 4, removed: '', partsHeldFor: 'text/1/1' }

  it.each([
    ['nothing', differences({}), { ...untouched, kinds: '' }],
    ['flags', differences({ flags: '2' }), { ...untouched, kinds: 'put-mailbox put-flags' }],
    [
      'extra messages',
      differences({ extra: '2' }),
      { ...untouched, known: '1,3', covered: '1,3', removed: '2', kinds: 'put-mailbox remove-messages' },
    ],
    [
      'missing messages',
      differences({ missing: '9' }),
      { ...untouched, known: '1:3,9', uidNext: 10, kinds: 'put-mailbox', partsHeldFor: null },
    ],
    ['lost rows', differences({ missing: '2' }), { ...untouched, covered: '1,3', kinds: 'put-mailbox', partsHeldFor: null }],
    [
      'another date, with its parts kept',
      differences({ identityDiffers: '2' }),
      { ...untouched, covered: '1,3', kinds: 'put-mailbox', partsHeldFor: null },
    ],
    [
      'another message, with its parts dropped',
      differences({ identityDiffers: '2', contentDiffers: '2' }),
      { ...untouched, covered: '1,3', removed: '2', kinds: 'put-mailbox remove-messages', partsHeldFor: null },
    ],
  ])('of %s', (_, found, expected) => {
    expect(repaired(local('1:3'), found)).toEqual(expected)
  })

  it('never makes a checkpoint that covers what is not known', () => {
    const uids = fc.uniqueArray(fc.integer({ min: 1, max: 40 })).map((numbers) => UidSet.from(numbers))
    fc.assert(
      fc.property(uids, uids, uids, uids, (known, missing, extra, identityDiffers) => {
        const mailbox = local(known.toString())
        const { checkpoint } = repairOf(mailbox, { ...NO_DIFFERENCES, missing, extra, identityDiffers }).mailbox
        if (checkpoint === null) throw new Error('The checkpoint is gone.')
        expect(checkpoint.covered.difference(checkpoint.known).isEmpty).toBe(true)
        expect(checkpoint.covered.difference(known).isEmpty).toBe(true)
        expect(checkpoint.uidNext).toBeGreaterThan(checkpoint.known.max ?? 0)
      }),
      { seed: 3 },
    )
  })
})

describe('a sample', () => {
  it('is spread over the set, of the size asked, and differs by chance', () => {
    const all = set('1:100')
    const low = sampleOf(all, { count: 10, chance: 0 })
    const high = sampleOf(all, { count: 10, chance: 0.99 })
    expect([low.size, high.size, low.intersect(high).size]).toEqual([10, 10, 0])
    expect([low.min, low.max, high.max]).toEqual([1, 91, 100])
    expect(sampleOf(all, { count: 0, chance: 0.5 }).isEmpty).toBe(true)
    expect(sampleOf(all, { count: 100, chance: 0.5 })).toBe(all)
  })

  it('asks for flags and identity, in lines that are not too long', () => {
    const odd = UidSet.from(Array.from({ length: 3_000 }, (_, i) => 2 * i + 1_000_001))
    const steps = planAuditRows(local('1'), odd, stepNamer())
    expect(steps.length).toBeGreaterThan(4)
    expect(steps.every(({ uids }) => uids.toString().length <= 7_000)).toBe(true)
    expect(new Set(steps.map(({ items }) => items))).toEqual(new Set(['flags', 'identity']))
  })
})
