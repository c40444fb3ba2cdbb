/** Gathers what one change does to server state: rows that go or are carried, and the UID sets that must agree with them (I-STORE-1). */

import {
  type Checkpoint,
  type Expectation,
  type MailboxId,
  type MailboxRecord,
  type StoreStep,
  type UidPairs,
  UidSet,
  type Write,
} from '@tidemail/core'

export class ServerStateChanges {
  private readonly mailboxes: Map<MailboxId, MailboxRecord>
  private readonly touched = new Set<MailboxId>()
  private readonly altered = new Set<MailboxId>()
  private readonly rows: Write[] = []

  constructor(mailboxes: ReadonlyMap<MailboxId, MailboxRecord>) {
    this.mailboxes = new Map(mailboxes)
  }

  /** The mailbox as it is with the changes so far. */
  mailbox(id: MailboxId): MailboxRecord | undefined {
    return this.mailboxes.get(id)
  }

  get all(): ReadonlyMap<MailboxId, MailboxRecord> {
    return this.mailboxes
  }

  /** The record is as the operation on the mailbox makes it. */
  put(mailbox: MailboxRecord): void {
    this.mailboxes.set(mailbox.id, mailbox)
    this.touched.add(mailbox.id)
    this.altered.add(mailbox.id)
  }

  /** The mailbox is gone, with its rows. */
  remove(mailboxId: MailboxId): void {
    this.mailboxes.delete(mailboxId)
    this.rows.push({ kind: 'remove-mailbox', mailboxId })
  }

  /** A record that somebody removed meanwhile must not come back. */
  get expect(): Pick<Expectation, 'boxes'> {
    const boxes = [...this.altered].flatMap((id) => {
      const mailbox = this.mailboxes.get(id)
      return mailbox === undefined ? [] : [{ mailboxId: id, box: mailbox.box }]
    })
    return boxes.length === 0 ? {} : { boxes }
  }

  write(write: Write): void {
    this.rows.push(write)
  }

  /** These are proved to be gone. */
  forget(mailboxId: MailboxId, uids: UidSet): void {
    if (this.mailboxes.get(mailboxId) === undefined) return
    this.rows.push({ kind: 'remove-messages', mailboxId, uids })
    this.unmark(mailboxId, uids)
    this.changeCheckpoint(mailboxId, (checkpoint) => withoutGone(checkpoint, uids))
  }

  /** Rows held of the sources stand in the other mailbox too, with the marks of ours, and it has given all of these UIDs. */
  carry(from: MailboxId, to: MailboxRecord, pairs: UidPairs): void {
    const source = this.mailboxes.get(from)?.checkpoint
    const carried = pairs.restrict(source?.covered ?? UidSet.EMPTY)
    if (carried.ranges.length > 0) this.rows.push({ kind: 'carry-messages', from, to: to.id, pairs: carried })
    this.cover(to.id, carried.destinations)
    this.name(to.id, pairs.destinations)
    this.mark(to.id, pairs.restrict(source?.marked ?? UidSet.EMPTY).destinations)
  }

  /** A removal of ours is about to mark these. */
  mark(mailboxId: MailboxId, uids: UidSet): void {
    this.changeMarks(mailboxId, (marked) => marked.union(uids))
  }

  /** These bear no mark of ours any more. */
  unmark(mailboxId: MailboxId, uids: UidSet): void {
    this.changeMarks(mailboxId, (marked) => marked.difference(uids))
  }

  private changeMarks(mailboxId: MailboxId, change: (marked: UidSet) => UidSet): void {
    const before = this.mailboxes.get(mailboxId)?.checkpoint?.marked ?? UidSet.EMPTY
    const after = change(before)
    if (after.equals(before)) return
    this.changeCheckpoint(mailboxId, ({ marked: _, ...rest }) => (after.isEmpty ? rest : { ...rest, marked: after }))
  }

  private name(mailboxId: MailboxId, uids: UidSet): void {
    const namedUpTo = uids.max ?? 0
    this.changeCheckpoint(mailboxId, (before) => (namedUpTo > (before.namedUpTo ?? 0) ? { ...before, namedUpTo } : before))
  }

  /** H-13: UIDs that COPYUID or APPENDUID named are known and held; UIDNEXT and the mod-sequence do not move. */
  cover(mailboxId: MailboxId, uids: UidSet): void {
    this.changeCheckpoint(mailboxId, (before) => ({
      ...before,
      known: before.known.union(uids),
      covered: before.covered.union(uids),
    }))
    this.name(mailboxId, uids)
  }

  private changeCheckpoint(mailboxId: MailboxId, change: (before: Checkpoint) => Checkpoint): void {
    const mailbox = this.mailboxes.get(mailboxId)
    if (mailbox === undefined || mailbox.checkpoint === null) return
    this.mailboxes.set(mailboxId, { ...mailbox, checkpoint: change(mailbox.checkpoint) })
    this.touched.add(mailboxId)
  }

  /** Rows first, then the records that speak of them. */
  get writes(): readonly Write[] {
    const records = [...this.touched].flatMap((id): Write[] => {
      const mailbox = this.mailboxes.get(id)
      return mailbox === undefined ? [] : [{ kind: 'put-mailbox', mailbox }]
    })
    return [...this.rows, ...records]
  }

  /**
   * After .SILENT the row is what our own STORE made of it, until the server states it again (H-14). With mod-sequences a message that changed is told; one
   * that is not told is as it was, whatever the OK says.
   */
  inferFlags(
    mailboxId: MailboxId,
    step: StoreStep,
    { seen, vanished }: { readonly seen: UidSet; readonly vanished: UidSet },
  ): void {
    const mailbox = this.mailbox(mailboxId)
    if (mailbox?.uidValidity !== step.mailbox.uidValidity) return
    const hasModSeqs = mailbox.checkpoint?.highestModSeq != null
    const uids = (hasModSeqs ? step.uids.intersect(seen) : step.uids).difference(vanished)
    const delta = step.direction === 'add' ? { add: step.flags, remove: [] } : { add: [], remove: step.flags }
    if (!uids.isEmpty) this.write({ kind: 'infer-flags', mailboxId, uids, delta })
  }
}

/** The mod-sequence stays: the server may tell of them once more. */
export function withoutGone(before: Checkpoint, uids: UidSet): Checkpoint {
  const known = before.known.difference(uids)
  const covered = before.covered.difference(uids)
  const goneSince = (before.goneSince ?? UidSet.EMPTY).union(before.known.intersect(uids))
  return { ...before, known, covered, ...(goneSince.isEmpty ? {} : { goneSince }) }
}
