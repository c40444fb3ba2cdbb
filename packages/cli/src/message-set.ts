/** Reads which messages a person means: UIDs and ranges such as `12,15:20`, locals such as `local:3`. */

import { localId, SyncError, UidSet } from '@tidemail/core'

/** The messages as they were typed, piece by piece: every piece must mean at least one message. */
export interface MessageSet {
  readonly uids: readonly UidSet[]
  readonly locals: readonly number[]
}

/** @throws SyncError `input.bad-uid-set` */
export function parseMessageSet(text: string): MessageSet {
  const pieces = text.split(',').map((piece) => piece.trim())
  const locals: number[] = []
  const uids: UidSet[] = []
  for (const piece of pieces) {
    const local = /^local:(\d{1,10})$/i.exec(piece)?.[1]
    if (local !== undefined) locals.push(checkedLocal(local, text))
    else if (piece === '') throw badSet(text)
    else uids.push(UidSet.parse(piece))
  }
  return { uids, locals }
}

/**
 * The UIDs of the set that show in the mailbox. A range means those of it that are there; a range or number that means none is a mistake.
 * @throws SyncError `input.unknown-message` naming what is not there
 */
export function uidsAmong({ uids }: MessageSet, shown: UidSet, mailboxPath: string): UidSet {
  const unknown = uids.filter((piece) => piece.intersect(shown).isEmpty)
  if (unknown.length > 0) throw unknownMessages(unknown.map(String), mailboxPath)
  return uids.reduce((all, piece) => all.union(piece.intersect(shown)), UidSet.EMPTY)
}

export function unknownMessages(names: readonly string[], mailboxPath: string): SyncError {
  const listed = names.length > 10 ? `${names.slice(0, 10).join(', ')} and ${names.length - 10} more` : names.join(', ')
  const what = names.length === 1 ? 'is no message' : 'are no messages'
  return new SyncError('input.unknown-message', `There ${what} ${listed} in ${mailboxPath}.`)
}

function checkedLocal(digits: string, text: string): number {
  try {
    return localId(Number(digits))
  } catch (cause) {
    throw badSet(text, cause)
  }
}

function badSet(text: string, cause?: unknown): SyncError {
  return new SyncError('input.bad-uid-set', `"${text.slice(0, 60)}" is not a UID set.`, {
    hint: 'Write UIDs and ranges such as 12,15:20, or locals such as local:3,local:5.',
    ...(cause === undefined ? {} : { cause }),
  })
}
