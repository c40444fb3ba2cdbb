import { accountId, claimId, UidSet, uidValidity } from '@tidemail/core'
import { encodeClaim } from '@tidemail/replay-log'
import { MemoryDisk, type MemoryState } from '@tidemail/testing/simulated'
import { expect, it } from 'vitest'
import { type Claimant, ClaimChecks } from './claim-checks.ts'

it('complains when a tab decides what another one may still send (Verifies: I-SYNC-4, H-2)', () => {
  const { state } = new MemoryDisk()
  const mailbox = { path: 'INBOX', uidValidity: uidValidity(7) }
  const step = { kind: 'expunge' as const, id: 's1', mailbox, uids: UidSet.of(1), notAfter: 1_000, reason: 'test' }
  const claim = encodeClaim({
    id: claimId('c1'),
    accountId: accountId('me'),
    steps: [step],
    members: [],
    fence: null,
    claimedAt: 0,
    lostAt: null,
    answer: 'none',
  })
  const claimed: MemoryState = { ...state, claims: new Map([[claim.id, claim]]) }
  const one = { tab: 0, isDead: false }
  const found = (by: Claimant, now: number, maker: Claimant = one): string[] => {
    const checks = new ClaimChecks()
    checks.check(state, claimed, { by: maker, now: 0 })
    return checks.check(claimed, state, { by, now }).map(({ check }) => check)
  }
  const other = { tab: 1, isDead: false }
  expect(found(other, 999)).toEqual(['I-SYNC-4'])
  expect(found(other, 1_001)).toEqual([])
  expect(found(one, 999)).toEqual([])
  expect(found(other, 999, { tab: 0, isDead: true })).toEqual([])
})
