/** The stored form of a mailbox: its checkpoint's UID sets as RFC 9051 writes them, its mod-sequence in decimal. */

import {
  type AccountId,
  type BoxEpoch,
  type HeldWindow,
  type MailboxId,
  type MailboxRecord,
  modSeq,
  type TierLimit,
  UidSet,
} from '@tidemail/core'

export interface MailboxRow {
  readonly id: MailboxId
  readonly accountId: AccountId
  readonly box: BoxEpoch
  /** `isOnServer` may be missing: then it is; `formerBox`, `window`: then there is none. A limit without its end has ended. */
  readonly record: Omit<
    MailboxRecord,
    'id' | 'accountId' | 'box' | 'checkpoint' | 'isOnServer' | 'formerBox' | 'tierLimit' | 'window'
  > & {
    readonly isOnServer?: boolean
    readonly formerBox?: BoxEpoch | null
    readonly tierLimit: (Omit<TierLimit, 'expiresAt'> & { readonly expiresAt?: number }) | null
    readonly window?: StoredWindow | null
  }
  readonly checkpoint: StoredCheckpoint | null
}

type StoredWindow = Omit<HeldWindow, 'dated' | 'backfilled'> & { readonly dated: string; readonly backfilled: string }

interface StoredCheckpoint {
  readonly uidNext: number
  readonly highestModSeq: string | null
  readonly known: string
  readonly covered: string
  /** These are missing where there is none. */
  readonly goneSince?: string
  readonly namedUpTo?: number
  readonly marked?: string
}

export function encodeMailbox(mailbox: MailboxRecord): MailboxRow {
  const { id, accountId, box, checkpoint, window, ...record } = mailbox
  return {
    id,
    accountId,
    box,
    record: window === undefined || window === null ? record : { ...record, window: encodeWindow(window) },
    checkpoint:
      checkpoint === null
        ? null
        : {
            uidNext: checkpoint.uidNext,
            highestModSeq: checkpoint.highestModSeq?.toString() ?? null,
            known: checkpoint.known.toString(),
            covered: checkpoint.covered.toString(),
            ...(checkpoint.goneSince === undefined ? {} : { goneSince: checkpoint.goneSince.toString() }),
            ...(checkpoint.namedUpTo === undefined ? {} : { namedUpTo: checkpoint.namedUpTo }),
            ...(checkpoint.marked === undefined ? {} : { marked: checkpoint.marked.toString() }),
          },
  }
}

/** @throws Error when it is not what {@link encodeMailbox} makes. */
export function decodeMailbox({ id, accountId, box, record: stored, checkpoint }: MailboxRow): MailboxRecord {
  const { window, ...record } = stored
  return {
    id,
    accountId,
    box,
    isOnServer: true,
    formerBox: null,
    ...record,
    ...(window === undefined || window === null ? {} : { window: decodeWindow(window) }),
    tierLimit: record.tierLimit === null ? null : { expiresAt: 0, ...record.tierLimit },
    checkpoint:
      checkpoint === null
        ? null
        : {
            uidNext: checkpoint.uidNext,
            highestModSeq: checkpoint.highestModSeq === null ? null : modSeq(checkpoint.highestModSeq),
            known: UidSet.parse(checkpoint.known),
            covered: UidSet.parse(checkpoint.covered),
            ...(checkpoint.goneSince === undefined ? {} : { goneSince: UidSet.parse(checkpoint.goneSince) }),
            ...(checkpoint.namedUpTo === undefined ? {} : { namedUpTo: checkpoint.namedUpTo }),
            ...(checkpoint.marked === undefined ? {} : { marked: UidSet.parse(checkpoint.marked) }),
          },
  }
}

function encodeWindow({ dated, backfilled, ...window }: HeldWindow): StoredWindow {
  return { ...window, dated: dated.toString(), backfilled: backfilled.toString() }
}

function decodeWindow({ dated, backfilled, ...window }: StoredWindow): HeldWindow {
  return { ...window, dated: UidSet.parse(dated), backfilled: UidSet.parse(backfilled) }
}
