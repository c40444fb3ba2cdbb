/** `tidemail copy`: copies messages to another mailbox, now in the store and at the next sync on the server. */

import type { Command } from 'commander'
import { requestOperations } from '../request-operations.ts'
import type { Choose, CommonOptions } from '../verb.ts'

export function declareCopy(program: Command, choose: Choose): void {
  program
    .command('copy')
    .description('copy messages to another mailbox; works offline')
    .argument('<mailbox>', 'path, or a role such as \\Trash')
    .argument('<uids>', 'UIDs such as 12,15:20, or locals such as local:3')
    .argument('<target>', 'path, or a role such as \\Trash')
    .action((mailbox: string, messages: string, target: string, options: CommonOptions) => {
      choose(options, (context) => requestOperations(context, [{ verb: 'copy', mailbox, messages, target }]))
    })
}
