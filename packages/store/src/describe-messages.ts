/** Reads what the columns do not hold of messages: envelope, structure, EMAILID. */

import { type BoxEpoch, type MailboxId, UidSet } from '@tidemail/core'
import { readEnvelopes } from './apply-messages.ts'
import { chunkOf } from './packed-columns.ts'
import { type Described, describedIn } from './packed-envelopes.ts'
import type { StoreDatabase } from './schema.ts'
import { corruptMailbox } from './store-errors.ts'

/** What is told of messages, by UID. @throws SyncError `store.corrupt` when one is missing or cannot be read. */
export async function describe(
  db: StoreDatabase,
  place: { readonly box: BoxEpoch; readonly mailboxId: MailboxId },
  uids: readonly number[],
): Promise<ReadonlyMap<number, Described>> {
  const rows = await readEnvelopes({ db }, place.box, UidSet.from(uids))
  const byChunk = new Map(rows.map((row) => [row.chunk, row]))
  const told = new Map<number, Described>()
  for (const uid of uids) {
    const described = decodedDescription(place.mailboxId, () => describedIn(byChunk.get(chunkOf(uid)), uid))
    if (described === null) throw corruptMailbox(`a message without its envelope in mailbox ${place.mailboxId}`)
    told.set(uid, described)
  }
  return told
}

function decodedDescription(mailboxId: MailboxId, read: () => Described | null): Described | null {
  try {
    return read()
  } catch (error) {
    throw corruptMailbox(`an envelope in mailbox ${mailboxId}`, error)
  }
}
