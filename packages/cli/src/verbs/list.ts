/** `tidemail list`: the mailboxes with their counts, or the messages of one, as the store shows them. */

import type { MailboxView, PageCursor } from '@tidemail/core'
import { type Command, Option } from 'commander'
import { findMailbox } from '../find-mailbox.ts'
import { MESSAGE_HEADING, messageFields, messageLine } from '../message-fields.ts'
import { type OpenAccount, offline, openStore, useAccount } from '../open-account.ts'
import { wholeNumber } from '../parse-arguments.ts'
import { readSetup } from '../setup.ts'
import type { Choose, CommonOptions, VerbContext } from '../verb.ts'
import { visibleLine } from '../visible-text.ts'

/** Messages are read so many at a time. */
const PAGE_MESSAGES = 500

interface ListOptions extends CommonOptions {
  readonly limit?: number
}

export function declareList(program: Command, choose: Choose): void {
  program
    .command('list')
    .description('list the mailboxes, or the messages of one, newest first')
    .argument('[mailbox]', 'path, or a role such as \\Trash')
    .addOption(new Option('--limit <count>', 'list so many messages only').argParser(wholeNumber({ max: 999_999_999 })))
    .action((mailbox: string | undefined, options: ListOptions) => {
      choose(options, async (context) => {
        const { directory, options: named } = await readSetup(context)
        const store = await openStore(directory, 'existing', context.signal)
        await useAccount(store, offline(named), (account) =>
          mailbox === undefined
            ? listMailboxes(account, context)
            : listMessages(account, context, mailbox, options.limit ?? null),
        )
      })
    })
}

async function listMailboxes({ engine }: OpenAccount, { printer }: VerbContext): Promise<void> {
  const mailboxes = await engine.mailboxes()
  const lines = ['  TOTAL   UNREAD  MAILBOX', ...mailboxes.map(mailboxLine)]
  for (const [i, mailbox] of mailboxes.entries()) {
    const { path, role, namespace, total, unread, toFetch, leftOut, isSelectable, isSubscribed, isPending } = mailbox
    const counts = { total, unread, toFetch, leftOut }
    const event = { kind: 'mailbox', path, role, namespace, ...counts, isSelectable, isSubscribed, isPending }
    await printer.print(event, i === 0 ? lines.slice(0, 2) : (lines[i + 1] ?? null))
  }
  await printer.print({ kind: 'result', mailboxes: mailboxes.length }, mailboxes.length === 0 ? 'No mailboxes yet.' : null)
}

/** The user's own are not named as such. */
const NAMESPACE_NOTES: Readonly<Record<MailboxView['namespace'], string>> = {
  personal: '',
  'other-users': "  (another user's)",
  shared: '  (shared)',
}

function mailboxLine({ path, role, namespace, total, unread, toFetch, leftOut, isSelectable, isPending }: MailboxView): string {
  const counts = isSelectable ? [String(total), String(unread)] : ['-', '-']
  const notes = [
    role === null || role === 'inbox' ? '' : `  \\${role}`,
    NAMESPACE_NOTES[namespace],
    toFetch === 0 ? '' : `  (${toFetch} to fetch)`,
    leftOut === 0 ? '' : `  (${leftOut} older left out)`,
    isPending ? '  (change not sent yet)' : '',
  ]
  return `${counts.map((count) => count.padStart(7)).join('  ')}  ${visibleLine(path)}${notes.join('')}`
}

async function listMessages(
  { engine }: OpenAccount,
  { printer, signal }: VerbContext,
  name: string,
  limit: number | null,
): Promise<void> {
  const { id, path } = findMailbox(await engine.mailboxes(), name)
  let listed = 0
  let after: PageCursor | null = null
  do {
    signal.throwIfAborted()
    const wanted = Math.min(PAGE_MESSAGES, (limit ?? Number.POSITIVE_INFINITY) - listed)
    const page = await engine.page({ mailboxId: id, limit: wanted, ...(after === null ? {} : { after }) })
    for (const message of page.messages) {
      const line = messageLine(message)
      await printer.print(messageFields(message), listed === 0 ? [MESSAGE_HEADING, line] : line)
      listed += 1
    }
    after = page.next
  } while (after !== null && (limit === null || listed < limit))
  await printer.print(
    { kind: 'result', mailbox: path, messages: listed },
    listed === 0 ? `No messages in ${visibleLine(path)}.` : null,
  )
}
