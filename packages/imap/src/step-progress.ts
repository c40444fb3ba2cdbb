/** How far a step of a plan has come, and what its answers make of it. */

import { can, type Done, type Outcome, type Rejection, type ServerProfile, type Step } from '@tidemail/core'
import type { TaggedResponse } from './response.ts'
import { showable } from './server-text.ts'

/** A step on its way. */
export interface Progress {
  readonly step: Step
  commandsSent: number
  /** Commands that wait for their tagged reply, or to be sent. */
  commandsLeft: number
  rejection: Rejection | null
  /** Whether a command of it was sent and the connection ended before the answer. */
  isLost: boolean
  /** Sent behind an `open` whose answer had not come: the mailbox is compared when it has. */
  isUnverified: boolean
  isStale: boolean
  done: Done | null
}

export function progressOf(step: Step): Progress {
  return {
    step,
    commandsSent: 0,
    commandsLeft: 0,
    rejection: null,
    isLost: false,
    isUnverified: false,
    isStale: false,
    done: null,
  }
}

export function outcomeOf(progress: Progress): Outcome {
  if (progress.isStale) return 'stale'
  if (progress.rejection !== null) return 'rejected'
  return progress.isLost ? 'unknown' : 'ok'
}

export function rejectionOf({ status, code, text }: TaggedResponse): Rejection {
  return { status: status === 'BAD' ? 'BAD' : 'NO', code: code?.name ?? null, text: showable(text) }
}

/** Whether the answers to the two could not be told apart if both were in flight. */
export function isConfusable(step: Step, other: Step, server: ServerProfile): boolean {
  if (step.kind === 'search') return other.kind === 'search' && !can(server, 'ESEARCH')
  if (step.kind !== 'copy' && step.kind !== 'move') return false
  return (other.kind === 'copy' || other.kind === 'move') && !other.uids.intersect(step.uids).isEmpty
}

/** Whether much may come in answer to the step, or go with it. */
export function isTransfer({ kind }: Step): boolean {
  return ['list', 'open', 'search', 'fetch', 'fetch-body', 'append', 'replace'].includes(kind)
}
