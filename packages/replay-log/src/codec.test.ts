/** Verifies: I-LOG-1, I-STORE-2 (what is not understood is kept), STYLE 22 (stored formats have a number and a fixture) */

import { readdirSync, readFileSync } from 'node:fs'
import {
  accountId,
  bodyId,
  boxEpoch,
  claimId,
  entrySeq,
  localId,
  type MutatingStep,
  mailboxId,
  type Targets,
  UID_MAX,
  UidPairs,
  UidSet,
  uid,
  uidValidity,
} from '@tidemail/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Claim } from './claim.ts'
import { decodeClaim, decodeEntry, decodeReceipt, encodeClaim, encodeEntry, encodeReceipt } from './codec.ts'
import { effectsOf } from './effects-of.ts'
import type { Entry, Evidence, Progress, Settlement } from './entry.ts'
import type { Operation } from './operation.ts'
import { withProgress } from './progress-groups.ts'
import type { Receipt } from './receipt.ts'

const FIXTURES = new URL('../../../fixtures/log/', import.meta.url)
const ACCOUNT = accountId('a')

const text = fc.string({ unit: 'binary', maxLength: 6 })
const date = fc.integer({ min: -1e12, max: 4e12 })
const mailbox = fc.integer({ min: 1, max: 99 }).map(mailboxId)
const box = fc.integer({ min: 1, max: 99 }).map(boxEpoch)
const number = fc.oneof(fc.integer({ min: 1, max: 30 }), fc.constantFrom(UID_MAX, UID_MAX - 1, 2_147_483_648))
const set = fc.oneof(
  fc.uniqueArray(number, { minLength: 1, maxLength: 6 }).map((values) => UidSet.from(values)),
  fc.constant(UidSet.ALL),
)
const pairs = fc
  .array(
    fc.record({
      from: fc.integer({ min: 1, max: 1e6 }),
      to: fc.integer({ min: 1, max: 1e6 }),
      length: fc.integer({ min: 1, max: 99 }),
    }),
    { maxLength: 3 },
  )
  .map((ranges) => new UidPairs(ranges))
const targets: fc.Arbitrary<Targets> = fc.oneof(
  fc.record({ kind: fc.constant('stored' as const), mailboxId: mailbox, box, uids: set }),
  fc.record({ kind: fc.constant('local' as const), mailboxId: mailbox, locals: set }),
)
const flags = fc.array(fc.constantFrom('\\Seen', '$Work', 'später'), { maxLength: 3 })
const nullable = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(of, { nil: null })
const addresses = fc.array(fc.record({ name: nullable(text), address: nullable(text) }), { maxLength: 2 })
const envelope = fc.record({
  subject: nullable(text),
  date: nullable(date),
  from: addresses,
  sender: addresses,
  replyTo: addresses,
  to: addresses,
  cc: addresses,
  bcc: addresses,
  inReplyTo: nullable(text),
  messageId: nullable(text),
})
const part = fc.record({
  section: text,
  type: text,
  charset: nullable(text),
  encoding: text,
  sizeBytes: fc.nat(),
  disposition: fc.constantFrom(null, 'inline' as const, 'attachment' as const),
  fileName: nullable(text),
  contentId: nullable(text),
})
const message = fc.record({
  local: number.map(localId),
  bodyId: text.map(bodyId),
  flags,
  internalDate: date,
  sizeBytes: fc.nat(),
  envelope,
  parts: fc.array(part, { maxLength: 2 }),
  emailId: nullable(text),
})
const operation: fc.Arbitrary<Operation> = fc
  .tuple(
    fc.oneof(
      fc.record({ kind: fc.constant('flag' as const), targets, add: flags, remove: flags }),
      fc.record({ kind: fc.constantFrom('move' as const, 'copy' as const), targets, to: mailbox }),
      fc.record({ kind: fc.constant('expunge' as const), targets }),
      fc.record({ kind: fc.constant('append' as const), to: mailbox, message, digest: text }),
      fc.record({ kind: fc.constant('draft' as const), to: mailbox, message, digest: text, replaces: nullable(targets) }),
      fc.record({
        kind: fc.constant('submit' as const),
        deed: number.map(localId),
        sender: text,
        recipients: fc.array(text, { maxLength: 3 }),
        to: nullable(mailbox),
        message,
        digest: text,
      }),
    ),
    fc.oneof(fc.constant({}), fc.record({ names: fc.array(fc.record({ id: mailbox, path: text }), { maxLength: 2 }) })),
  )
  .map(([unnamed, names]) => ({ ...unnamed, ...names }))
