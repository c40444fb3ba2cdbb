/** Settles flag changes that the server answered with OK. */

import { type Observation, type RowSeen, type Targets, UidSet, uid } from '@tidemail/core'
import type { Claim, ClaimMember, FlagConflict, Operation } from '@tidemail/replay-log'
import { sentUids, sentUnder } from './claim-members.ts'
import type { Ledger } from './ledger.ts'
import { vanishedIn } from './vanished-in.ts'

export interface FlagAnswers {
  readonly observations: readonly Observation[]
  /** What later steps of the same batch took away. */
  readonly goneLater: UidSet
}

/**
 * H-14: OK does not prove that a message was there. Those reported gone meanwhile are skipped, those that changed first are shown to the user; for the
 * others the rows are inferred until restated.
 */
export function settleFlags(claim: Claim, { observations, goneLater }: FlagAnswers, ledger: Ledger): void {
  const rows = observations.filter((item): item is RowSeen => item.kind === 'row')
  const seen = UidSet.from(rows.map(({ uid }) => uid))
  const vanished = vanishedIn(observations).difference(goneLater)
  const modified = modifiedIn(claim, observations)
  for (const step of claim.steps) {
    const place = claim.members[0]?.targets.mailboxId
    if (step.kind === 'store' && place !== undefined)
      ledger.server.inferFlags(place, step, { seen, vanished: vanished.union(modified) })
  }
  for (const member of claim.members) {
    const { seq } = member
    const uids = sentUids(member)
    const gone = uids.intersect(vanished)
    const conflicting = uids.difference(gone).intersect(modified)
    const done = uids.difference(gone).difference(conflicting)
    each(member, gone, (targets) => ledger.settleGone(seq, targets, { kind: 'vanished', uids: gone }))
    each(member, conflicting, (targets) => {
      ledger.advance(seq, targets, { kind: 'conflict', conflicts: conflictsOf(ledger.entry(seq)?.operation, conflicting, rows) })
    })
    const { unaltered } = claim
    each(member, done.intersect(seen), (targets) => ledger.apply(seq, targets, { kind: 'flags-seen' }, unaltered))
    each(member, done.difference(seen), (targets) => ledger.apply(seq, targets, { kind: 'tagged-ok' }, unaltered))
  }
  ledger.removeClaim(claim)
}

function conflictsOf(operation: Operation | undefined, uids: UidSet, rows: readonly RowSeen[]): FlagConflict[] {
  const base = operation?.kind === 'flag' ? (operation.ifUnchanged?.base ?? []) : []
  return [...uids.values()].map((number) => ({
    uid: uid(number),
    base: base.find((message) => message.uid === number)?.flags ?? [],
    theirs: rows.findLast((row) => row.uid === number && row.flags !== null)?.flags ?? [],
  }))
}

/** Messages that a conditional STORE of the claim left alone (RFC 7162 §3.1.3). */
export function modifiedIn({ steps }: Claim, observations: readonly Observation[]): UidSet {
  const ids = steps.map(({ id }) => id)
  return observations.reduce(
    (all, item) => (item.kind === 'modified' && ids.includes(item.id) ? all.union(item.uids) : all),
    UidSet.EMPTY,
  )
}

function each(member: ClaimMember, uids: UidSet, settle: (targets: Targets) => void): void {
  const targets = sentUnder(member, uids)
  if (targets !== null) settle(targets)
}
