/** `tidemail mailbox`: makes, renames, deletes, subscribes to mailboxes, now in the store and at the next sync on the server. */

import { SyncError } from '@tidemail/core'
import { Argument, type Command } from 'commander'
import { MAILBOX_ACTIONS, type MailboxAction, type OperationRequest } from '../operation-request.ts'
import { requestOperations } from '../request-operations.ts'
import type { Choose, CommonOptions } from '../verb.ts'

export function declareMailbox(program: Command, choose: Choose): void {
  program
    .command('mailbox')
    .description('create, rename, delete, subscribe or unsubscribe a mailbox; works offline')
    .addArgument(new Argument('<action>', 'what to do').choices(MAILBOX_ACTIONS))
    .argument('<mailbox>', 'path, or, of one that is there, a role such as \\Archive')
    .argument('[path]', 'with rename: the new path')
    .action((action: MailboxAction, mailbox: string, path: string | undefined, options: CommonOptions) => {
      const request = requestOf(action, mailbox, path)
      choose(options, (context) => requestOperations(context, [request]))
    })
}

function requestOf(action: MailboxAction, mailbox: string, path: string | undefined): OperationRequest {
  if (action === 'rename') {
    if (path === undefined) throw new SyncError('input.usage', 'The new path is missing: tidemail mailbox rename PATH NEW.')
    return { verb: 'mailbox', action, mailbox, path }
  }
  if (path !== undefined) throw new SyncError('input.usage', `Only rename takes a second path: tidemail mailbox ${action} PATH.`)
  return { verb: 'mailbox', action, mailbox }
}
