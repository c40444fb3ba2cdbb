/** What the memory store holds, in plain Maps, and how one commit works on a copy of it. */

import type {
  AccountId,
  AccountRecord,
  BodyId,
  BoxEpoch,
  ClaimId,
  ClaimRecord,
  EntryRecord,
  EntrySeq,
  Flag,
  ForwardSource,
  ForwardTarget,
  MailboxId,
  MailboxRecord,
  ModSeq,
  ReceiptRecord,
  Summary,
  UidPairs,
} from '@tidemail/core'

/** A message as the server is last known to hold it. A null `modSeq` is overtaken by any. */
export interface MemoryRow {
  readonly flags: readonly Flag[]
  readonly modSeq: ModSeq | null
  readonly summary: Summary
}

export interface MemoryAccount {
  readonly record: AccountRecord
  readonly nextLocal: number
  readonly leaderEpoch: number
}

export interface MemoryForward {
  readonly accountId: AccountId
  readonly from: ForwardSource
  readonly to: ForwardTarget
  readonly pairs: UidPairs
}

/** A section of which bytes are held: in pieces, in order, up to its end or not yet. */
export interface MemoryPart {
  readonly ids: readonly BodyId[]
  readonly octets: number
  readonly isWhole: boolean
}

/** By section. */
export type HeldParts = ReadonlyMap<string, MemoryPart>

/** What was held of a message that has left. */
export interface ReleasedParts {
  readonly accountId: AccountId
  readonly content: string
  readonly held: HeldParts
}

/** Everything. Inner maps are replaced, never changed, so that a copy of the outer ones is a snapshot. */
export interface MemoryState {
  revision: number
  nextSeq: number
  nextMailbox: number
  nextBox: number
  nextEpoch: number
  readonly accounts: Map<AccountId, MemoryAccount>
  readonly mailboxes: Map<MailboxId, MailboxRecord>
  readonly rows: Map<BoxEpoch, ReadonlyMap<number, MemoryRow>>
  readonly parts: Map<BoxEpoch, ReadonlyMap<number, HeldParts>>
  released: readonly ReleasedParts[]
  readonly bodies: Map<BodyId, Uint8Array>
  readonly entries: Map<EntrySeq, EntryRecord>
  readonly claims: Map<ClaimId, ClaimRecord>
  /** By `account seq`. */
  readonly receipts: Map<string, ReceiptRecord>
  forwards: readonly MemoryForward[]
}

export function emptyState(): MemoryState {
  return {
    revision: 0,
    nextSeq: 1,
    nextMailbox: 1,
    nextBox: 1,
    nextEpoch: 1,
    accounts: new Map(),
    mailboxes: new Map(),
    rows: new Map(),
    parts: new Map(),
    released: [],
    bodies: new Map(),
    entries: new Map(),
    claims: new Map(),
    receipts: new Map(),
    forwards: [],
  }
}

export function copyOfState(state: MemoryState): MemoryState {
  return {
    ...state,
    accounts: new Map(state.accounts),
    mailboxes: new Map(state.mailboxes),
    rows: new Map(state.rows),
    parts: new Map(state.parts),
    bodies: new Map(state.bodies),
    entries: new Map(state.entries),
    claims: new Map(state.claims),
    receipts: new Map(state.receipts),
  }
}

export function rowsOf(state: MemoryState, box: BoxEpoch): ReadonlyMap<number, MemoryRow> {
  return state.rows.get(box) ?? new Map<number, MemoryRow>()
}

export function partsOf(state: MemoryState, box: BoxEpoch, uid: number): HeldParts {
  return state.parts.get(box)?.get(uid) ?? new Map<string, MemoryPart>()
}

/** The bodies that an entry keeps alive: those of the messages it shows. */
export function bodiesOfEntry(entry: EntryRecord): BodyId[] {
  return entry.effects.flatMap((effect) => {
    if (effect.kind === 'new') return [effect.message.bodyId]
    return effect.kind === 'keep' ? [effect.bodyId] : []
  })
}

/** Drops the bodies that neither a part nor an entry names. */
export function dropUnnamedBodies(state: MemoryState): void {
  const named = new Set<BodyId>()
  const held = [...state.parts.values()].flatMap((box) => [...box.values()])
  for (const parts of [...held, ...state.released.map((left) => left.held)])
    for (const { ids } of parts.values()) for (const id of ids) named.add(id)
  for (const entry of state.entries.values()) for (const id of bodiesOfEntry(entry)) named.add(id)
  for (const id of [...state.bodies.keys()]) if (!named.has(id)) state.bodies.delete(id)
}

/** The open entries of an account, in order of acceptance. */
export function entriesOf(state: MemoryState, accountId: AccountId): EntryRecord[] {
  return [...state.entries.values()].filter((entry) => entry.accountId === accountId).sort((a, b) => a.seq - b.seq)
}
