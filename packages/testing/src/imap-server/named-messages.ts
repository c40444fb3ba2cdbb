/** Finds which messages a command names, by UID or by sequence number, and writes such sets in answers. */

import { UidSet } from '@tidemail/core'
import type { SelectedMailbox } from '../model/selected-mailbox.ts'
import { BadCommand } from './bad-command.ts'
import { parseMessageSet } from './message-set.ts'

/** The UIDs that the set names. A sequence number that is not there is BAD; a UID that is not there names nothing. */
export function namedUids(open: SelectedMailbox, text: string, { isUid }: { readonly isUid: boolean }): UidSet {
  if (isUid) return parseMessageSet(text, open.lastUid)
  const sequences = parseMessageSet(text, open.count === 0 ? undefined : open.count)
  if (sequences.isEmpty || (sequences.max ?? 0) > open.count) {
    if (open.count === 0 && /^[\d:*,]+$/.test(text) && !/^\d+$/.test(text)) return UidSet.EMPTY
    throw new BadCommand('Invalid messageset')
  }
  return open.uidsAt(sequences)
}

/** The set as the client wrote its own: UIDs, or sequence numbers. */
export function writeSet(open: SelectedMailbox, uids: UidSet, { isUid }: { readonly isUid: boolean }): string {
  if (isUid) return uids.toString()
  return UidSet.from(open.messages(uids).map(({ sequence }) => sequence)).toString()
}
