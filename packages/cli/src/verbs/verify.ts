/** `tidemail verify`: holds the store against the server, and sets it right. */

import { SyncError } from '@tidemail/core'
import type { VerifiedMailbox, VerifyReport } from '@tidemail/engine'
import { type Command, Option } from 'commander'
import { acceptRequest } from '../accept-request.ts'
import { connectionOf } from '../connect-settings.ts'
import { engineLog } from '../engine-log.ts'
import { findMailbox } from '../find-mailbox.ts'
import { isoDate } from '../message-fields.ts'
import { openStore, useAccount } from '../open-account.ts'
import { listenAsOwner } from '../owner-socket.ts'
import { wholeNumber } from '../parse-arguments.ts'
import { namedSettings, readSetup } from '../setup.ts'
import { showProgress } from '../show-progress.ts'
import type { Choose, CommonOptions, VerbContext } from '../verb.ts'
import { visibleLine } from '../visible-text.ts'

const HEADING = 'COMPARED  MISSING    EXTRA    FLAGS  IDENTITY  MAILBOX'

interface VerifyOptions extends CommonOptions {
  readonly sample?: number
  readonly repair?: boolean
}

export function declareVerify(program: Command, choose: Choose): void {
  program
    .command('verify')
    .description('take in what is new, then compare the store with the server; sends nothing')
    .argument('[mailboxes...]', 'only these mailboxes')
    .addOption(
      new Option('--sample <count>', 'compare flags and identity of so many messages of each mailbox').argParser(
        wholeNumber({ max: 999_999_999 }),
      ),
    )
    .option('--repair', 'set the store right, without fetching what is there')
    .action((mailboxes: readonly string[], options: VerifyOptions) => {
      choose(options, async (context) => printReport(context, await verify(context, mailboxes, options)))
    })
}

async function verify(context: VerbContext, mailboxes: readonly string[], options: VerifyOptions): Promise<VerifyReport> {
  const setup = await readSetup(context)
  const connection = connectionOf(setup, context.terminal.variables)
  const store = await openStore(setup.directory, 'existing', context.signal)
  const named = namedSettings(setup)
  return useAccount(store, { named, connection, log: engineLog(context) }, async (account) => {
    const { engine } = account
    const owner = await listenAsOwner(setup.directory, (request) => acceptRequest(account, request))
    const endProgress = showProgress(engine.status, context)
    try {
      const known = await engine.mailboxes()
      const only = mailboxes.length === 0 ? {} : { mailboxes: mailboxes.map((name) => findMailbox(known, name).path) }
      const sample = options.sample === undefined ? {} : { sample: options.sample }
      return await engine.verify({ ...only, ...sample, repair: options.repair === true, signal: context.signal })
    } finally {
      endProgress()
      await owner?.close()
    }
  })
}

/** @throws SyncError `sync.differs`, `sync.incomplete` */
async function printReport({ printer }: VerbContext, { outcome, mailboxes, leftOut }: VerifyReport): Promise<void> {
  for (const [i, mailbox] of mailboxes.entries()) {
    await printer.print({ kind: 'mailbox', ...mailbox }, [...(i === 0 ? [HEADING] : []), ...mailboxLines(mailbox)])
  }
  for (const { path, reason } of leftOut) {
    await printer.print({ kind: 'left-out', path, reason }, `${visibleLine(path)} was left out: ${reason}.`)
  }
  const summary = { outcome, mailboxes: mailboxes.length, leftOut: leftOut.length }
  if (outcome === 'equal' || outcome === 'repaired') {
    const sentence = outcome === 'equal' ? 'The store is equal to the server.' : 'The store was set right.'
    await printer.print({ kind: 'result', ...summary }, sentence)
    return
  }
  await printer.print({ kind: 'report', ...summary }, null)
  if (outcome === 'incomplete') {
    throw new SyncError(
      'sync.incomplete',
      `${leftOut.length} ${leftOut.length === 1 ? 'mailbox' : 'mailboxes'} could not be compared.`,
    )
  }
  const different = mailboxes.filter((mailbox) => !mailbox.isRepaired && counts(mailbox).some((count) => count > 0))
  const paths = different.map(({ path }) => path).join(', ')
  throw new SyncError('sync.differs', `The store differs from the server in ${paths}.`)
}

function mailboxLines(mailbox: VerifiedMailbox): string[] {
  const { path, compared, isRepaired, tierLimit } = mailbox
  const columns = [compared, ...counts(mailbox)].map((count, i) => String(count).padStart(i === 0 || i === 4 ? 8 : 7))
  const line = `${columns.join('  ')}  ${visibleLine(path)}${isRepaired ? '  (set right)' : ''}`
  if (tierLimit === null) return [line]
  const until = isoDate(tierLimit.expiresAt)
  return [line, `    held to the ${tierLimit.tier} tier until ${until}, because ${visibleLine(tierLimit.reason)}`]
}

function counts({ missing, extra, flagsDiffer, identityDiffers }: VerifiedMailbox): number[] {
  return [missing, extra, flagsDiffer, identityDiffers].map((uids) => uids.size)
}
