/** Looks at the whole account: which mailboxes there are, and which of them may differ from the store. */

import {
  boxEpoch,
  type Done,
  type MailboxRecord,
  mailboxId,
  type Observation,
  type Rejection,
  type Step,
  SyncError,
  UidSet,
  type Write,
} from '@tidemail/core'
import {
  isAtOrBelow,
  isGone,
  namespacesLearnt,
  planAccount,
  planList,
  planStatus,
  planVisits,
  restingPaths,
  settleListed,
  statusesSeen,
  type Visit,
  withNamespace,
} from '@tidemail/planner'
import { isOnMailbox } from '@tidemail/replay-log'
import { changeLog, replayState } from './change-log.ts'
import { followRenames } from './follow-renames.ts'
import { followSubscriptions } from './follow-subscriptions.ts'
import { mayLose } from './guard-deletions.ts'
import { type MailboxSighting, mailboxNeverOpened } from './mailbox-never-opened.ts'
import { rehome } from './rehome.ts'
import { rememberNames } from './server-memory.ts'
import type { Work } from './work.ts'

export interface Discovery {
  readonly seen: readonly Observation[]
  readonly visits: readonly Visit[]
}

/** LIST (and STATUS where LIST does not tell), compared with the store; mailboxes that came or went are written at once. */
export async function discover(work: Work): Promise<Discovery> {
  work.options.onPhase('listing')
  const { asked, seen, rejected } = await lookAtAccount(work)
  await learnNames(work, asked, seen)
  for (const [path, { messages }] of statusesSeen(seen)) work.messagesOnServer.set(path, messages ?? 0)
  const before = new Map(work.mailboxes)
  const isResting = await settleWhatIsListed(work, seen, rejected)
  const steady = (): MailboxRecord[] => [...work.mailboxes.values()].filter((mailbox) => !isResting(mailbox))
  const named = seen.filter((item) => item.kind !== 'mailbox' || !isResting(item))
  // Who renamed a mailbox elsewhere saw to its subscription: what is followed here is not a rename of ours.
  for (const { mailbox, path } of await followRenames(work, { records: steady(), seen: named, rejected }))
    before.set(mailbox.id, { ...mailbox, path })
  const records = steady()
  const plan = planAccount(records, named, rejected, work.server.namespaces)
  const writes: Write[] = plan.altered.map((mailbox) => ({ kind: 'put-mailbox', mailbox }))
  for (const mailbox of plan.created) {
    const { id, box } = await work.options.store.planning.allocateMailbox()
    writes.push({ kind: 'put-mailbox', mailbox: listedMailbox(work, mailbox, id, box) })
  }
  await work.commit('take in which mailboxes there are', writes)
  await followSubscriptions(work, before)
  const kept = plan.removed.filter((mailbox) => !mayLose(work, mailbox, mailbox.checkpoint?.known ?? UidSet.EMPTY))
  for (const mailbox of plan.removed) if (!kept.includes(mailbox)) await removeMailbox(work, mailbox)
  for (const mailbox of plan.altered) if (!mailbox.isSelectable && mailbox.checkpoint !== null) await emptyMailbox(work, mailbox)
  await rehome(work)
  const wanted = [...work.mailboxes.values()].filter(
    (mailbox) => mailbox.isOnServer && work.isWanted(mailbox) && !kept.some(({ id }) => id === mailbox.id),
  )
  assertAllThere(work)
  work.options.tally.mailboxesChecked = wanted.length
  return { seen, visits: planVisits(wanted, seen, work.server) }
}

/**
 * What the user asked for of mailboxes and LIST shows to be done is settled. Answers whether a name is one of which that cannot be told yet: a step that
 * gives or takes it has no answer, so that it may come and go any moment (H-7).
 */
async function settleWhatIsListed(
  work: Work,
  seen: readonly Observation[],
  gone: ReadonlySet<string>,
): Promise<(mailbox: Pick<MailboxRecord, 'path' | 'delimiter'>) => boolean> {
  const { entries, claims } = await replayState(work)
  const resting = restingPaths(claims)
  const rows = seen.filter((item) => item.kind === 'mailbox')
  const listed = new Set(rows.map(({ path }) => path))
  const selectable = new Set(rows.filter(({ isSelectable }) => isSelectable).map(({ path }) => path))
  if (entries.some(({ operation }) => isOnMailbox(operation))) {
    await changeLog(work, {
      reason: 'settle what the server lists as it was asked for',
      decide: (ledger) => settleListed({ listed, selectable, gone }, ledger),
    })
  }
  return (mailbox) => isAtOrBelow(mailbox, resting)
}