const onMailbox = { mailboxId: mailbox, deed: number.map(localId), path: text }
const mailboxOperation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ kind: fc.constantFrom('create-mailbox' as const, 'delete-mailbox' as const), ...onMailbox }),
  fc.record({ kind: fc.constant('rename-mailbox' as const), from: text, ...onMailbox }),
  fc.record({ kind: fc.constant('subscribe-mailbox' as const), isSubscribed: fc.boolean(), ...onMailbox }),
)
const validity = number.map(uidValidity)
const identity = fc.record({ path: text, uidValidity: validity })
const evidence: fc.Arbitrary<Evidence> = fc.oneof(
  fc.record({ kind: fc.constant('append-uid' as const), target: identity, uid: number.map(uid) }),
  fc.record({ kind: fc.constant('copy-uid' as const), target: identity, pairs }),
  fc.record({
    kind: fc.constantFrom(
      'flags-seen' as const,
      'tagged-ok' as const,
      'nothing-sent' as const,
      'mailbox-changed' as const,
      'listed' as const,
      'user-decision' as const,
    ),
  }),
  fc.record({ kind: fc.constant('vanished' as const), uids: set }),
  fc.record({ kind: fc.constant('submitted' as const), text }),
  fc.record({
    kind: fc.constant('probe' as const),
    verdict: fc.constantFrom('certain' as const, 'possible' as const, 'none' as const),
    found: fc.array(number.map(uid), { maxLength: 3 }),
  }),
  fc.record({
    kind: fc.constant('rejection' as const),
    rejection: fc.record({ status: fc.constantFrom('NO' as const, 'BAD' as const), code: nullable(text), text }),
  }),
)
const unaltered = fc.array(fc.record({ flag: text, uids: set }), { maxLength: 2 })
const settlement: fc.Arbitrary<Settlement> = fc.record(
  {
    outcome: fc.constantFrom('applied', 'superseded', 'skipped', 'rejected', 'undone', 'discarded', 'uncertain'),
    targets,
    evidence,
    unaltered,
  },
  { requiredKeys: ['outcome', 'targets', 'evidence'] },
)
const progress: fc.Arbitrary<Progress> = fc.record({
  state: fc.constantFrom('queued', 'sending', 'unknown', 'recovering', 'copied', 'parked'),
  targets,
  claimId: nullable(text.map(claimId)),
  parkedFor: nullable(
    fc.constantFrom(
      'uidvalidity-changed',
      'mailbox-gone',
      'rejected-repeatedly',
      'not-permitted',
      'over-quota',
      'uncertain',
      'mass-delete',
    ),
  ),
  placed: pairs,
})
const seq = fc.integer({ min: 1, max: 1e9 }).map(entrySeq)
const entry: fc.Arbitrary<Entry> = fc
  .record({
    seq,
    accountId: fc.constant(ACCOUNT),
    revision: fc.nat(),
    acceptedAt: date,
    operation: fc.oneof(operation, mailboxOperation),
    placed: fc.constant(UidPairs.EMPTY),
    progress: fc.array(progress, { maxLength: 3 }),
    settled: fc.array(settlement, { maxLength: 2 }),
    rejections: fc.nat(9),
    notBefore: date,
    conflicts: fc.array(fc.record({ uid: number.map(uid), base: fc.array(text), theirs: fc.array(text) }), { maxLength: 2 }),
  })
  .map((value) => withProgress(value, value.progress))
const planned = { id: text, reason: text, notAfter: date }
const order = { after: fc.array(text, { maxLength: 2 }), requires: fc.array(text, { maxLength: 2 }) }
const outgoing = fc.record({ bodyId: text.map(bodyId), sizeBytes: fc.nat(), flags, internalDate: date })
const step: fc.Arbitrary<MutatingStep> = fc
  .oneof(
    fc.record({
      kind: fc.constant('store' as const),
      ...planned,
      mailbox: identity,
      uids: set,
      direction: fc.constantFrom('add' as const, 'remove' as const),
      flags,
    }),
    fc.record({
      kind: fc.constantFrom('copy' as const, 'move' as const),
      ...planned,
      mailbox: identity,
      uids: set,
      target: text,
    }),
    fc.record({ kind: fc.constant('expunge' as const), ...planned, mailbox: identity, uids: set }),
    fc.record({
      kind: fc.constantFrom('create' as const, 'delete' as const, 'subscribe' as const, 'unsubscribe' as const),
      ...planned,
      path: text,
    }),
    fc.record({ kind: fc.constant('rename' as const), ...planned, path: text, to: text }),
    fc.record({
      kind: fc.constant('append' as const),
      ...planned,
      target: text,
      messages: fc.array(outgoing, { maxLength: 2 }),
    }),
    fc.record({
      kind: fc.constant('replace' as const),
      ...planned,
      mailbox: identity,
      uid: number.map(uid),
      target: text,
      message: outgoing,
    }),
  )
  .chain((base) => fc.record(order, { requiredKeys: [] }).map((more) => ({ ...base, ...more })))
