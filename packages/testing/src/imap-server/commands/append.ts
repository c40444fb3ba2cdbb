/** APPEND, many at once too, and REPLACE (RFC 9051 §6.3.12, RFC 3502, RFC 8508). */

import { UidSet } from '@tidemail/core'
import type { ModelAppended } from '../../model/account.ts'
import type { NewMessage } from '../../model/message.ts'
import { BadCommand } from '../bad-command.ts'
import type { Arguments } from '../command-syntax.ts'
import { namedUids } from '../named-messages.ts'
import { writeNews } from '../news.ts'
import type { CommandFamily } from '../reply.ts'
import { type CommandRule, type Invocation, no, ok, type Reply, refused } from '../reply.ts'
import { parseDateTime } from '../response-syntax.ts'
import type { Session } from '../session.ts'
import { readFlagTokens } from './store.ts'

function append({ session, args }: Invocation): Reply {
  const path = args.mailbox()
  const messages = [readMessage(session, args)]
  while (!args.isEmpty) {
    if (!session.can('MULTIAPPEND')) throw new BadCommand('Too many arguments')
    messages.push(readMessage(session, args))
  }
  // An empty literal takes the append back (RFC 3502 §6.3.11).
  if (messages.some(({ bytes }) => bytes.length === 0)) return no('Append aborted')
  const appended = session.user.append(path, messages)
  if (appended.kind === 'refused') return refused(appended)
  return ok('Append completed', appendUid(session, appended))
}

/** Puts the new message in, and only then takes the old one out, as one (RFC 8508 §3). */
function replace({ session, args, isUid }: Invocation): Reply {
  const { open } = session
  const uids = namedUids(open, args.atom(), { isUid })
  const path = args.mailbox()
  const message = readMessage(session, args)
  args.end()
  if (open.isReadOnly) return no('Mailbox is read-only')
  if (open.mailbox.select(uids).length !== 1) return no('No such message')
  const appended = session.user.append(path, [message])
  if (appended.kind === 'refused') return refused(appended)
  const code = appendUid(session, appended)
  if (code !== null) session.untagged(`OK [${code}] Replacement message ready`)
  open.mailbox.remove(uids)
  writeNews(session, { withExpunges: true, withUids: isUid })
  return ok('Replace completed', session.enabled.has('QRESYNC') ? `HIGHESTMODSEQ ${open.mailbox.highestModSeq}` : null)
}

function readMessage(session: Session, args: Arguments): NewMessage {
  const flags = readFlagTokens(args.optionalList() ?? [])
  const date = args.peek()?.kind === 'quoted' ? parseDateTime(args.text()) : Math.floor(session.host.now() / 1000) * 1000
  if (date === null) throw new BadCommand('Invalid internal date')
  const literal = args.take()
  if (literal.kind !== 'literal') throw new BadCommand('Missing message')
  return { flags, internalDate: date, bytes: withLineEnds(literal.octets) }
}

/** A bare LF becomes CRLF, as Dovecot stores and counts it. */
function withLineEnds(octets: Uint8Array): Uint8Array {
  const isBare = (octet: number, i: number): boolean => octet === 10 && octets[i - 1] !== 13
  if (!octets.some(isBare)) return octets
  return Buffer.from(Buffer.from(octets).toString('latin1').replace(/\r?\n/g, '\r\n'), 'latin1')
}

function appendUid(session: Session, { target, messages }: ModelAppended): string | null {
  return session.can('UIDPLUS') ? `APPENDUID ${target.uidValidity} ${UidSet.from(messages.map(({ uid }) => uid))}` : null
}

const appendRule: CommandRule = { states: ['authenticated', 'selected'], run: append }
const replaceRule: CommandRule = { states: ['selected'], run: replace }

export const APPEND_COMMANDS: CommandFamily = {
  plain: { APPEND: appendRule, REPLACE: replaceRule },
  byUid: { REPLACE: replaceRule },
}