/** What the server told of its namespaces, and how it writes names, is kept with the account: the next session knows it before it asks. */
async function learnNames(work: Work, asked: readonly Step[], seen: readonly Observation[]): Promise<void> {
  const { accountId, clock, session, store } = work.options
  const namespaces = namespacesLearnt(asked, seen, clock.now())
  const { oddNames } = session.server
  const isSpelledAnew = oddNames !== undefined && JSON.stringify(oddNames) !== JSON.stringify(work.server.oddNames)
  if (namespaces === null && !isSpelledAnew) return
  const learnt = { ...(namespaces === null ? {} : { namespaces }), ...(isSpelledAnew ? { oddNames } : {}) }
  work.server = { ...work.server, ...learnt }
  await rememberNames({ accountId, store }, learnt)
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
  const list = planList(work.server, { isMailboxOpen: work.options.selection.isOpen }, work.name)
  const listed = await work.run(list)
  work.assertAlive()
  const ending = listed.find((item): item is Done => item.kind === 'done' && item.id === list.at(-1)?.id)
  if (ending?.outcome !== 'ok') throw refusedToList(ending?.rejection ?? null)
  const more = planStatus([...work.mailboxes.values()], listed, work.name)
  const told = await work.run(more)
  work.assertAlive()
  const refusedIds = new Set(told.flatMap((item) => (item.kind === 'done' && isGone(item.rejection) ? [item.id] : [])))
  const rejected = more.flatMap((step) => (step.kind === 'status' && refusedIds.has(step.id) ? [step.path] : []))
  return { seen: [...listed, ...told], rejected: new Set(rejected), asked: [...list, ...more] }
}

const ACCESS_CODES: readonly string[] = ['NOPERM', 'AUTHORIZATIONFAILED', 'EXPIRED', 'CONTACTADMIN', 'PRIVACYREQUIRED']

/** LIST is never wrong to ask: who refuses it will be asked again later, unless the account may not, or the server does not understand. */
function refusedToList(rejection: Rejection | null): SyncError {
  const message = `The server refused to list the mailboxes: ${rejection?.text || 'it gave no reason'}`
  if (rejection?.status === 'BAD') return new SyncError('remote.protocol', message)
  const isForbidden = ACCESS_CODES.includes(rejection?.code ?? '')
  return new SyncError(isForbidden ? 'remote.auth-rejected' : 'remote.try-later', message)
}

/** The mailbox goes; what the user made for it stays, and is shown (I-STORE-2). */
async function removeMailbox(work: Work, mailbox: MailboxRecord): Promise<void> {
  await changeLog(work, {
    reason: `${mailbox.path} is gone from the server`,
    mailboxes: (now) => new Map([...now].filter(([id]) => id !== mailbox.id)),
    writes: [{ kind: 'remove-mailbox', mailboxId: mailbox.id }],
  })
}

/** A mailbox that became a mere container of others holds no messages any more. */
async function emptyMailbox(work: Work, mailbox: MailboxRecord): Promise<void> {
  const { box } = await work.options.store.planning.allocateMailbox()
  const emptied = { ...mailbox, box, formerBox: null, uidValidity: null, checkpoint: null, partsHeldFor: null }
  await changeLog(work, {
    reason: `${mailbox.path} can not be selected any more`,
    mailboxes: (now) => new Map([...now, [mailbox.id, emptied]]),
    writes: [{ kind: 'put-mailbox', mailbox: emptied }],
  })
}

/** The record of a mailbox that LIST told of. */
export function listedMailbox(
  work: Work,
  { path, delimiter, role, isSelectable, isSubscribed }: Omit<MailboxSighting, 'id' | 'box' | 'accountId' | 'isOnServer'>,
  id: number,
  box: number,
): MailboxRecord {
  const place = { id: mailboxId(id), box: boxEpoch(box), accountId: work.options.accountId, isOnServer: true }
  const mailbox = mailboxNeverOpened({ ...place, path, delimiter, role, isSelectable, isSubscribed })
  return withNamespace(mailbox, work.server.namespaces)
}
