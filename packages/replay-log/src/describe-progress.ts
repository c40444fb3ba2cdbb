/** Says in words where an operation stands and what became of it. What came from the server is as it came: not made harmless for a terminal. */

import { assertNever, type Flag, normaliseFlags, type Rejection, type Targets, type UidPairs } from '@tidemail/core'
import type { Evidence, FlagConflict, Progress, Settlement } from './entry.ts'
import { isOnMailbox, type Operation } from './operation.ts'

/** `12,15:20`, `local:3,local:5`. */
export function describeTargets(targets: Targets): string {
  if (targets.kind === 'stored') return targets.uids.toString()
  return targets.locals.ranges
    .map(({ first, last }) => (first === last ? `local:${first}` : `local:${first} to local:${last}`))
    .join(',')
}

/** `queued: 12,15:20`; of an operation on a mailbox, which has no messages, the state alone. */
export function describeProgress({ state, targets, parkedFor }: Progress, operation: Operation): string {
  return `${state}${parkedFor === null ? '' : ` (${parkedFor})`}${ofMessages(targets, operation)}`
}

/** `2 was \Answered when you changed it; now it is \Seen $Work`. */
export function describeConflict({ uid, base, theirs }: FlagConflict): string {
  const list = (flags: readonly Flag[]): string => (flags.length === 0 ? 'without flags' : normaliseFlags(flags).join(' '))
  return `${uid} was ${list(base)} when you changed it; now it is ${list(theirs)}`
}

export function describeSettlement({ outcome, targets, evidence }: Settlement, operation: Operation): string {
  return `${outcome}${ofMessages(targets, operation)}; ${evidenceText(evidence)}`
}

function ofMessages(targets: Targets, operation: Operation): string {
  return isOnMailbox(operation) ? '' : `: ${describeTargets(targets)}`
}

function evidenceText(evidence: Evidence): string {
  switch (evidence.kind) {
    case 'append-uid':
      return `the server named it UID ${evidence.uid} in ${evidence.target.path} (APPENDUID)`
    case 'copy-uid':
      return `the server named the new UIDs in ${evidence.target.path}: ${pairsText(evidence.pairs)} (COPYUID)`
    case 'flags-seen':
      return 'the server stated the flags'
    case 'tagged-ok':
      return 'the server answered OK'
    case 'vanished':
      return `the server said that ${evidence.uids} are gone (VANISHED)`
    case 'probe':
      return `the answer was lost; looked for it: ${evidence.verdict}${evidence.found.length === 0 ? '' : `, UID ${evidence.found.join(',')}`}`
    case 'rejection':
      return rejectionText(evidence.rejection)
    case 'listed':
      return 'the server lists the mailboxes so'
    case 'submitted':
      return `the submission server took it: ${evidence.text}`
    case 'nothing-sent':
      return 'nothing was sent'
    case 'user-decision':
      return 'the user decided'
    case 'mailbox-changed':
      return 'the mailbox was replaced or removed on the server'
    default:
      return assertNever(evidence)
  }
}

function rejectionText({ status, code, text }: Rejection): string {
  return `the server refused: ${status}${code === null ? '' : ` [${code}]`} ${text}`
}

function pairsText({ ranges }: UidPairs): string {
  return ranges.map(({ from, to, length }) => `${span(from, length)} became ${span(to, length)}`).join(', ')
}

function span(first: number, length: number): string {
  return length === 1 ? String(first) : `${first}:${first + length - 1}`
}
