/** Does what the policy says with what was to go into a mailbox that is gone (RFC 9051 §7.1, TRYCREATE): make it again, use another, skip it, or leave it to the user. */

import { numbersOf } from '@tidemail/core'
import {
  acceptOperation,
  copiedOf,
  destinationOf,
  type Entry,
  followLocals,
  isOnMessages,
  type MailboxName,
  retargetEntry,
} from '@tidemail/replay-log'
import { changeLog, replayState } from './change-log.ts'
import { delimiterOf, newMailbox, shownMailboxes } from './mailbox-requests.ts'
import type { Work } from './work.ts'

/** Only what is parked because its destination is gone; where its messages are must be there still. */
export async function rehome(work: Work): Promise<void> {
  const { missingMailbox } = work.options.policy
  if (missingMailbox === 'park') return
  const { entries } = await replayState(work)
  for (const entry of entries.filter((candidate) => isHomeless(candidate, work))) {
    if (missingMailbox === 'skip') await skip(work, entry)
    else {
      const home = missingMailbox === 'create' ? await remade(work, entry) : await mailboxNamed(work, missingMailbox.other)
      if (home !== null) await send(work, entry, home)
    }
  }
}

/** Of a move whose copy was made, and went with the mailbox, the original is all that is left: what becomes of it is for the user. */
function isHomeless(entry: Entry, { mailboxes }: Work): boolean {
  const { operation, progress } = entry
  const to = destinationOf(operation)
  if (to === null || mailboxes.has(to) || progress.length === 0) return false
  return progress.every(
    (group) =>
      group.parkedFor === 'mailbox-gone' &&
      (group.targets.mailboxId === to || mailboxes.has(group.targets.mailboxId)) &&
      numbersOf(copiedOf(entry, group)).isEmpty,
  )
}

/** Messages stay where they are. What the user made is in no mailbox yet, so that it stays parked and shown (I-STORE-2). */
async function skip(work: Work, { seq, operation, progress }: Entry): Promise<void> {
  if (!isOnMessages(operation)) return
  await changeLog(work, {
    reason: 'skip what was to go into a mailbox that is gone',
    decide: (ledger) => {
      for (const { targets } of progress) ledger.settleGone(seq, targets, { kind: 'mailbox-changed' })
    },
  })
}

/** The mailbox of the name that the lost one had, made again where there is none. */
async function remade(work: Work, { operation }: Entry): Promise<MailboxName | null> {
  const to = destinationOf(operation)
  const path = ('names' in operation ? operation.names : undefined)?.find(({ id }) => id === to)?.path
  if (path === undefined) return null
  const there = await mailboxNamed(work, path)
  if (there !== null) return there
  const { accountId, clock, store } = work.options
  const mailbox = await newMailbox({ accountId, store }, path, delimiterOf([...work.mailboxes.values()]))
  await store.accept({
    accountId,
    targets: [],
    bodies: [],
    mailbox,
    build: (context) =>
      acceptOperation({ kind: 'create-mailbox', mailboxId: mailbox.id, path }, context, { accountId, now: clock.now() }),
  })
  await work.loadNewMailboxes()
  return { id: mailbox.id, path }
}

/** As the app sees the mailboxes: what the user deleted is not there, though the server may still have it. */
async function mailboxNamed({ options }: Work, path: string): Promise<MailboxName | null> {
  const found = (await shownMailboxes(options)).find((mailbox) => mailbox.path === path && mailbox.isSelectable)
  return found === undefined ? null : { id: found.id, path }
}

/** What names the messages that come with it, as they will be there, follows. */
async function send(work: Work, { seq }: Entry, home: MailboxName): Promise<void> {
  await changeLog(work, {
    reason: `send to ${home.path} what was to go into a mailbox that is gone`,
    decide: (ledger) => {
      const entry = ledger.open.find((candidate) => candidate.seq === seq)
      const result = entry === undefined ? null : retargetEntry(entry, home)
      if (result?.kind !== 'retargeted') return
      ledger.update(seq, () => result.entry)
      for (const other of ledger.open) ledger.update(other.seq, () => followLocals(other, result.locals, home.id))
    },
  })
}
