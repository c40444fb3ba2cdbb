/** Names the mailboxes of a claim as they are called now: others may have renamed them since it was sent. */

import type { MailboxId, MailboxRecord, MutatingStep } from '@tidemail/core'
import type { Claim } from '@tidemail/replay-log'

/** What is followed keeps its box; a mailbox with another is not the one that the claim was about. */
export function underCurrentNames(claim: Claim, mailboxes: ReadonlyMap<MailboxId, MailboxRecord>): Claim {
  const { fence, members } = claim
  const target = fence === null ? undefined : mailboxes.get(fence.mailboxId)
  const [targets] = members.map((member) => member.targets)
  const source = targets === undefined ? undefined : mailboxes.get(targets.mailboxId)
  const isSource = targets?.kind === 'stored' && source?.box === targets.box
  const path = isSource ? source?.path : undefined
  return {
    ...claim,
    fence: fence !== null && target?.box === fence.box ? { ...fence, path: target.path } : fence,
    steps: path === undefined ? claim.steps : claim.steps.map((step) => onMailbox(step, path)),
  }
}

function onMailbox<Step extends MutatingStep>(step: Step, path: string): Step {
  return 'mailbox' in step ? { ...step, mailbox: { ...step.mailbox, path } } : step
}
