/** Reads which items STATUS asks for, and writes the STATUS response (RFC 9051 §6.3.11, RFC 7162 §3.1.7, RFC 8438, RFC 8474). */

import type { Extension } from '../model/extensions.ts'
import type { ModelMailbox } from '../model/mailbox.ts'
import { BadCommand } from './bad-command.ts'
import { type Token, wordsOf } from './command-syntax.ts'
import { mailboxName } from './response-syntax.ts'
import type { Session } from './session.ts'

/** The items, in the order in which Dovecot answers them, with the extension that brings each. */
const ITEMS: readonly (readonly [name: string, extension: Extension | null])[] = [
  ['MESSAGES', null],
  ['RECENT', null],
  ['UIDNEXT', null],
  ['UIDVALIDITY', null],
  ['UNSEEN', null],
  ['HIGHESTMODSEQ', 'CONDSTORE'],
  ['SIZE', 'STATUS=SIZE'],
  ['MAILBOXID', 'OBJECTID'],
]

export function readStatusItems(session: Session, tokens: readonly Token[]): readonly string[] {
  const wanted = wordsOf(tokens)
  if (wanted.length === 0) throw new BadCommand('Empty status list')
  for (const name of wanted) {
    const item = ITEMS.find(([known]) => known === name)
    if (item === undefined || (item[1] !== null && !session.can(item[1]))) throw new BadCommand(`Invalid status item ${name}`)
  }
  if (wanted.includes('HIGHESTMODSEQ')) session.enableCondstore()
  return ITEMS.map(([name]) => name).filter((name) => wanted.includes(name))
}

export function statusLine(mailbox: ModelMailbox, items: readonly string[]): string {
  const status = mailbox.status()
  const values: Readonly<Record<string, string>> = {
    MESSAGES: String(status.messages),
    RECENT: '0',
    UIDNEXT: String(status.uidNext),
    UIDVALIDITY: String(status.uidValidity),
    UNSEEN: String(status.unseen),
    HIGHESTMODSEQ: String(status.highestModSeq),
    SIZE: String(status.sizeOctets),
    MAILBOXID: `(${status.objectId})`,
  }
  return `STATUS ${mailboxName(mailbox.path)} (${items.map((name) => `${name} ${values[name]}`).join(' ')})`
}
