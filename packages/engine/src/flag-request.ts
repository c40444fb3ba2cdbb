/** Makes the request for a change of flags; and, where it is to depend on nobody having made another, takes down how the messages are now. */

import { type AccountId, type MessageStore, parseFlag, SyncError, type Targets } from '@tidemail/core'
import type { FlagOperation } from '@tidemail/replay-log'
import type { FlagChange } from './api.ts'

type FlagRequest = Omit<FlagOperation, 'targets' | 'names'>

/** @throws SyncError `input.bad-flag` */
export function flagRequest({ add = [], remove = [] }: FlagChange): FlagRequest {
  if (add.length + remove.length === 0) throw new SyncError('input.bad-flag', 'No flag is named.')
  return { kind: 'flag', add: add.map(parseFlag), remove: remove.map(parseFlag) }
}

/** @throws SyncError `input.not-conditional` for a mailbox without mod-sequences, and for messages that only exist here */
export async function withCondition(
  request: FlagRequest,
  { when }: FlagChange,
  targets: Targets,
  { accountId, store }: { readonly accountId: AccountId; readonly store: MessageStore },
): Promise<FlagRequest> {
  if (when !== 'unchanged') return request
  const mailboxes = await store.planning.mailboxes(accountId)
  const since = mailboxes.find(({ id }) => id === targets.mailboxId)?.checkpoint?.highestModSeq ?? null
  if (targets.kind === 'local' || since === null) {
    throw new SyncError('input.not-conditional', 'The mailbox does not tell which messages changed.', {
      hint: 'Change the flags whatever others did.',
    })
  }
  return { ...request, ifUnchanged: { since, base: await store.planning.flags(targets.mailboxId, targets.uids) } }
}
