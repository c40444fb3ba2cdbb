/** `tidemail delete`: moves messages to Trash, and removes for good what is there already; now in the store and at the next sync on the server. */

import type { Command } from 'commander'
import { requestOperations } from '../request-operations.ts'
import type { Choose, CommonOptions } from '../verb.ts'

interface DeleteOptions extends CommonOptions {
  readonly to?: string
}

export function declareDelete(program: Command, choose: Choose): void {
  program
    .command('delete')
    .description('move messages to Trash, or remove for good what is in it; works offline')
    .argument('<mailbox>', 'path, or a role such as \\Drafts')
    .argument('<uids>', 'UIDs such as 12,15:20, or locals such as local:3')
    .option('--to <mailbox>', 'the mailbox to use as Trash')
    .action((mailbox: string, messages: string, options: DeleteOptions) => {
      const trash = options.to ?? null
      choose(options, (context) => requestOperations(context, [{ verb: 'delete', mailbox, messages, trash }]))
    })
}
