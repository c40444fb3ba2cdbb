/** The view as it is defined, message by message: server state, then every pending effect in order (I-STORE-3). */

import {
  type AccountId,
  applyFlagDelta,
  assertNever,
  type Flag,
  foldMailboxes,
  followReference,
  hasFlag,
  type LocalId,
  leftOutRows,
  type MailboxId,
  type MailboxView,
  type MessageReference,
  type MessageView,
  missingRows,
  type Page,
  type PageCursor,
  type PageQuery,
  type PartOnServer,
  type Summary,
  SyncError,
  type Targets,
  type Uid,
  type ViewEffect,
} from '@tidemail/core'
import { bytesOfPart, wholeParts } from './parts.ts'
import { resolveReference } from './resolve-forwards.ts'
import { entriesOf, type MemoryPart, type MemoryState, partsOf, rowsOf } from './state.ts'

/** One message of the view. `sections` are those whose bytes are held. */
interface Shown {
  readonly reference: MessageReference
  readonly mailboxId: MailboxId
  readonly summary: Summary
  readonly sections: readonly string[]
  /** The row behind it; null for what was made here. */
  readonly place: Pick<PartOnServer, 'mailboxId' | 'box' | 'uid'> | null
  flags: readonly Flag[]
  isPending: boolean
  isHidden: boolean
  bytes(section: string): Uint8Array | undefined
}

export function mailboxViews(state: MemoryState, accountId: AccountId): MailboxView[] {
  const shown = visible(state, accountId)
  const mailboxes = [...state.mailboxes.values()].filter((mailbox) => mailbox.accountId === accountId)
  const views = mailboxes
    .sort((a, b) => a.id - b.id)
    .map((mailbox) => {
      const { id, path, delimiter, role, namespace = 'personal', isSelectable, isSubscribed, box } = mailbox
      const inside = shown.filter((message) => message.mailboxId === id)
      const awaited = missingRows(mailbox)
      const held = [...rowsOf(state, box).keys()].filter((uid) => awaited.has(uid)).length
      return {
        id,
        path,
        delimiter,
        role,
        namespace,
        isSelectable,
        isSubscribed,
        total: inside.length,
        unread: inside.filter((message) => !hasFlag(message.flags, '\\Seen')).length,
        toFetch: awaited.size - held,
        leftOut: leftOutRows(mailbox).size,
      }
    })
  return foldMailboxes(
    views,
    entriesOf(state, accountId).flatMap((entry) => entry.effects),
  )
}

export function page(state: MemoryState, query: PageQuery): Page {
  const mailbox = state.mailboxes.get(query.mailboxId)
  if (mailbox === undefined) throw unknownMailbox(query.mailboxId)
  const after = query.after
  const rest = visible(state, mailbox.accountId)
    .filter((message) => message.mailboxId === mailbox.id)
    .sort((a, b) => compare(cursorOf(a), cursorOf(b)))
    .filter((message) => after === undefined || compare(after, cursorOf(message)) < 0)
  const messages = rest.slice(0, query.limit)
  const last = messages.at(-1)
  return { messages: messages.map(asView), next: last === undefined || rest.length <= query.limit ? null : cursorOf(last) }
}

export function unknownMailbox(id: MailboxId): SyncError {
  return new SyncError('input.unknown-mailbox', `The store holds no mailbox ${id}.`)
}

export function message(state: MemoryState, reference: MessageReference): MessageView | null {
  const shown = findShown(state, reference)
  return shown === undefined ? null : asView(shown)
}

export function part(state: MemoryState, reference: MessageReference, section: string): Uint8Array | null {
  const shown = findShown(state, reference)
  if (shown === undefined || !shown.sections.includes(section)) return null
  const bytes = shown.bytes(section)
  if (bytes === undefined) throw new SyncError('store.corrupt', 'A part names bytes that are not there.')
  return bytes.slice()
}

export function partOnServer(state: MemoryState, reference: MessageReference, section: string): PartOnServer | null {
  const shown = findShown(state, reference)
  if (shown === undefined || shown.place === null) return null
  const { summary, place } = shown
  const named = summary.parts.find((part) => part.section === section)?.sizeBytes ?? null
  const part = partsOf(state, place.box, place.uid).get(section)
  const heldBytes = part?.isWhole === false ? part.octets : 0
  return { ...place, sizeBytes: section === '' ? summary.sizeBytes : named, heldBytes }
}

function findShown(state: MemoryState, reference: MessageReference): Shown | undefined {
  const resolved = resolveReference(state, reference)
  const accountId = resolved === null ? undefined : accountOf(state, resolved)
  if (resolved === null || accountId === undefined) return undefined
  const log = entriesOf(state, accountId).map(({ effects }) => effects)
  const now = followReference(resolved, accountId, log)
  return visible(state, accountId).find(({ reference: shown }) => now !== null && sameReference(shown, now))
}