const fenced = fc.record({
  of: number,
  messageId: nullable(text),
  sizeBytes: fc.nat(),
  internalDate: date,
  emailId: nullable(text),
  digest: nullable(text),
})
const claimed: fc.Arbitrary<Claim> = fc.record({
  id: text.map(claimId),
  accountId: fc.constant(ACCOUNT),
  steps: fc.array(step, { maxLength: 2 }),
  members: fc.array(fc.record({ seq, targets }), { maxLength: 2 }),
  fence: nullable(
    fc.record({
      mailboxId: mailbox,
      box,
      path: text,
      uidValidity: validity,
      uidNext: fc.nat(),
      messages: fc.array(fenced, { maxLength: 2 }),
    }),
  ),
  claimedAt: date,
  lostAt: nullable(date),
  answer: fc.constantFrom('none', 'ok'),
})
/** With what only some claims have. */
const claim: fc.Arbitrary<Claim> = claimed.chain((base) =>
  fc.record({ submission: fc.record({ notAfter: date }), unaltered }, { requiredKeys: [] }).map((more) => ({ ...base, ...more })),
)
const receipt: fc.Arbitrary<Receipt> = fc.record({
  seq,
  accountId: fc.constant(ACCOUNT),
  operation: fc.oneof(operation, mailboxOperation),
  acceptedAt: date,
  settledAt: date,
  outcomes: fc.array(settlement, { maxLength: 3 }),
})

function bytesOf(json: string): Uint8Array {
  return new TextEncoder().encode(json)
}

function decodeJson(json: string): Entry {
  return decodeEntry({ seq: entrySeq(3), accountId: ACCOUNT, revision: 1, effects: [], bytes: bytesOf(json) })
}

function fixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(name, FIXTURES)))
}

const FULL = new TextDecoder().decode(fixture('entry-v1.json'))
const corrupt = expect.objectContaining({ code: 'store.corrupt', scope: 'account' })

