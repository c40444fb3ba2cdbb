/** `tidemail sync`: makes the store and the server equal, both ways. */

import { SyncError } from '@tidemail/core'
import type { SyncReport } from '@tidemail/engine'
import { type Command, Option } from 'commander'
import { acceptRequest } from '../accept-request.ts'
import { connectionOf } from '../connect-settings.ts'
import { engineLog } from '../engine-log.ts'
import { findMailbox, seekMailbox } from '../find-mailbox.ts'
import { keepSettings, type OpenAccount, openStore, useAccount } from '../open-account.ts'
import { listenAsOwner } from '../owner-socket.ts'
import { wholeNumber } from '../parse-arguments.ts'
import { readProfileFile } from '../profile-file.ts'
import { namedSettings, readSetup } from '../setup.ts'
import { showProgress } from '../show-progress.ts'
import type { Choose, CommonOptions, VerbContext } from '../verb.ts'
import { visibleLine } from '../visible-text.ts'

export function declareSync(program: Command, choose: Choose): void {
  program
    .command('sync')
    .description('send what waits, and take in what is new')
    .argument('[mailboxes...]', 'only these mailboxes')
    .option('--profile <file>', 'what `tidemail doctor --out` wrote of the server')
    .option('--headers-only', 'keep no parts here: the same as --bodies none')
    .addOption(
      new Option('--last-days <count>', 'keep the messages of so many days').argParser(wholeNumber({ max: 999_999_999 })),
    )
    .addOption(new Option('--last-messages <count>', 'keep so many of each mailbox').argParser(wholeNumber({ max: 999_999_999 })))
    .option('--new-only', 'keep what comes from now on')
    .option('--whole', 'keep all messages again')
    .addOption(
      new Option('--allow-deletions <mailbox>', 'let many messages of this mailbox go at once').argParser(
        (name: string, before: readonly string[] = []) => [...before, name],
      ),
    )
    .action((mailboxes: readonly string[], options: SyncOptions) => {
      choose(options, (context) => sync(context, mailboxes, options))
    })
}

interface SyncOptions extends CommonOptions {
  readonly profile?: string
  readonly allowDeletions?: readonly string[]
}

async function sync(context: VerbContext, mailboxes: readonly string[], options: SyncOptions): Promise<void> {
  const { profile = null, allowDeletions = [] } = options
  const setup = await readSetup(context)
  const known = profile === null ? {} : { serverProfile: await readProfileFile(context, profile) }
  const named = namedSettings(setup)
  const connection = connectionOf(setup, context.terminal.variables)
  const isAccountNamed = named.host !== undefined && named.user !== undefined
  // What cannot work is said before a folder is made for it.
  if (isAccountNamed) connection.settings(null)
  const store = await openStore(setup.directory, isAccountNamed ? 'create' : 'existing', context.signal)
  const report = await useAccount(store, { named, connection, log: engineLog(context), ...known }, async (account) => {
    const owner = await listenAsOwner(setup.directory, (request) => acceptRequest(account, request))
    try {
      const known = await account.engine.mailboxes()
      for (const name of allowDeletions) await account.engine.allowDeletions({ mailbox: findMailbox(known, name).path })
      return await synchronise(account, context, mailboxes)
    } finally {
      await owner?.close()
    }
  })
  await printReport(context, report)
}

async function synchronise(account: OpenAccount, context: VerbContext, mailboxes: readonly string[]): Promise<SyncReport> {
  const { engine } = account
  const endProgress = showProgress(engine.status, context)
  try {
    const only = mailboxes.length === 0 ? {} : { mailboxes: await pathsOf(account, mailboxes) }
    const report = await engine.syncOnce({ ...only, signal: context.signal })
    await keepSettings(account)
    // One that the store did not know may have been found on the server.
    const known = await engine.mailboxes()
    for (const path of only.mailboxes ?? []) findMailbox(known, path)
    return report
  } finally {
    endProgress()
  }
}

/** The paths of what is known by path or role; other names stay as they are. */
async function pathsOf({ engine }: OpenAccount, names: readonly string[]): Promise<readonly string[]> {
  const known = await engine.mailboxes()
  return names.map((name) => seekMailbox(known, name)?.path ?? name)
}

async function printReport({ printer }: VerbContext, report: SyncReport): Promise<void> {
  for (const { code, message, mailbox, seq } of report.problems) {
    await printer.print({ kind: 'problem', code, message, mailbox, seq }, null)
  }
  for (const { from, to } of report.renamesGuessed) {
    const sentence = `${visibleLine(from)} is taken to be ${visibleLine(to)} now: the server shows the same state there.`
    await printer.print({ kind: 'rename-guessed', from, to }, sentence)
  }
  const { problems, renamesGuessed: _told, ...counts } = report
  if (report.outcome === 'done') {
    await printer.print({ kind: 'result', ...counts }, summaryOf(report))
    return
  }
  await printer.print({ kind: 'report', ...counts }, summaryOf(report))
  const [first] = problems
  const stopped = problems.find(({ code }) => code === 'sync.mass-delete')
  if (stopped !== undefined) throw new SyncError('sync.mass-delete', stopped.message)
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
  const why =
    first === undefined ? `${report.entriesPending} operations still wait` : `${first.message.replace(/\.$/, '')}${more}`
  throw new SyncError('sync.incomplete', `Not everything could be synchronised: ${why}.`)
}

function summaryOf(report: SyncReport): string {
  const { entriesPending, entriesParked, entriesUncertain } = report
  const left = [
    ...(entriesPending === 0 ? [] : [`${entriesPending} waiting`]),
    ...(entriesParked === 0 ? [] : [`${entriesParked} parked`]),
    ...(entriesUncertain === 0 ? [] : [`${entriesUncertain} uncertain`]),
  ]
  return [
    `${report.mailboxesChecked} mailboxes checked, ${report.mailboxesOpened} opened`,
    `${report.messagesFetched} messages fetched, ${report.messagesRemoved} removed, ${report.flagsChanged} flags changed, ${report.partsFetched} parts`,
    `${[`${report.entriesSettled} operations settled`, ...left].join(', ')}${left.length === 0 ? '' : ' (see `tidemail ops`)'}`,
  ].join('; ')
}
