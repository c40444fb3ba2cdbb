/** `tidemail expunge`: removes messages for good, now in the store and at the next sync on the server. */

import type { Command } from 'commander'
import { requestOperations } from '../request-operations.ts'
import type { Choose, CommonOptions } from '../verb.ts'

export function declareExpunge(program: Command, choose: Choose): void {
  program
    .command('expunge')
    .description('remove messages for good; works offline')
    .argument('<mailbox>', 'path, or a role such as \\Trash')
    .argument('<uids>', 'UIDs such as 12,15:20, or locals such as local:3')
    .action((mailbox: string, messages: string, options: CommonOptions) => {
      choose(options, (context) => requestOperations(context, [{ verb: 'expunge', mailbox, messages }]))
    })
}
