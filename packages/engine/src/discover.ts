/** Looks at the whole account: which mailboxes there are, and which of them may differ from the store. */

import { boxEpoch, type MailboxRecord, mailboxId, type Observation, type Step, SyncError, type Write } from '@tidemail/core'
import { isGone, planAccount, planList, planStatus, planVisits, statusesSeen, type Visit } from '@tidemail/planner'
import { changeLog } from './change-log.ts'
import type { Work } from './work.ts'

export interface Discovery {
  readonly seen: readonly Observation[]
  readonly visits: readonly Visit[]
}

/** LIST (and STATUS where LIST does not tell), compared with the store; mailboxes that came or went are written at once. */
export async function discover(work: Work): Promise<Discovery> {
  work.options.onPhase('listing')
  const { seen, rejected } = await lookAtAccount(work)
  for (const [path, { messages }] of statusesSeen(seen)) work.messagesOnServer.set(path, messages ?? 0)
  const plan = planAccount([...work.mailboxes.values()], seen, rejected)
  const writes: Write[] = plan.altered.map((mailbox) => ({ kind: 'put-mailbox', mailbox }))
  for (const mailbox of plan.created) {
    const { id, box } = await work.options.store.planning.allocateMailbox()
    writes.push({ kind: 'put-mailbox', mailbox: newMailbox(work, mailbox, id, box) })
  }
  await work.commit('take in which mailboxes there are', writes)
  for (const mailbox of plan.removed) await removeMailbox(work, mailbox)
  for (const mailbox of plan.altered) if (!mailbox.isSelectable && mailbox.checkpoint !== null) await emptyMailbox(work, mailbox)
  const wanted = [...work.mailboxes.values()].filter((mailbox) => work.isWanted(mailbox))
  assertAllThere(work)
  work.options.tally.mailboxesChecked = wanted.length
  return { seen, visits: planVisits(wanted, seen, work.options.session.server) }
}

/** Mailboxes that a hint names. */
const MAILBOXES_NAMED_MAX = 12

function assertAllThere(work: Work): void {
  const paths = [...work.mailboxes.values()].map((mailbox) => mailbox.path)
  const missing = [...(work.options.only ?? [])].find((path) => !paths.includes(path))
  if (missing === undefined) return
  const more = paths.length > MAILBOXES_NAMED_MAX ? ', ...' : ''
  throw new SyncError('input.unknown-mailbox', `There is no mailbox "${missing}".`, {
    hint: `The mailboxes are ${paths.slice(0, MAILBOXES_NAMED_MAX).join(', ')}${more}.`,
  })
}

/** What LIST and STATUS answered, and what was asked. */
export interface AccountLook {
  readonly seen: readonly Observation[]
  readonly asked: readonly Step[]
  /** Mailboxes that the server, asked for their STATUS, said not to have. */
  readonly rejected: ReadonlySet<string>
}

/** Asks the server only, and writes nothing. */
export async function lookAtAccount(work: Work): Promise<AccountLook> {
  const list = planList(work.options.session.server, { isMailboxOpen: work.options.selection.isOpen }, work.name)
  const listed = await work.run(list)
  work.assertAlive()
  if (!listed.every((item) => item.kind !== 'done' || item.outcome === 'ok' || item.id !== list.at(-1)?.id)) {
    throw new SyncError('remote.protocol', 'The server refused to list the mailboxes.')
  }
  const more = planStatus([...work.mailboxes.values()], listed, work.name)
  const told = await work.run(more)
  work.assertAlive()
  const refusedIds = new Set(told.flatMap((item) => (item.kind === 'done' && isGone(item.rejection) ? [item.id] : [])))
  const rejected = more.flatMap((step) => (step.kind === 'status' && refusedIds.has(step.id) ? [step.path] : []))
  return { seen: [...listed, ...told], rejected: new Set(rejected), asked: [...list, ...more] }
}

/** The mailbox goes; what the user made for it stays, and is shown (I-STORE-2). */
async function removeMailbox(work: Work, mailbox: MailboxRecord): Promise<void> {
  const mailboxes = new Map([...work.mailboxes].filter(([id]) => id !== mailbox.id))
  await changeLog(work, {
    reason: `${mailbox.path} is gone from the server`,
    mailboxes,
    writes: [{ kind: 'remove-mailbox', mailboxId: mailbox.id }],
  })
}

/** A mailbox that became a mere container of others holds no messages any more. */
async function emptyMailbox(work: Work, mailbox: MailboxRecord): Promise<void> {
  const { box } = await work.options.store.planning.allocateMailbox()
  const emptied = { ...mailbox, box, uidValidity: null, checkpoint: null, partsHeldFor: null }
  await changeLog(work, {
    reason: `${mailbox.path} can not be selected any more`,
    mailboxes: new Map([...work.mailboxes, [mailbox.id, emptied]]),
    writes: [{ kind: 'put-mailbox', mailbox: emptied }],
  })
}

function newMailbox(
  work: Work,
  seen: Pick<MailboxRecord, 'path' | 'delimiter' | 'role' | 'isSelectable' | 'isSubscribed'>,
  id: number,
  box: number,
): MailboxRecord {
  const { path, delimiter, role, isSelectable, isSubscribed } = seen
  return {
    id: mailboxId(id),
    box: boxEpoch(box),
    accountId: work.options.accountId,
    path,
    delimiter,
    role,
    isSelectable,
    isSubscribed,
    objectId: null,
    uidValidity: null,
    checkpoint: null,
    permanentFlags: [],
    isReadOnly: false,
    partsHeldFor: null,
    tierLimit: null,
  }
}
