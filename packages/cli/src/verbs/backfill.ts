/** `tidemail backfill`: fetches older messages than are kept otherwise, and lets go of them again. */

import type { BackfillReport } from '@tidemail/engine'
import { type Command, Option } from 'commander'
import { acceptRequest } from '../accept-request.ts'
import { connectionOf } from '../connect-settings.ts'
import { engineLog } from '../engine-log.ts'
import { findMailbox } from '../find-mailbox.ts'
import { openStore, useAccount } from '../open-account.ts'
import { listenAsOwner } from '../owner-socket.ts'
import { wholeNumber } from '../parse-arguments.ts'
import { namedSettings, readSetup } from '../setup.ts'
import { showProgress } from '../show-progress.ts'
import type { Choose, CommonOptions, VerbContext } from '../verb.ts'

/** Older messages that are fetched when no number is given. */
const BACKFILL_MESSAGES = 100

interface BackfillOptions extends CommonOptions {
  readonly messages: number
  readonly release?: boolean
}

export function declareBackfill(program: Command, choose: Choose): void {
  program
    .command('backfill')
    .description('fetch older messages of a mailbox than are kept otherwise, newest first')
    .argument('<mailbox>')
    .addOption(
      new Option('--messages <count>', 'so many more').default(BACKFILL_MESSAGES).argParser(wholeNumber({ max: 999_999_999 })),
    )
    .option('--release', 'let go of all that were fetched so')
    .action((mailbox: string, options: BackfillOptions) => {
      choose(options, async (context) =>
        printReport(context, await backfill(context, mailbox, options.release === true ? 0 : options.messages)),
      )
    })
}

async function backfill(context: VerbContext, name: string, messages: number): Promise<BackfillReport> {
  const setup = await readSetup(context)
  const connection = connectionOf(setup, context.terminal.variables)
  const store = await openStore(setup.directory, 'existing', context.signal)
  return useAccount(store, { named: namedSettings(setup), connection, log: engineLog(context) }, async (account) => {
    const { engine } = account
    const owner = await listenAsOwner(setup.directory, (request) => acceptRequest(account, request))
    const endProgress = showProgress(engine.status, context)
    try {
      const { path } = findMailbox(await engine.mailboxes(), name)
      return await engine.backfill({ mailbox: path, messages, signal: context.signal })
    } finally {
      endProgress()
      await owner?.close()
    }
  })
}

async function printReport({ printer }: VerbContext, report: BackfillReport): Promise<void> {
  const { messagesFetched, messagesToFetch, messagesLeftOut } = report
  const waiting = messagesToFetch === 0 ? '' : `, ${messagesToFetch} still to fetch`
  await printer.print(
    { kind: 'result', ...report },
    `${messagesFetched} messages fetched${waiting}; ${messagesLeftOut} more are on the server only.`,
  )
}
