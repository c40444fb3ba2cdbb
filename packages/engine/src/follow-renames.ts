/** Follows mailboxes that others renamed: the record keeps its number, its box, its rows and what is queued for it, and gets the new name. */

import type { Observation, Step } from '@tidemail/core'
import { type AccountSeen, planIdentityLook, planRenames, type Rename, type RenamePlan } from '@tidemail/planner'
import { changeLog } from './change-log.ts'
import type { Work } from './work.ts'

/** What there is to follow, and what was asked to know it; writes nothing. */
export async function lookForRenames(
  work: Work,
  account: AccountSeen,
): Promise<{ readonly plan: RenamePlan; readonly asked: readonly Step[] }> {
  const asked = planIdentityLook(account, work.server, work.name)
  const answers: readonly Observation[] = await work.run(asked)
  work.assertAlive()
  return { plan: planRenames({ ...account, seen: [...account.seen, ...answers] }), asked }
}

/** Names are exchanged in one transaction: at no time do two mailboxes have the same. */
export async function followRenames(work: Work, account: AccountSeen): Promise<readonly Rename[]> {
  const { plan } = await lookForRenames(work, account)
  if (plan.renames.length === 0) return []
  await changeLog(work, {
    reason: `follow ${plan.renames.map(({ mailbox, path }) => `${mailbox.path} to ${path}`).join(', ')}`,
    decide: (ledger) => {
      for (const { id } of plan.replaced) ledger.server.remove(id)
      for (const { mailbox, path } of plan.renames) {
        const now = ledger.server.mailbox(mailbox.id)
        if (now !== undefined) ledger.server.put({ ...now, path })
      }
    },
  })
  for (const rename of plan.renames) tell(work, rename)
  return plan.renames
}

function tell(work: Work, { mailbox, path, by }: Rename): void {
  if (by === 'guess') {
    work.options.tally.renamesGuessed.push({ from: mailbox.path, to: path })
    const sentence = `${mailbox.path} is taken to be ${path} now: the server shows the same state there, and no MAILBOXID that would prove it.`
    work.options.log({ level: 'info', event: 'mailbox.renamed-guess', sentence })
  } else
    work.options.log({ level: 'info', event: 'mailbox.renamed', sentence: `${mailbox.path} was renamed to ${path} elsewhere.` })
}
