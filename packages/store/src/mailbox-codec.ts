/** The stored form of a mailbox: its checkpoint's UID sets as RFC 9051 writes them, its mod-sequence in decimal. */

import { type AccountId, type BoxEpoch, type MailboxId, type MailboxRecord, modSeq, type TierLimit, UidSet } from '@tidemail/core'

export interface MailboxRow {
  readonly id: MailboxId
  readonly accountId: AccountId
  readonly box: BoxEpoch
  /** `isOnServer` may be missing: then it is; `formerBox`: then there is none. A limit without its end has ended. */
  readonly record: Omit<MailboxRecord, 'id' | 'accountId' | 'box' | 'checkpoint' | 'isOnServer' | 'formerBox' | 'tierLimit'> & {
    readonly isOnServer?: boolean
    readonly formerBox?: BoxEpoch | null
    readonly tierLimit: (Omit<TierLimit, 'expiresAt'> & { readonly expiresAt?: number }) | null
  }
  readonly checkpoint: StoredCheckpoint | null
}

interface StoredCheckpoint {
  readonly uidNext: number
  readonly highestModSeq: string | null
  readonly known: string
  readonly covered: string
}

export function encodeMailbox(mailbox: MailboxRecord): MailboxRow {
  const { id, accountId, box, checkpoint, ...record } = mailbox
  return {
    id,
    accountId,
    box,
    record,
    checkpoint:
      checkpoint === null
        ? null
        : {
            uidNext: checkpoint.uidNext,
            highestModSeq: checkpoint.highestModSeq?.toString() ?? null,
            known: checkpoint.known.toString(),
            covered: checkpoint.covered.toString(),
          },
  }
}

/** @throws Error when it is not what {@link encodeMailbox} makes. */
export function decodeMailbox({ id, accountId, box, record, checkpoint }: MailboxRow): MailboxRecord {
  return {
    id,
    accountId,
    box,
    isOnServer: true,
    formerBox: null,
    ...record,
    tierLimit: record.tierLimit === null ? null : { expiresAt: 0, ...record.tierLimit },
    checkpoint:
      checkpoint === null
        ? null
        : {
            uidNext: checkpoint.uidNext,
            highestModSeq: checkpoint.highestModSeq === null ? null : modSeq(checkpoint.highestModSeq),
            known: UidSet.parse(checkpoint.known),
            covered: UidSet.parse(checkpoint.covered),
          },
  }
}
