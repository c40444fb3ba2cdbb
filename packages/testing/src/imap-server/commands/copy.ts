/** COPY and MOVE, by UID or by sequence number, with COPYUID (RFC 9051 §6.4.7, RFC 4315 §3, RFC 6851). */

import type { ModelCopied } from '../../model/account.ts'
import { namedUids } from '../named-messages.ts'
import { writeNews } from '../news.ts'
import type { CommandFamily } from '../reply.ts'
import { type CommandRule, type Invocation, no, ok, type Reply, refused } from '../reply.ts'
import type { Session } from '../session.ts'

function copy({ session, args, isUid }: Invocation): Reply {
  const uids = namedUids(session.open, args.atom(), { isUid })
  const path = args.mailbox()
  args.end()
  const copied = session.user.copy(session.open.mailbox, uids, path)
  if (copied.kind === 'refused') return refused(copied)
  if (copied.pairs.ranges.length === 0) return ok('No messages found')
  return ok('Copy completed', copyUid(session, copied))
}

function move({ session, args, isUid }: Invocation): Reply {
  const uids = namedUids(session.open, args.atom(), { isUid })
  const path = args.mailbox()
  args.end()
  if (session.open.isReadOnly) return no('Mailbox is read-only')
  const moved = session.user.move(session.open.mailbox, uids, path)
  if (moved.kind === 'refused') return refused(moved)
  if (moved.pairs.ranges.length === 0 && moved.interruption === null) return ok('No messages found')
  // The pairs are told before the messages go (RFC 6851 §4.3).
  const code = copyUid(session, moved)
  if (code !== null && moved.pairs.ranges.length > 0) session.untagged(`OK [${code}] Moved UIDs.`)
  const reply = afterExpunge(session, { isUid, text: 'Move completed' })
  return moved.interruption === null ? reply : refused(moved.interruption)
}

/** Tells what went, and names HIGHESTMODSEQ where the client keeps it (RFC 7162 §3.2.7). */
export function afterExpunge(session: Session, { isUid, text }: { readonly isUid: boolean; readonly text: string }): Reply {
  const { hasExpunged } = writeNews(session, { withExpunges: true, withUids: isUid })
  const isTold = hasExpunged && session.enabled.has('QRESYNC')
  return ok(text, isTold ? `HIGHESTMODSEQ ${session.open.mailbox.highestModSeq}` : null)
}

function copyUid(session: Session, { target, pairs }: ModelCopied): string | null {
  return session.can('UIDPLUS') ? `COPYUID ${target.uidValidity} ${pairs.sources} ${pairs.destinations}` : null
}

const copyRule: CommandRule = { states: ['selected'], run: copy }
const moveRule: CommandRule = { states: ['selected'], run: move }

export const COPY_COMMANDS: CommandFamily = {
  plain: { COPY: copyRule, MOVE: moveRule },
  byUid: { COPY: copyRule, MOVE: moveRule },
}
