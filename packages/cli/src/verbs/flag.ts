/** `tidemail flag`: adds and removes flags and keywords, now in the store and at the next sync on the server. */

import { hasFlag, SyncError } from '@tidemail/core'
import type { Command } from 'commander'
import { parseFlags } from '../parse-arguments.ts'
import { requestOperations } from '../request-operations.ts'
import type { Choose, CommonOptions } from '../verb.ts'

interface FlagOptions extends CommonOptions {
  readonly add?: string
  readonly remove?: string
  readonly ifUnchanged?: boolean
}

export function declareFlag(program: Command, choose: Choose): void {
  program
    .command('flag')
    .description('add and remove flags and keywords; works offline')
    .argument('<mailbox>', 'path, or a role such as \\Trash')
    .argument('<uids>', 'UIDs such as 12,15:20, or locals such as local:3')
    .option('--add <flags>', "such as seen,flagged,'$Work'")
    .option('--remove <flags>', 'such as draft')
    .option('--if-unchanged', 'leave alone, and show, what somebody else changed meanwhile')
    .action((mailbox: string, messages: string, options: FlagOptions) => {
      choose(options, (context) => {
        const add = options.add === undefined ? [] : parseFlags(options.add)
        const remove = options.remove === undefined ? [] : parseFlags(options.remove)
        const both = add.find((flag) => hasFlag(remove, flag))
        if (both !== undefined) throw new SyncError('input.usage', `${both} cannot be added and removed at once.`)
        if (add.length + remove.length === 0) {
          throw new SyncError('input.usage', 'No flags were given.', { hint: 'Give --add FLAGS, --remove FLAGS or both.' })
        }
        return requestOperations(context, [
          { verb: 'flag', mailbox, messages, add, remove, when: options.ifUnchanged === true ? 'unchanged' : 'whatever' },
        ])
      })
    })
}