function accountOf(state: MemoryState, reference: MessageReference): AccountId | undefined {
  return reference.kind === 'local' ? reference.accountId : state.mailboxes.get(reference.mailboxId)?.accountId
}

function visible(state: MemoryState, accountId: AccountId): Shown[] {
  return [...fold(state, accountId).values()].filter((item) => !item.isHidden && state.mailboxes.has(item.mailboxId))
}

/** Every message of the account, by its name, with the effects applied; those that no longer show are marked. */
function fold(state: MemoryState, accountId: AccountId): Map<string, Shown> {
  const items = new Map<string, Shown>()
  for (const mailbox of state.mailboxes.values()) {
    if (mailbox.accountId !== accountId) continue
    for (const [uid, row] of rowsOf(state, mailbox.box)) {
      const held = wholeParts(partsOf(state, mailbox.box, uid))
      items.set(`stored ${mailbox.box} ${uid}`, {
        reference: { kind: 'stored', mailboxId: mailbox.id, box: mailbox.box, uid: uid as never },
        mailboxId: mailbox.id,
        summary: row.summary,
        sections: [...held.keys()].sort(),
        flags: row.flags,
        isPending: false,
        isHidden: false,
        place: { mailboxId: mailbox.id, box: mailbox.box, uid: uid as Uid },
        bytes: (section) => bytesOfPart(state, held.get(section) as MemoryPart),
      })
    }
  }
  for (const entry of entriesOf(state, accountId)) {
    for (const effect of entry.effects) applyEffect(state, accountId, items, effect)
  }
  return items
}

function applyEffect(state: MemoryState, accountId: AccountId, items: Map<string, Shown>, effect: ViewEffect): void {
  const make = (local: number): Pick<Shown, 'reference' | 'isPending' | 'isHidden'> => ({
    reference: { kind: 'local', local: local as LocalId, accountId },
    isPending: true,
    isHidden: false,
  })
  switch (effect.kind) {
    case 'flags':
      for (const item of targeted(items, effect.on)) {
        item.flags = applyFlagDelta(item.flags, effect.delta)
        item.isPending = true
      }
      return
    case 'hide':
      for (const item of targeted(items, effect.on)) item.isHidden = true
      return
    case 'new': {
      const { local, bodyId, flags, ...summary } = effect.message
      items.set(`local ${local}`, {
        ...make(local),
        mailboxId: effect.mailboxId,
        summary,
        sections: [''],
        flags: applyFlagDelta(flags, { add: [], remove: [] }),
        place: null,
        bytes: () => state.bodies.get(bodyId),
      })
      return
    }
    case 'place':
      for (const { from, to, length } of effect.pairs.ranges) {
        for (let i = 0; i < length; i += 1) {
          const source = effect.from.kind === 'stored' ? `stored ${effect.from.box} ${from + i}` : `local ${from + i}`
          const origin = items.get(source)
          if (origin === undefined) continue
          origin.isPending = true
          items.set(`local ${to + i}`, { ...origin, ...make(to + i), mailboxId: effect.mailboxId })
        }
      }
      return
    case 'keep':
    case 'mailbox':
      return
    default:
      assertNever(effect)
  }
}

function targeted(items: Map<string, Shown>, on: Targets): Shown[] {
  return [...items.values()].filter(({ reference }) => {
    if (on.kind === 'local') return reference.kind === 'local' && on.locals.has(reference.local)
    return reference.kind === 'stored' && reference.box === on.box && on.uids.has(reference.uid)
  })
}

function asView({ reference, mailboxId, summary, sections, flags, isPending }: Shown): MessageView {
  const { internalDate, sizeBytes, envelope, parts, emailId } = summary
  return {
    reference,
    mailboxId,
    flags,
    internalDate,
    sizeBytes,
    envelope,
    parts,
    emailId,
    isPending,
    heldSections: sections,
  }
}

function cursorOf({ reference, summary }: Shown): PageCursor {
  return { internalDate: summary.internalDate, reference }
}

/** Newest first; of equal dates locals before stored ones, then the greater number first. */
function compare(a: PageCursor, b: PageCursor): number {
  if (a.internalDate !== b.internalDate) return b.internalDate - a.internalDate
  if (a.reference.kind !== b.reference.kind) return a.reference.kind === 'local' ? -1 : 1
  return numberOf(b.reference) - numberOf(a.reference)
}

function numberOf(reference: MessageReference): number {
  return reference.kind === 'local' ? reference.local : reference.uid
}

function sameReference(a: MessageReference, b: MessageReference): boolean {
  if (a.kind === 'local') return b.kind === 'local' && a.local === b.local && a.accountId === b.accountId
  return b.kind === 'stored' && a.box === b.box && a.uid === b.uid
}