describe('the codec', () => {
  it('reads the entry that it wrote', () => {
    fc.assert(
      fc.property(entry, (value) => {
        expect(decodeEntry(encodeEntry(value))).toEqual(value)
      }),
      { numRuns: 400 },
    )
  })

  it('writes with an entry what it does to the view', () => {
    fc.assert(
      fc.property(entry, (value) => {
        expect(encodeEntry(value).effects).toEqual(effectsOf(value))
      }),
    )
  })

  it('reads the claim that it wrote', () => {
    fc.assert(
      fc.property(claim, (value) => {
        expect(decodeClaim(encodeClaim(value))).toEqual(value)
      }),
      { numRuns: 300 },
    )
  })

  it('reads the receipt that it wrote', () => {
    fc.assert(
      fc.property(receipt, (value) => {
        expect(decodeReceipt(encodeReceipt(value))).toEqual(value)
      }),
      { numRuns: 300 },
    )
  })

  it.each([
    ['no JSON', FULL.slice(0, -5)],
    ['no object', '[1]'],
    ['null', 'null'],
    ['no format', FULL.replace('"v": 1,', '')],
    ['a later format', FULL.replace('"v": 1,', '"v": 2,')],
    ['a missing member', FULL.replace('"rejections": 1,', '')],
    ['a member it does not know', FULL.replace('"rejections": 1,', '"rejections": 1, "more": 1,')],
    ['an inherited member in place of its own', FULL.replace('"kind": "move"', '"kind": "constructor"')],
    ['a UID out of range', FULL.replace('4:6', '4:4294967296')],
    ['an open UID set', FULL.replace('4:6', '4:*')],
    ['half a number', FULL.replace('"rejections": 1,', '"rejections": 1.5,')],
    ['a pair without length', FULL.replace('[4, 12, 3]', '[4, 12]')],
  ])('refuses an entry with %s, and tells nothing of the content', (_, json) => {
    expect(json).not.toBe(FULL)
    expect(() => decodeJson(json)).toThrow(corrupt)
  })

  it('refuses bytes that are no UTF-8', () => {
    expect(() =>
      decodeEntry({ seq: entrySeq(3), accountId: ACCOUNT, revision: 1, effects: [], bytes: Uint8Array.of(0x7b, 0xff, 0x7d) }),
    ).toThrow(corrupt)
  })

  it('never quotes what it could not read', () => {
    const secret = 'quarterly-salaries'
    for (const json of [`{"v":1,"subject":"${secret}"}`, `${secret}`, `{"v":"${secret}"}`, `{"v":1,"${secret}":2}`]) {
      const error = (() => {
        try {
          return decodeJson(json)
        } catch (thrown) {
          return thrown as Error
        }
      })() as Error
      expect(`${error.message} ${String(error.cause)} ${error.stack}`).not.toContain(secret)
    }
  })

  it('refuses whatever is damaged at random, or reads something that it can write again', () => {
    fc.assert(
      fc.property(fc.nat(FULL.length - 1), fc.constantFrom('0', '"', '}', ',', 'x', '-'), (at, character) => {
        const json = `${FULL.slice(0, at)}${character}${FULL.slice(at + 1)}`
        try {
          const read = decodeJson(json)
          expect(decodeEntry(encodeEntry(read))).toEqual(read)
        } catch (error) {
          expect(error).toEqual(corrupt)
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('format 1', () => {
  it('has a fixture for each kind of record', () => {
    expect(readdirSync(FIXTURES).sort()).toEqual(['claim-v1.json', 'entry-append-v1.json', 'entry-v1.json', 'receipt-v1.json'])
  })

  it('still reads the entry of a move that is half done', () => {
    const read = decodeEntry({ seq: entrySeq(3), accountId: ACCOUNT, revision: 5, effects: [], bytes: fixture('entry-v1.json') })
    expect(read).toMatchObject({
      seq: 3,
      revision: 5,
      acceptedAt: 1_767_225_600_000,
      operation: { kind: 'move', to: 2, targets: { kind: 'stored', mailboxId: 1, box: 11, uids: UidSet.parse('4:9') } },
      rejections: 1,
      notBefore: 1_767_225_630_000,
    })
    expect(read.progress.map(({ state, targets }) => [state, targets.kind === 'stored' && targets.uids.toString()])).toEqual([
      ['queued', '4:6'],
      ['copied', '7'],
      ['parked', '8'],
    ])
    expect(read.placed.ranges).toEqual([
      { from: 4, to: 12, length: 3 },
      { from: 8, to: 16, length: 1 },
    ])
    expect(read.settled).toMatchObject([{ outcome: 'skipped', evidence: { kind: 'vanished', uids: UidSet.of(9) } }])
  })

  it('still reads the entry of an upload', () => {
    const read = decodeEntry({
      seq: entrySeq(4),
      accountId: ACCOUNT,
      revision: 1,
      effects: [],
      bytes: fixture('entry-append-v1.json'),
    })
    expect(read.operation).toMatchObject({
      kind: 'append',
      to: 5,
      message: { local: 17, flags: ['\\Draft', '\\Seen'], envelope: { subject: 'Grüße', messageId: '<1@example.org>' } },
    })
    expect(effectsOf(read)).toMatchObject([{ kind: 'new', mailboxId: 5 }])
  })

  it('still reads the claim of an upload', () => {
    const read = decodeClaim({ id: claimId('c1'), accountId: ACCOUNT, bytes: fixture('claim-v1.json') })
    expect(read).toMatchObject({
      id: 'c1',
      steps: [{ kind: 'append', target: 'Drafts', requires: ['s0'], messages: [{ sizeBytes: 321 }] }],
      members: [{ seq: 4, targets: { kind: 'local', locals: UidSet.of(17) } }],
      fence: { path: 'Drafts', uidValidity: 4_294_967_295, uidNext: 88, messages: [{ of: 17, messageId: '<1@example.org>' }] },
      lostAt: 1_767_225_602_000,
      answer: 'none',
    })
  })

  it('still reads the receipt of a copy', () => {
    const read = decodeReceipt({ seq: entrySeq(9), accountId: ACCOUNT, bytes: fixture('receipt-v1.json') })
    expect(read).toMatchObject({
      settledAt: 1_767_225_605_000,
      outcomes: [
        { outcome: 'applied', evidence: { kind: 'copy-uid', target: { path: 'Archive', uidValidity: 7 } } },
        { outcome: 'rejected', evidence: { kind: 'rejection', rejection: { status: 'NO', code: 'OVERQUOTA' } } },
      ],
    })
  })
})
