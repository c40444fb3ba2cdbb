/** STORE and UID STORE, with UNCHANGEDSINCE (RFC 9051 §6.4.6, RFC 7162 §3.1.3). */

import { UidSet } from '@tidemail/core'
import { BadCommand } from '../bad-command.ts'
import { Arguments, modSeqOf, type Token, textOf } from '../command-syntax.ts'
import { namedUids, writeSet } from '../named-messages.ts'
import { writeNews } from '../news.ts'
import type { CommandFamily } from '../reply.ts'
import { type CommandRule, type Invocation, ok, type Reply } from '../reply.ts'
import type { Session } from '../session.ts'

const DIRECTIONS = { '+': 'add', '-': 'remove', '': 'replace' } as const

function store({ session, args, isUid }: Invocation): Reply {
  const { open } = session
  const uids = namedUids(open, args.atom(), { isUid })
  const modifiers = args.optionalList()
  const match = /^([+-]?)FLAGS(\.SILENT)?$/.exec(args.atom().toUpperCase())
  if (match === null) throw new BadCommand('Invalid item')
  const flags = readFlags(args)
  const unchangedSince = modifiers === null ? null : readModifiers(session, modifiers)
  if (open.isReadOnly) return ok('Store ignored with read-only mailbox')
  const visible = UidSet.from(open.messages(uids).map(({ message }) => message.uid))
  const wellKnown = open.wellKnown(visible)
  const { changed, modified } = open.mailbox.store(visible, {
    direction: DIRECTIONS[match[1] as '+' | '-' | ''],
    flags,
    ...(unchangedSince === null ? {} : { unchangedSince }),
  })
  if (match[2] !== undefined) open.silence(UidSet.from(changed.map(({ uid }) => uid)).intersect(wellKnown))
  // Like Dovecot, the result comes before what others expunged.
  writeNews(session, { withExpunges: false, withUids: isUid })
  if (modified.isEmpty) return ok('Store completed')
  return ok('Conditional store failed', `MODIFIED ${writeSet(open, modified, { isUid })}`)
}

function readModifiers(session: Session, modifiers: readonly Token[]): bigint {
  const args = new Arguments(modifiers)
  if (args.atom().toUpperCase() !== 'UNCHANGEDSINCE' || !session.can('CONDSTORE')) throw new BadCommand('Unknown STORE modifier')
  const modSeq = modSeqOf(args.atom())
  args.end()
  session.enableCondstore()
  return modSeq
}

/** A list of flags, with or without parentheses. */
function readFlags(args: Arguments): string[] {
  const tokens = args.optionalList() ?? args.rest()
  args.end()
  return readFlagTokens(tokens)
}

/** Flags as STORE and APPEND take them. */
export function readFlagTokens(tokens: readonly Token[]): string[] {
  return tokens.map((token) => {
    const flag = textOf(token)
    if (token.kind !== 'atom' || !/^\\?[^\s(){}%*"\\\]]+$/.test(flag)) throw new BadCommand('Invalid flag')
    if (!flag.startsWith('\\')) return flag
    const system = ['\\Seen', '\\Answered', '\\Flagged', '\\Deleted', '\\Draft'].find(
      (known) => known.toLowerCase() === flag.toLowerCase(),
    )
    if (system === undefined) throw new BadCommand(`Invalid system flag ${flag}`)
    return system
  })
}

const rule: CommandRule = { states: ['selected'], holdsExpunges: true, run: store }

export const STORE_COMMANDS: CommandFamily = { plain: { STORE: rule }, byUid: { STORE: rule } }
