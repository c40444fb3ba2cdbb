/** `tidemail append`: takes messages from files into a mailbox, now in the store and at the next sync on the server. */

import { resolve } from 'node:path'
import type { Command } from 'commander'
import { checkMessageFiles, readMessageFile, readMessageFrom } from '../message-file.ts'
import type { OperationRequest } from '../operation-request.ts'
import { parseDate, parseFlags } from '../parse-arguments.ts'
import { requestOperations } from '../request-operations.ts'
import type { Choose, CommonOptions, VerbContext } from '../verb.ts'

interface AppendOptions extends CommonOptions {
  readonly flags?: string
  readonly date?: string
}

export function declareAppend(program: Command, choose: Choose): void {
  program
    .command('append')
    .description('add messages from files; works offline')
    .argument('<mailbox>', 'path, or a role such as \\Drafts')
    .argument('<files...>', 'messages as RFC 5322 has them; - is the standard input')
    .option('--flags <flags>', "such as seen,draft,'$Work'")
    .option('--date <date>', 'when they arrived, such as 2026-01-31T09:30:00Z; now unless said otherwise')
    .action((mailbox: string, files: readonly string[], options: AppendOptions) => {
      choose(options, (context) => append(context, { mailbox, files, options }))
    })
}

interface Request {
  readonly mailbox: string
  readonly files: readonly string[]
  readonly options: AppendOptions
}

async function append(context: VerbContext, { mailbox, files, options }: Request): Promise<void> {
  const flags = options.flags === undefined ? [] : parseFlags(options.flags)
  const internalDate = options.date === undefined ? null : parseDate(options.date)
  const input = files.includes('-') ? await readMessageFrom(context.terminal.input, context.signal) : null
  const paths = files.map((file) => (file === '-' ? null : resolve(context.terminal.folder, file)))
  // All are checked before any is accepted. Files are read again one by one.
  const held = await checkMessageFiles(paths.filter((path) => path !== null))
  async function* requests(): AsyncGenerator<OperationRequest> {
    for (const path of paths) {
      const bytes = path === null ? input : (held.get(path) ?? (await readMessageFile(path)))
      if (bytes !== null) yield { verb: 'append', mailbox, flags, internalDate, bytes }
    }
  }
  await requestOperations(context, requests())
}
