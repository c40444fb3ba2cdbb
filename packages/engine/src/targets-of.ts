/** Turns what an app selects into targets: one group for each mailbox, stored and local apart. */

import {
  type MessageReference,
  type MessageView,
  NO_MAILBOX,
  SyncError,
  type Targets,
  UidSet,
  uid,
  type ViewReads,
} from '@tidemail/core'
import type { FlagChange, Selection } from './api.ts'

/**
 * The groups of a selection. Locals are looked up, since a reference to one does not say in which mailbox it shows.
 * @throws SyncError `input.unknown-message` for a local that is gone, and for an empty selection
 */
export async function targetsOf(
  selection: Selection,
  lookUp: (reference: MessageReference) => Promise<MessageView | null>,
): Promise<Targets[]> {
  if ('uids' in selection || 'locals' in selection) return [selection]
  const references = Array.isArray(selection) ? (selection as readonly MessageReference[]) : [selection as MessageReference]
  if (references.length === 0) throw new SyncError('input.unknown-message', 'No message is selected.')
  const groups = new Map<string, { template: Targets; members: number[] }>()
  for (const given of references) {
    const reference = given.kind === 'local' ? await placeOf(given, lookUp) : { ...given, place: given.mailboxId }
    const key = reference.kind === 'stored' ? `stored/${reference.mailboxId}/${reference.box}` : `local/${reference.place}`
    const template: Targets =
      reference.kind === 'stored'
        ? { kind: 'stored', mailboxId: reference.mailboxId, box: reference.box, uids: UidSet.EMPTY }
        : { kind: 'local', mailboxId: reference.place, locals: UidSet.EMPTY }
    const group = groups.get(key) ?? { template, members: [] }
    group.members.push(reference.kind === 'stored' ? reference.uid : reference.local)
    groups.set(key, group)
  }
  return [...groups.values()].map(({ template, members }) =>
    template.kind === 'stored' ? { ...template, uids: UidSet.from(members) } : { ...template, locals: UidSet.from(members) },
  )
}

/**
 * For a change that depends on how the messages are: what is named by an old name, under that of now, so that it is looked up where it is. What is gone keeps
 * its name.
 */
export async function asShown(selection: Selection, { when }: FlagChange, view: Pick<ViewReads, 'message'>): Promise<Selection> {
  if (when !== 'unchanged' || 'locals' in selection) return selection
  const references = 'uids' in selection ? referencesIn(selection) : [selection].flat()
  return Promise.all(references.map(async (reference) => (await view.message(reference))?.reference ?? reference))
}

function referencesIn({ mailboxId, box, uids }: Extract<Targets, { readonly kind: 'stored' }>): MessageReference[] {
  return [...uids.values()].map((number) => ({ kind: 'stored', mailboxId, box, uid: uid(number) }))
}

/** A local that the server has named meanwhile is what the server named; one that has moved on is in no mailbox under that number. */
async function placeOf(
  reference: Extract<MessageReference, { kind: 'local' }>,
  lookUp: (reference: MessageReference) => Promise<MessageView | null>,
): Promise<MessageReference & { readonly place: MessageView['mailboxId'] }> {
  const view = await lookUp(reference)
  if (view === null) throw new SyncError('input.unknown-message', `local:${reference.local} is not in the store.`)
  const { mailboxId: place, reference: now } = view
  return now.kind === 'local' && now.local !== reference.local ? { ...reference, place: NO_MAILBOX } : { ...now, place }
}
