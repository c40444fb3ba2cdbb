import {
  accountId,
  boxEpoch,
  type MailboxRecord,
  type MailboxSeen,
  mailboxId,
  modSeq,
  type StatusSeen,
  UidSet,
  uidValidity,
} from '@tidemail/core'
import { describe, expect, it } from 'vitest'
import { planAccount, planList, planStatus, planVisits } from './plan-account.ts'
import { stepNamer } from './step-ids.ts'

const QRESYNC = {
  capabilities: ['CONDSTORE', 'QRESYNC', 'LIST-STATUS'],
  enabled: ['QRESYNC'],
  appendLimitOctets: null,
  distrusted: [],
}
const CONDSTORE = { ...QRESYNC, capabilities: ['CONDSTORE'], enabled: [] }
const PLAIN = { ...QRESYNC, capabilities: [], enabled: [] }

function record(path: string, more: Partial<MailboxRecord> = {}): MailboxRecord {
  return {
    id: mailboxId(1),
    accountId: accountId('me'),
    path,
    delimiter: '/',
    role: null,
    isSelectable: true,
    isSubscribed: true,
    objectId: null,
    box: boxEpoch(1),
    uidValidity: uidValidity(7),
    checkpoint: { uidNext: 4, highestModSeq: modSeq(31), known: UidSet.parse('1:3'), covered: UidSet.parse('1:3') },
    permanentFlags: [],
    isOnServer: true,
    isReadOnly: false,
    partsHeldFor: null,
    tierLimit: null,
    formerBox: null,
    ...more,
  }
}

const seen = (path: string): MailboxSeen => ({
  kind: 'mailbox',
  path,
  delimiter: '/',
  isSelectable: true,
  isSubscribed: true,
  role: null,
})
const status = (messages: number, uidNext: number, hms: number | null, uv = 7): StatusSeen => ({
  kind: 'status',
  path: 'A',
  messages,
  uidNext,
  uidValidity: uidValidity(uv),
  highestModSeq: hms === null ? null : modSeq(hms),
  objectId: null,
})

describe('which mailboxes there are', () => {
  it('asks for the state of all with the list, where the server can', () => {
    const closed = { isMailboxOpen: false }
    expect(planList(QRESYNC, closed, stepNamer())).toMatchObject([{ kind: 'list', withStatus: true }])
    expect(planList(PLAIN, closed, stepNamer())).toMatchObject([{ kind: 'list', withStatus: false }])
  })

  it('leaves an open mailbox before it asks for its state', () => {
    // Verifies: DC-4549-5.3-3c, DC-4549-4.2.5
    expect(planList(QRESYNC, { isMailboxOpen: true }, stepNamer()).map((step) => step.kind)).toEqual(['leave', 'list'])
    const names = { ...QRESYNC, capabilities: [...QRESYNC.capabilities, 'NAMESPACE'] }
    const kindsOf = (server: typeof names) => planList(server, { isMailboxOpen: true }, stepNamer()).map((step) => step.kind)
    expect(kindsOf(names)).toEqual(['leave', 'namespaces', 'list'])
    const known = { personal: [], otherUsers: [], shared: [], expiresAt: 1 }
    expect(kindsOf({ ...names, namespaces: known } as typeof names)).toEqual(['leave', 'list'])
  })

  it('asks for each where it cannot, and once more for what the list left out', () => {
    // Verifies: FIELD-7
    expect(planStatus([record('A'), record('B')], [seen('A')], stepNamer()).map((step) => 'path' in step && step.path)).toEqual([
      'A',
      'B',
    ])
    expect(planStatus([record('A')], [seen('A'), status(3, 4, 31)], stepNamer())).toEqual([])
  })

  it('removes a mailbox only when the server, asked for it by name, refuses', () => {
    // Verifies: I-SYNC-2
    expect(planAccount([record('A')], [], new Set()).removed).toEqual([])
    expect(planAccount([record('A')], [], new Set(['A'])).removed.map((mailbox) => mailbox.path)).toEqual(['A'])
  })

  it('neither asks for nor removes nor visits what is still to be made, and makes no second one of it', () => {
    const made = record('N', { isOnServer: false, checkpoint: null, uidValidity: null })
    expect(planStatus([made], [], stepNamer())).toEqual([])
    expect(planAccount([made], [], new Set(['N']))).toEqual({ created: [], removed: [], kept: [], altered: [] })
    expect(planAccount([made], [seen('N')], new Set()).created).toEqual([])
    expect(planVisits([made], [], QRESYNC)).toEqual([])
  })

  it('takes in what is new, and what is different', () => {
    const plan = planAccount([record('A', { isSubscribed: false })], [seen('A'), seen('B')], new Set())
    expect(plan.created.map((mailbox) => mailbox.path)).toEqual(['B'])
    expect(plan.altered).toMatchObject([{ path: 'A', isSubscribed: true }])
  })
})

