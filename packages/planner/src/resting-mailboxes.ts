/** Says which mailboxes no mutating step may touch yet: a claim on them has no answer (H-7). */

import type { MailboxId, MailboxRecord, MailboxStep, MutatingStep } from '@tidemail/core'
import type { Claim } from '@tidemail/replay-log'

/** Those that a claim names (what is with a submission server keeps no mailbox), and, where a mailbox is being renamed or deleted, what is below it. */
export function mailboxesWithOpenClaims({
  claims,
  mailboxes,
}: {
  readonly claims: readonly Claim[]
  readonly mailboxes: ReadonlyMap<MailboxId, MailboxRecord>
}): Set<MailboxId> {
  const named = claims
    .filter(({ submission }) => submission === undefined)
    .flatMap((claim) => [
      ...claim.members.map((member) => member.targets.mailboxId),
      ...(claim.fence === null ? [] : [claim.fence.mailboxId]),
      ...(claim.unmarks === undefined ? [] : [claim.unmarks]),
    ])
  const paths = restingPaths(claims)
  const below = [...mailboxes.values()].filter((mailbox) => isAtOrBelow(mailbox, paths)).map(({ id }) => id)
  return new Set([...named, ...below])
}

/** The names that steps on mailboxes without an answer give and take: what LIST says of these, and of names below them, may change any moment. */
export function restingPaths(claims: readonly Claim[]): readonly string[] {
  return claims
    .flatMap(({ steps }) => steps.filter(isMailboxStep))
    .flatMap((step) => (step.kind === 'rename' ? [step.path, step.to] : [step.path]))
}

/** Whether the mailbox has one of these names, or one below them. */
export function isAtOrBelow(
  { path, delimiter }: { readonly path: string; readonly delimiter: string | null },
  paths: readonly string[],
): boolean {
  return paths.some((other) => path === other || (delimiter !== null && path.startsWith(other + delimiter)))
}

/** Whether the step is on a mailbox as such. */
export function isMailboxStep(step: MutatingStep): step is MailboxStep {
  return 'path' in step
}
