/** EXPUNGE, and UID EXPUNGE of these messages only (RFC 9051 §6.4.3, RFC 4315 §2.1). */

import { UidSet } from '@tidemail/core'
import { namedUids } from '../named-messages.ts'
import type { CommandFamily } from '../reply.ts'
import { type CommandRule, type Invocation, ok, type Reply } from '../reply.ts'
import { afterExpunge } from './copy.ts'

function expunge({ session, args, isUid }: Invocation): Reply {
  const uids = isUid ? namedUids(session.open, args.atom(), { isUid }) : UidSet.ALL
  args.end()
  if (session.open.isReadOnly) return ok('Expunge ignored with read-only mailbox')
  session.open.mailbox.expunge(uids)
  return afterExpunge(session, { isUid, text: 'Expunge completed' })
}

const rule: CommandRule = { states: ['selected'], run: expunge }

export const EXPUNGE_COMMANDS: CommandFamily = { plain: { EXPUNGE: rule }, byUid: { EXPUNGE: rule } }
