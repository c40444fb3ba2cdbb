/** `tidemail draft`: saves a draft from a file, in place of the version before; now in the store and at the next sync on the server. */

import { resolve } from 'node:path'
import type { Command } from 'commander'
import { readMessageFile, readMessageFrom } from '../message-file.ts'
import { requestOperations } from '../request-operations.ts'
import type { Choose, CommonOptions } from '../verb.ts'

interface DraftOptions extends CommonOptions {
  readonly replaces?: string
}

export function declareDraft(program: Command, choose: Choose): void {
  program
    .command('draft')
    .usage('[options] [mailbox] <file>')
    .description('save a draft from a file; works offline')
    .argument('<mailbox>', 'path, or a role; \\Drafts unless said otherwise')
    .argument('[file]', 'the message as RFC 5322 has it; - is the standard input')
    .option('--replaces <uid>', 'the version before, which goes when this one is there: a UID, or a local such as local:3')
    .action((first: string, second: string | undefined, options: DraftOptions) => {
      const mailbox = second === undefined ? null : first
      const file = second ?? first
      choose(options, async (context) => {
        const { terminal, signal } = context
        const bytes = await (file === '-'
          ? readMessageFrom(terminal.input, signal)
          : readMessageFile(resolve(terminal.folder, file)))
        await requestOperations(context, [{ verb: 'draft', mailbox, replaces: options.replaces ?? null, bytes }])
      })
    })
}
