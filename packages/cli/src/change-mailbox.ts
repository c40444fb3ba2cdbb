/** Has the engine accept what is asked of a mailbox as such. */

import type { MailboxView } from '@tidemail/core'
import type { MailEngine, OperationHandle } from '@tidemail/engine'
import { findMailbox } from './find-mailbox.ts'
import type { OperationRequest } from './operation-request.ts'

/** @throws SyncError `input.unknown-mailbox` */
export function changeMailbox(
  engine: MailEngine,
  request: Extract<OperationRequest, { readonly verb: 'mailbox' }>,
  mailboxes: readonly MailboxView[],
): OperationHandle {
  if (request.action === 'create') return engine.createMailbox(request.mailbox)
  const { id } = findMailbox(mailboxes, request.mailbox)
  switch (request.action) {
    case 'rename':
      return engine.renameMailbox(id, request.path)
    case 'delete':
      return engine.deleteMailbox(id)
    case 'subscribe':
      return engine.subscribe(id)
    case 'unsubscribe':
      return engine.unsubscribe(id)
  }
}
