/** The reads of the planner over the memory store. */

import {
  type BoxEpoch,
  type MailboxId,
  type MessageIdentity,
  type MissingPart,
  type PartsWanted,
  type PlanningReads,
  SyncError,
  type Uid,
  UidSet,
} from '@tidemail/core'
import { linkable } from './parts.ts'
import { entriesOf, type MemoryRow, type MemoryState, partsOf, rowsOf } from './state.ts'

type Read = <T>(reader: (state: MemoryState) => T) => Promise<T>

export function planningReads(read: Read, write: Read): PlanningReads {
  return {
    accounts: () =>
      read((state) => [...state.accounts.values()].map(({ record }) => record).sort((a, b) => (a.id < b.id ? -1 : 1))),
    mailboxes: (accountId) =>
      read((state) =>
        [...state.mailboxes.values()].filter((mailbox) => mailbox.accountId === accountId).sort((a, b) => a.id - b.id),
      ),
    allocateMailbox: () =>
      write((state) => {
        const allocated = { id: state.nextMailbox as MailboxId, box: state.nextBox as BoxEpoch }
        state.nextMailbox += 1
        state.nextBox += 1
        return allocated
      }),
    entries: (accountId) => read((state) => entriesOf(state, accountId)),
    claims: (accountId) =>
      read((state) =>
        [...state.claims.values()].filter((claim) => claim.accountId === accountId).sort((a, b) => (a.id < b.id ? -1 : 1)),
      ),
    receipts: (accountId, { limit }) =>
      read((state) =>
        [...state.receipts.values()]
          .filter((receipt) => receipt.accountId === accountId)
          .sort((a, b) => b.seq - a.seq)
          .slice(0, limit),
      ),
    receipt: (accountId, seq) => read((state) => state.receipts.get(`${accountId} ${seq}`) ?? null),
    identities: (mailboxId, uids) =>
      read((state) => heldRows(state, mailboxId, uids).map(([uid, row]) => ({ uid: uid as Uid, ...identityOf(row) }))),
    formerIdentities: (mailboxId) =>
      read((state) => {
        const box = state.mailboxes.get(mailboxId)?.formerBox ?? null
        const rows = box === null ? [] : [...rowsOf(state, box)].sort(([a], [b]) => a - b)
        return rows.map(([uid, row]) => ({ uid: uid as Uid, ...identityOf(row) }))
      }),
    flags: (mailboxId, uids) =>
      read((state) => heldRows(state, mailboxId, uids).map(([uid, { flags }]) => ({ uid: uid as Uid, flags }))),
    missingParts: (mailboxId, wanted) => read((state) => missingParts(state, mailboxId, wanted)),
    linkable: (mailboxId, uids) => read((state) => UidSet.from(linkable(state, mailboxId, uids))),
    body: (bodyId) =>
      read((state) => {
        const bytes = state.bodies.get(bodyId)
        if (bytes === undefined) throw new SyncError('store.corrupt', 'The store has no bytes under that name.')
        return bytes.slice()
      }),
  }
}

/** Rows of the mailbox among these, by ascending UID; none where the mailbox is gone. */
function heldRows(state: MemoryState, mailboxId: MailboxId, uids: UidSet): [number, MemoryRow][] {
  const mailbox = state.mailboxes.get(mailboxId)
  if (mailbox === undefined) return []
  return [...rowsOf(state, mailbox.box)].filter(([uid]) => uids.has(uid)).sort(([a], [b]) => a - b)
}

function identityOf({ summary }: MemoryRow): MessageIdentity {
  const { internalDate, sizeBytes, envelope, emailId } = summary
  return { messageId: envelope.messageId, sizeBytes, internalDate: Math.floor(internalDate / 1000) * 1000, emailId }
}

/** A message held whole (section '') lacks nothing. */
function missingParts(state: MemoryState, mailboxId: MailboxId, wanted: PartsWanted): MissingPart[] {
  const mailbox = state.mailboxes.get(mailboxId)
  if (mailbox === undefined) return []
  const { messagesMax, partBytesMax, receivedSince } = wanted
  const newest = [...rowsOf(state, mailbox.box)]
    .sort(([uidA, a], [uidB, b]) => b.summary.internalDate - a.summary.internalDate || uidB - uidA)
    .slice(0, messagesMax)
    .filter(([, { summary }]) => receivedSince === null || summary.internalDate >= receivedSince)
  return newest.flatMap(([uid, { summary }]) => {
    const held = partsOf(state, mailbox.box, uid)
    if (held.get('')?.isWhole === true) return []
    return summary.parts
      .filter(({ type, disposition }) => wanted.parts === 'all' || (type.startsWith('text/') && disposition !== 'attachment'))
      .filter(({ section, sizeBytes }) => sizeBytes <= partBytesMax && held.get(section)?.isWhole !== true)
      .map(({ section, sizeBytes }) => ({
        uid: uid as Uid,
        section,
        sizeBytes,
        heldBytes: held.get(section)?.octets ?? 0,
      }))
  })
}
