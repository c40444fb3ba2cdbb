/** Has messages share what is held of the same content in another mailbox, so that nothing is downloaded twice (RFC 8474 §8.3). */

import type { Change, MailboxRecord, MessageStore, UidSet } from '@tidemail/core'

export interface LinkOptions {
  readonly store: MessageStore
  readonly leaderEpoch: number
}

/** True when some of the messages gained parts. */
export async function linkParts(
  { store, leaderEpoch }: LinkOptions,
  { id, box, path }: Pick<MailboxRecord, 'id' | 'box' | 'path'>,
  uids: UidSet,
): Promise<boolean> {
  const gaining = await store.planning.linkable(id, uids)
  if (gaining.isEmpty) return false
  const change: Change = {
    reason: `share with ${path} what is held of the same messages elsewhere`,
    expect: { leaderEpoch, boxes: [{ mailboxId: id, box }] },
    writes: [{ kind: 'link-parts', mailboxId: id, uids: gaining }],
  }
  return (await store.commit(change)).kind === 'committed'
}