describe('which mailboxes are visited', () => {
  const visit = (seenStatus: StatusSeen | null, server = QRESYNC, mailbox = record('A')): string =>
    planVisits([mailbox], seenStatus === null ? [] : [seenStatus], server)
      .map(({ tier, reason }) => `${tier}: ${reason}`)
      .join()

  it('leaves a mailbox alone whose state is what was taken in', () => {
    // Verifies: DC-4549-6.1a, DC-4549-5.2-3a
    expect(visit(status(3, 4, 31))).toBe('')
    expect(visit(status(3, 4, 31), CONDSTORE)).toBe('')
  })

  it.each([
    ['new messages', status(4, 5, 40), QRESYNC, 'qresync: UIDNEXT moved: there may be new messages'],
    ['flags', status(3, 4, 40), QRESYNC, 'qresync: HIGHESTMODSEQ moved: flags changed or messages went'],
    ['an expunge without QRESYNC', status(2, 4, 31), CONDSTORE, 'condstore: the number of messages changed'],
    ['UIDVALIDITY', status(3, 4, 31, 8), QRESYNC, 'qresync: its UIDVALIDITY changed'],
    ['perhaps flags', status(3, 4, null), PLAIN, 'plain: without mod-sequences only a look tells whether flags changed'],
    ['nobody knows', null, QRESYNC, 'qresync: its state is not known'],
  ] as const)('visits for %s', (_, told, server, expected) => {
    expect(visit(told, server)).toBe(expected)
  })

  it.each([
    ['UIDNEXT went back', status(2, 3, 31), QRESYNC, 'plain: UIDNEXT went back under the same UIDVALIDITY'],
    [
      'UIDNEXT went back and mod-sequences on',
      status(3, 3, 40),
      CONDSTORE,
      'plain: UIDNEXT went back under the same UIDVALIDITY',
    ],
    ['HIGHESTMODSEQ went back', status(3, 4, 30), QRESYNC, 'plain: HIGHESTMODSEQ went back under the same UIDVALIDITY'],
    [
      'messages came and it stood still',
      status(4, 5, 31),
      QRESYNC,
      'plain: messages came or went and HIGHESTMODSEQ did not move',
    ],
    [
      'messages went and it stood still',
      status(2, 4, 31),
      QRESYNC,
      'plain: messages came or went and HIGHESTMODSEQ did not move',
    ],
    [
      'messages came and it stood still, without QRESYNC',
      status(4, 5, 31),
      CONDSTORE,
      'plain: messages came or went and HIGHESTMODSEQ did not move',
    ],
  ] as const)('distrusts mod-sequences when %s', (_, told, server, expected) => {
    // Verifies: FIELD-3, FIELD-4
    expect(visit(told, server)).toBe(expected)
  })

  it.each([3, 4])(
    'believes a server that counts %i messages, one of them put there by us and perhaps not listed yet',
    (messages) => {
      // Verifies: FIELD-4, H-14
      const known = UidSet.parse('1:4')
      const checkpoint = { uidNext: 4, highestModSeq: modSeq(31), known, covered: known }
      expect(visit(status(messages, messages + 1, 31), QRESYNC, record('A', { checkpoint }))).toMatch(/^(qresync|$)/)
    },
  )

  it('uses QRESYNC only after ENABLED named it, and never above what a mailbox was caught at', () => {
    // Verifies: FIELD-5, DC-7162-3.2.3b, DC-7162-6a
    expect(visit(status(3, 4, 40), { ...QRESYNC, enabled: [] })).toMatch(/^condstore/)
    expect(
      visit(status(3, 4, 40), QRESYNC, record('A', { tierLimit: { tier: 'condstore', reason: 'lied', expiresAt: 1 } })),
    ).toMatch(/^condstore/)
  })

  it('finishes what an earlier run left', () => {
    const checkpoint = { uidNext: 4, highestModSeq: modSeq(31), known: UidSet.parse('1:3'), covered: UidSet.parse('3') }
    expect(visit(status(3, 4, 31), QRESYNC, record('A', { checkpoint }))).toBe('qresync: 2 messages are still to be fetched')
  })
})
