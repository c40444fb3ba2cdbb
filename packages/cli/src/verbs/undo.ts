/** `tidemail undo`: takes back an operation: for free while nothing was sent, otherwise by the opposite. */

import type { Command } from 'commander'
import { parseSeq } from '../parse-arguments.ts'
import { requestOperations } from '../request-operations.ts'
import type { Choose, CommonOptions } from '../verb.ts'

export function declareUndo(program: Command, choose: Choose): void {
  program
    .command('undo')
    .description('take back an operation; once it was sent, by asking for the opposite')
    .argument('<seq>', 'its number, as `tidemail ops` shows it')
    .action((seq: string, options: CommonOptions) => {
      choose(options, async (context) => requestOperations(context, [{ verb: 'undo', seq: parseSeq(seq) }]))
    })
}
