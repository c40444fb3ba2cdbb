/** The tables of the store, what a row of each holds, and the number of this format. */

import type {
  AccountId,
  AccountRecord,
  BodyId,
  BoxEpoch,
  ClaimId,
  ClaimRecord,
  EntrySeq,
  Flag,
  MailboxId,
  ReceiptRecord,
} from '@tidemail/core'
import { Dexie, type DexieOptions, type Table } from 'dexie'
import type { StoredEffect } from './effects-codec.ts'
import type { MailboxRow } from './mailbox-codec.ts'
import type { ColumnsRow } from './packed-columns.ts'
import type { EnvelopesRow } from './packed-envelopes.ts'

/**
 * The number of the stored format, checked in every transaction that writes: a page that was opened before an upgrade must not write with old code.
 * 1: the first.
 */
export const SCHEMA_EPOCH = 1

/** The number that Dexie knows; IndexedDB has ten times as much. Rises with {@link SCHEMA_EPOCH}. */
export const DATABASE_VERSION = 1

/** One row: the format, and the next free numbers. */
export interface StoreRow {
  readonly key: 'store'
  readonly schemaEpoch: number
  readonly revision: number
  readonly nextSeq: number
  readonly nextMailbox: number
  readonly nextBox: number
  readonly nextEpoch: number
}

export interface AccountRow {
  readonly id: AccountId
  readonly record: AccountRecord
  readonly nextLocal: number
  /** Drawn from one counter for all accounts, so that an epoch names its account; 0 before the first leader. */
  readonly leaderEpoch: number
  /** The revision of the store when its entries last changed. */
  readonly logRevision: number
  /** The revision of the store when one of its entries was last changed or removed: since then entries were only added. */
  readonly logRewritten?: number
}

/** What is counted of the rows of a box, and what their flag bits mean. */
export interface BoxRow {
  readonly box: BoxEpoch
  readonly mailboxId: MailboxId
  readonly total: number
  readonly unread: number
  /** The revision of the store when the box was made: what is in memory of an earlier box of this number is of no use. */
  readonly madeAt?: number
  /** The revision of the store when its rows last changed. */
  readonly revision: number
  readonly keywords: readonly Flag[]
}

/** The sections of a message whose bytes are held. In the box 0 are those of messages that have left, numbered as they came. */
export interface PartsRow {
  readonly box: BoxEpoch
  readonly uid: number
  readonly held: readonly (readonly [section: string, bodyId: BodyId])[]
  /** Sections that come in pieces, in order: `octets` of them are here, up to their end or not yet. */
  readonly pieces?: readonly {
    readonly section: string
    readonly ids: readonly BodyId[]
    readonly octets: number
    readonly isWhole: boolean
  }[]
  /** Of a message that has left: whose it was, and what is the same of whichever has the same content. */
  readonly released?: { readonly accountId: AccountId; readonly size: number; readonly emailId: string }
}

export interface BodyRow {
  readonly id: BodyId
  readonly bytes: Uint8Array
}

/** How many parts and entries name a body. Apart from the bytes, so that counting does not rewrite them. */
export interface HoldRow {
  readonly id: BodyId
  readonly count: number
}

export interface EntryRow {
  readonly seq: EntrySeq
  readonly accountId: AccountId
  readonly revision: number
  readonly bytes: Uint8Array
  readonly effects: readonly StoredEffect[]
}

/** `length` consecutive numbers from `from`, of the box or of the account's locals, are now in `box` from `to` on. Ranges of a source are disjoint. */
export interface ForwardRow {
  readonly source: string
  readonly from: number
  readonly length: number
  readonly to: number
  readonly mailboxId: MailboxId
  readonly box: BoxEpoch
  readonly accountId: AccountId
}

/** All keys are numbers, short texts, or pairs of them: a bigint is no key in IndexedDB. */
export class StoreDatabase extends Dexie {
  readonly store!: Table<StoreRow, string>
  readonly accounts!: Table<AccountRow, AccountId>
  readonly mailboxes!: Table<MailboxRow, MailboxId>
  readonly boxes!: Table<BoxRow, BoxEpoch>
  readonly columns!: Table<ColumnsRow, [number, number]>
  readonly envelopes!: Table<EnvelopesRow, [number, number]>
  readonly parts!: Table<PartsRow, [number, number]>
  readonly bodies!: Table<BodyRow, BodyId>
  readonly holds!: Table<HoldRow, BodyId>
  readonly entries!: Table<EntryRow, EntrySeq>
  readonly claims!: Table<ClaimRecord, ClaimId>
  readonly receipts!: Table<ReceiptRecord, [AccountId, number]>
  readonly forwards!: Table<ForwardRow, [string, number]>

  constructor(name: string, options: Pick<DexieOptions, 'indexedDB' | 'IDBKeyRange'>) {
    super(name, { ...options, autoOpen: false, cache: 'disabled', chromeTransactionDurability: 'strict' })
    this.version(DATABASE_VERSION).stores({
      store: 'key',
      accounts: 'id',
      mailboxes: 'id, accountId',
      boxes: 'box',
      columns: '[box+chunk], [box+revision]',
      envelopes: '[box+chunk]',
      parts: '[box+uid]',
      bodies: 'id',
      holds: 'id',
      entries: 'seq, accountId',
      claims: 'id, accountId',
      receipts: '[accountId+seq]',
      forwards: '[source+from], accountId',
    })
  }
}

export const FIRST_STORE_ROW: StoreRow = {
  key: 'store',
  schemaEpoch: SCHEMA_EPOCH,
  revision: 0,
  nextSeq: 1,
  nextMailbox: 1,
  nextBox: 1,
  nextEpoch: 1,
}
