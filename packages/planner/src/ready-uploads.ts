/** Decides which messages made here can be uploaded now, and how: by an APPEND, or by a REPLACE of the version before (RFC 8508). */

import { can, type LocalId, type MailboxRecord, type StoredTargets, UidSet } from '@tidemail/core'
import { type Entry, isUpload, removalsOf, replacedBy, stateOfLocal, type UploadOperation, uploadOf } from '@tidemail/replay-log'
import { listedUids } from './listed-uids.ts'
import { isToBeDeleted } from './mailbox-order.ts'
import type { Lane, ReplayState } from './replay-state.ts'

/** The state without what only sending needs. */
type State = Pick<ReplayState, 'entries' | 'mailboxes' | 'server'>

/** A draft that can take the place of the version before in one step. */
export interface ReadyReplace {
  readonly operation: UploadOperation
  /** The version before: one message. */
  readonly old: StoredTargets
  readonly source: MailboxRecord
  readonly target: MailboxRecord
}

/** The lanes of an entry that brings a message of its own. */
export function uploadLanes(entry: Entry, state: State): Lane[] {
  const replace = readyReplace(entry, state)
  if (replace !== null) return [{ kind: 'messages', mailboxId: replace.source.id }]
  const upload = readyUpload(entry, state)
  const removals = removalsOf(entry).filter(({ targets }) => state.mailboxes.has(targets.mailboxId))
  return [
    ...(upload?.to == null ? [] : [{ kind: 'appends' as const, mailboxId: upload.to }]),
    ...removals.map(({ targets }) => ({ kind: 'messages' as const, mailboxId: targets.mailboxId })),
  ]
}

/** What goes up by an APPEND; null where nothing does, or not yet. */
export function readyUpload(entry: Entry, state: State): UploadOperation | null {
  const upload = uploadOf(entry)
  if (upload?.to == null || isToBeDeleted(upload.to, entry.seq, state.entries)) return null
  if (awaitsVersionBefore(entry, state.entries)) return null
  return readyReplace(entry, state) === null ? upload : null
}

/** Null where the server cannot, where the version before is not one message that is there and free, and after a refusal: then APPEND and a removal do it. */
export function readyReplace(entry: Entry, { entries, mailboxes, server }: State): ReadyReplace | null {
  const operation = uploadOf(entry)
  if (operation === null || operation.to === null || operation.kind !== 'draft') return null
  if (!can(server, 'REPLACE') || entry.rejections > 0 || isToBeDeleted(operation.to, entry.seq, entries)) return null
  const [group, ...more] = replacedBy(entry)
  if (group === undefined || more.length > 0 || group.state !== 'queued' || group.targets.kind !== 'stored') return null
  const old = group.targets
  const [source, target] = [mailboxes.get(old.mailboxId), mailboxes.get(operation.to)]
  if (source?.box !== old.box || old.uids.size !== 1 || source.isReadOnly || target === undefined) return null
  const isListed = old.uids.difference(listedUids(source)).isEmpty
  if (!isListed || target.checkpoint === null || target.uidValidity === null) return null
  return isNamedBefore(old, entry, entries) ? null : { operation, old, source, target }
}

/** Whether an earlier operation is still to act on the message: it goes first; or is to save a copy of it, and waits for the user. */
function isNamedBefore(old: StoredTargets, { seq }: Entry, entries: readonly Entry[]): boolean {
  return entries.some(
    (other) =>
      other.seq < seq &&
      other.progress.some(
        ({ state, targets }) =>
          (state !== 'parked' || other.operation.kind === 'copy') &&
          targets.kind === 'stored' &&
          targets.box === old.box &&
          !targets.uids.intersect(old.uids).isEmpty,
      ),
  )
}

/** Whether the version before is on its way to a name. One that is parked is not waited for: nobody's text stays behind for want of an answer. */
function awaitsVersionBefore(entry: Entry, entries: readonly Entry[]): boolean {
  const locals = replacedBy(entry).reduce(
    (all, { targets }) => (targets.kind === 'local' ? all.union(targets.locals) : all),
    UidSet.EMPTY,
  )
  return !locals.isEmpty && [...locals.values()].some((local) => entries.some((other) => makes(other, local as LocalId)))
}

function makes(entry: Entry, local: LocalId): boolean {
  const { operation } = entry
  if (isUpload(operation) && operation.message.local === local) {
    const state = stateOfLocal(entry, local)
    return state !== null && state !== 'parked'
  }
  return entry.progress.some(({ state, placed }) => state !== 'parked' && placed.destinations.has(local))
}
