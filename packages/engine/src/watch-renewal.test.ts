/** What a wait teaches of how long a connection may be silent. */

import type { WatchRenewal } from '@tidemail/core'
import { describe, expect, it } from 'vitest'
import { RENEWAL_LIFE_MS, RENEWAL_MS_MAX, renewalAfter, renewalNow, type WaitEnd } from './watch-renewal.ts'

const MINUTE = 60_000
const NOW = 1_000_000_000

function renewal(minutes: number, fatalMinutes: number | null = null): WatchRenewal {
  return { renewalMs: minutes * MINUTE, fatalMs: fatalMinutes === null ? null : fatalMinutes * MINUTE, expiresAt: NOW + 1 }
}

const answered = (minutes: number): WaitEnd => ({ kind: 'answered', afterMs: minutes * MINUTE })
const dead = (minutes: number): WaitEnd => ({ kind: 'dead', afterMs: minutes * MINUTE })

describe('the renewal of a wait', () => {
  // Verifies: DC-9051-6.3.13b
  it.each<[string, WatchRenewal, WaitEnd, number, number | null]>([
    ['is later after a whole silence that was survived', renewal(9), answered(9), 13.5, null],
    ['is later up to 28 minutes', renewal(20), answered(20), 28, null],
    ['stays there', renewal(28), answered(28), 28, null],
    ['is as before after a short silence', renewal(9), answered(5), 9, null],
    ['is twice as often after a death at its end', renewal(8), dead(9), 4, 8],
    ['is twice as often after a death on the way', renewal(9), dead(6), 3, 6],
    ['is never more often than each minute', renewal(1.5), dead(1.5), 1, 1.5],
    ['is as before after an early death, which had another reason', renewal(9), dead(0.5), 9, null],
    ['remembers the shortest silence that was fatal', renewal(9, 6), dead(9), 4.5, 6],
    ['keeps away from a silence that was fatal', renewal(6, 10), answered(6), 8, 10],
    ['stays below it', renewal(8, 10), answered(8), 8, 10],
  ])('%s', (_, before, end, minutes, fatalMinutes) => {
    const after = renewalAfter(before, end, NOW)
    expect(after).toMatchObject({ renewalMs: minutes * MINUTE, fatalMs: fatalMinutes === null ? null : fatalMinutes * MINUTE })
    expect(after.renewalMs).toBeLessThanOrEqual(RENEWAL_MS_MAX)
  })

  it('is remembered for a day, and a fatal silence no longer because others were survived', () => {
    expect(renewalAfter(renewal(9), dead(9), NOW).expiresAt).toBe(NOW + RENEWAL_LIFE_MS)
    expect(renewalAfter(renewal(9), answered(9), NOW).expiresAt).toBe(NOW + RENEWAL_LIFE_MS)
    expect(renewalAfter(renewal(4, 10), answered(4), NOW).expiresAt).toBe(NOW + 1)
  })

  it('is nine minutes at first, and when what was learnt has expired', () => {
    const unlimited = { now: NOW, idleMsMax: Number.POSITIVE_INFINITY }
    expect(renewalNow(null, unlimited).renewalMs).toBe(9 * MINUTE)
    expect(renewalNow(renewal(2, 4), unlimited)).toEqual(renewal(2, 4))
    expect(renewalNow(renewal(2, 4), { ...unlimited, now: NOW + 1 })).toMatchObject({ renewalMs: 9 * MINUTE, fatalMs: null })
  })

  it('is never rarer than an examination has measured', () => {
    expect(renewalNow(renewal(20), { now: NOW, idleMsMax: 3 * MINUTE }).renewalMs).toBe(3 * MINUTE)
  })
})
