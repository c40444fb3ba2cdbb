/** Says a step of a plan in a few words, with what it is about. */

import { assertNever } from './errors.ts'
import type { Step } from './step.ts'

/** `move 3:5 to Archive`. */
export function describeStep(step: Step): string {
  switch (step.kind) {
    case 'list':
      return step.withStatus ? 'list mailboxes with their status' : 'list mailboxes'
    case 'namespaces':
      return 'ask which mailboxes are whose'
    case 'status':
      return `ask for the status of ${step.path}`
    case 'open':
      return `${step.access} ${step.path}${step.known === undefined ? '' : `, changes since ${step.known.modSeq}`}`
    case 'leave':
      return 'leave the mailbox'
    case 'search':
      if (step.since !== undefined) return `search which of ${step.uids} are of the days that are held`
      return step.only === 'deleted' ? `search which of ${step.uids} are marked \\Deleted` : `search which of ${step.uids} exist`
    case 'fetch':
      return `fetch ${step.items} of ${step.uids}${step.changedSince === undefined ? '' : ` changed since ${step.changedSince.modSeq}`}`
    case 'fetch-body':
      return `fetch ${step.parts.length} ${step.parts.length === 1 ? 'part' : 'parts'}`
    case 'store':
      return `${step.direction} ${step.flags.join(' ')} on ${step.uids}`
    case 'copy':
      return `copy ${step.uids} to ${step.target}`
    case 'move':
      return `move ${step.uids} to ${step.target}`
    case 'expunge':
      return `expunge ${step.uids}`
    case 'expunge-all':
      return 'expunge all that is marked \\Deleted'
    case 'append':
      return `append ${step.messages.length} ${step.messages.length === 1 ? 'message' : 'messages'} to ${step.target}`
    case 'replace':
      return `replace ${step.uid} in ${step.target}`
    case 'create':
    case 'delete':
    case 'subscribe':
    case 'unsubscribe':
      return `${step.kind} ${step.path}`
    case 'rename':
      return `rename ${step.path} to ${step.to}`
    default:
      return assertNever(step)
  }
}
