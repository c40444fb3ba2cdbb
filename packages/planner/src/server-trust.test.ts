import {
  accountId,
  type MailboxRecord,
  mailboxId,
  NO_CAPABILITIES,
  type ServerProfile,
  type Tier,
  type TierLimit,
} from '@tidemail/core'
import { sampleMailbox } from '@tidemail/testing/simulated'
import { describe, expect, it } from 'vitest'
import {
  DISTRUST_LIFE_MS,
  distrustedBy,
  expungesOf,
  limitedTo,
  seenForgetting,
  trustedServer,
  withLivingLimit,
} from './server-trust.ts'
import { tierOf } from './trust-checks.ts'

const NOW = 1_000_000
const FOUND: ServerProfile = {
  ...NO_CAPABILITIES,
  capabilities: ['ENABLE', 'CONDSTORE', 'QRESYNC'],
  enabled: ['QRESYNC', 'CONDSTORE'],
}
const against = (capability: string, expiresAt: number, reason = 'it lied') => ({
  ...{ capability, reason, learntBy: 'synchronisation' as const },
  ...{ since: 0, expiresAt },
})
const limit = (tier: Tier, expiresAt = NOW + 1, reason = 'it lied'): TierLimit => ({ tier, reason, expiresAt })
const boxes = (...limits: readonly (TierLimit | null)[]): MailboxRecord[] =>
  limits.map((tierLimit, i) => ({ ...sampleMailbox(mailboxId(i + 1), { accountId: accountId('a') }), tierLimit }))

// Verifies: FIELD-4, FIELD-5
describe('trustedServer', () => {
  it('keeps what was learnt through a session that knows nothing of it, until it expires', () => {
    const learnt = { ...FOUND, distrusted: [against('QRESYNC', NOW + 1)] }
    expect(trustedServer(FOUND, [learnt], NOW).distrusted).toEqual(learnt.distrusted)
    expect(trustedServer(FOUND, [learnt], NOW + 1).distrusted).toEqual([])
  })

  it('keeps that the server forgets what it expunged, and when that was seen, until it expires', () => {
    // Verifies: DC-7162-3.2.5c
    const learnt = seenForgetting(FOUND, 'it told of more than went', NOW)
    expect(learnt.forgetting).toEqual({ reason: 'it told of more than went', since: NOW, expiresAt: NOW + DISTRUST_LIFE_MS })
    const later = NOW + DISTRUST_LIFE_MS - 1
    expect(seenForgetting(learnt, 'again', later)).toBe(learnt)
    expect(expungesOf(trustedServer(FOUND, [learnt], later), later)).toEqual({ expunges: 'forgotten' })
    expect(expungesOf(learnt, later + 1)).toEqual({})
    expect(trustedServer(learnt, [learnt], later + 1)).toEqual(FOUND)
    expect(expungesOf(FOUND, NOW)).toEqual({})
  })

  it('keeps what the session was told not to use until it ends', () => {
    const found = { ...FOUND, distrusted: [against('QRESYNC', NOW - 1)] }
    expect(trustedServer(found, [], NOW).distrusted).toEqual(found.distrusted)
    expect(trustedServer(found, [{ ...FOUND, distrusted: [against('QRESYNC', NOW + 1)] }], NOW).distrusted).toHaveLength(1)
  })

  it('takes capabilities from the session, and of two words against one the longer', () => {
    const old: ServerProfile = { ...NO_CAPABILITIES, capabilities: ['MOVE'], distrusted: [against('MOVE', NOW + 5, 'first')] }
    const given: ServerProfile = { ...NO_CAPABILITIES, distrusted: [against('MOVE', NOW + 9, 'second')] }
    expect(trustedServer(FOUND, [old, null, undefined, given], NOW)).toEqual({
      ...FOUND,
      distrusted: [against('MOVE', NOW + 9, 'second')],
    })
  })

  it('keeps the newest measures', () => {
    const measured = (measuredAt: number) => ({ ...FOUND, measured: { measuredAt, listingLagMs: measuredAt, idleMs: null } })
    expect(trustedServer(FOUND, [measured(5), measured(3)], NOW).measured?.listingLagMs).toBe(5)
    expect(trustedServer(FOUND, [], NOW)).not.toHaveProperty('measured')
  })
})

describe('the limit of a mailbox', () => {
  it('begins with a life of its own, never goes up, and ends', () => {
    const [mailbox] = boxes(null) as [MailboxRecord]
    const caught = limitedTo(mailbox, { tier: 'plain', reason: 'a' }, NOW)
    expect(caught.tierLimit).toEqual({ tier: 'plain', reason: 'a', expiresAt: NOW + DISTRUST_LIFE_MS })
    expect(limitedTo(caught, { tier: 'condstore', reason: 'b' }, NOW + 1)).toBe(caught)
    const later = NOW + DISTRUST_LIFE_MS
    expect(limitedTo(caught, { tier: 'condstore', reason: 'b' }, later).tierLimit?.tier).toBe('condstore')
    expect(withLivingLimit(caught, later - 1)).toBe(caught)
    expect(withLivingLimit(caught, later).tierLimit).toBeNull()
  })
})

describe('distrustedBy', () => {
  it.each([
    ['no mailbox', [null, null], [], 'qresync'],
    ['one mailbox', [limit('plain'), null], [], 'qresync'],
    ['two mailboxes that QRESYNC failed', [limit('condstore'), limit('condstore')], ['QRESYNC'], 'condstore'],
    ['two, in one of which mod-sequences failed', [limit('condstore'), limit('plain')], ['QRESYNC'], 'condstore'],
    ['two that mod-sequences failed', [limit('plain'), limit('plain')], ['QRESYNC', 'CONDSTORE'], 'plain'],
    ['two, long ago', [limit('plain', NOW), limit('plain', NOW - 1)], [], 'qresync'],
    ['one now and one long ago', [limit('plain'), limit('plain', NOW)], [], 'qresync'],
  ] as const)('after %s', (_, limits, expected, tier) => {
    const server = distrustedBy(FOUND, boxes(...limits), NOW)
    expect(server.distrusted.map(({ capability }) => capability)).toEqual(expected)
    expect(tierOf(sampleMailbox(mailboxId(9), { accountId: accountId('a') }), server)).toBe(tier)
    if (expected.length === 0) expect(server).toBe(FOUND)
  })

  it('says since when, until when and why, without the names of mailboxes, and once', () => {
    const mailboxes = boxes(limit('condstore', NOW + 5, 'older'), limit('condstore', NOW + 6, 'newer'))
    const server = distrustedBy(FOUND, mailboxes, NOW)
    const reason = '2 mailboxes contradict it: newer'
    expect(server.distrusted).toEqual([
      { capability: 'QRESYNC', reason, learntBy: 'synchronisation', since: NOW, expiresAt: NOW + DISTRUST_LIFE_MS },
    ])
    expect(distrustedBy(server, mailboxes, NOW + 1)).toBe(server)
  })
})
