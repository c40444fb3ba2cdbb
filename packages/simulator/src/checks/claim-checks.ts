/** Checks that no process decides what another one may still send: its claim is left alone until it has expired (H-2, I-SYNC-4). */

import { decodeClaim, isOpenClaim } from '@tidemail/replay-log'
import type { MemoryState } from '@tidemail/testing/simulated'
import type { Finding } from '../finding.ts'

/** A process, or a tab. */
export interface Claimant {
  readonly tab: number
  readonly isDead: boolean
}

export class ClaimChecks {
  readonly #makers = new Map<string, Claimant>()

  check(before: MemoryState, after: MemoryState, { by, now }: { readonly by: Claimant; readonly now: number }): Finding[] {
    const found: Finding[] = []
    for (const [id, record] of before.claims) {
      const maker = this.#makers.get(id)
      if (after.claims.get(id) === record || maker === undefined || maker === by || maker.isDead) continue
      const claim = decodeClaim(record)
      const notAfter = Math.max(claim.submission?.notAfter ?? 0, ...claim.steps.map((step) => step.notAfter))
      if (!isOpenClaim(claim) || claim.lostAt !== null || now > notAfter) continue
      found.push({
        check: 'I-SYNC-4',
        what: `tab ${by.tab} decides what tab ${maker.tab} may send for ${notAfter - now} ms more`,
      })
    }
    // Who wrote it last may send it: steps that put something right follow under the same claim.
    for (const [id, record] of after.claims) if (before.claims.get(id) !== record) this.#makers.set(id, by)
    return found
  }
}
