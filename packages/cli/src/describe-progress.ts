/** Says in words where an operation stands and what became of it. */

import { assertNever, type Rejection, type Targets, type UidPairs } from '@tidemail/core'
import type { Entry, Receipt } from '@tidemail/engine'
import { visibleLine } from './visible-text.ts'

type Progress = Entry['progress'][number]
type Settlement = Receipt['outcomes'][number]
type Evidence = Settlement['evidence']

/** `12,15:20`, `local:3,local:5`. */
export function targetsText(targets: Targets): string {
  if (targets.kind === 'stored') return targets.uids.toString()
  return targets.locals.ranges
    .map(({ first, last }) => (first === last ? `local:${first}` : `local:${first} to local:${last}`))
    .join(',')
}

export function progressText({ state, targets, parkedFor }: Progress): string {
  return `${state}${parkedFor === null ? '' : ` (${parkedFor})`}: ${targetsText(targets)}`
}

export function settlementText({ outcome, targets, evidence }: Settlement): string {
  return `${outcome}: ${targetsText(targets)}; ${evidenceText(evidence)}`
}

function evidenceText(evidence: Evidence): string {
  switch (evidence.kind) {
    case 'append-uid':
      return `the server named it UID ${evidence.uid} in ${visibleLine(evidence.target.path)} (APPENDUID)`
    case 'copy-uid':
      return `the server named the new UIDs in ${visibleLine(evidence.target.path)}: ${pairsText(evidence.pairs)} (COPYUID)`
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
  return visibleLine(`the server refused: ${status}${code === null ? '' : ` [${code}]`} ${text}`)
}

function pairsText({ ranges }: UidPairs): string {
  return ranges.map(({ from, to, length }) => `${span(from, length)} became ${span(to, length)}`).join(', ')
}

function span(first: number, length: number): string {
  return length === 1 ? String(first) : `${first}:${first + length - 1}`
}
