/** `tidemail doctor`: tries in a mailbox of its own what the mail server does against what it claims, and remembers what it found. */

import type { DistrustedCapability, MailboxRecord, ServerProfile } from '@tidemail/core'
import { examineServer, type Finding, keepServerProfile } from '@tidemail/engine'
import { type Command, Option } from 'commander'
import { connectionOf } from '../connect-settings.ts'
import { engineLog } from '../engine-log.ts'
import { isoDate } from '../message-fields.ts'
import { offline, openStore, useAccount } from '../open-account.ts'
import { wholeNumber } from '../parse-arguments.ts'
import { writeProfileFile } from '../profile-file.ts'
import type { AccountSettings } from '../settings.ts'
import { namedSettings, readSetup, type Setup } from '../setup.ts'
import { isVacant } from '../vacant-folder.ts'
import type { Choose, CommonOptions, VerbContext } from '../verb.ts'
import { visibleLine } from '../visible-text.ts'

/** Longer than any server promises to keep an idle connection (RFC 9051 §5.4). */
const IDLE_SECONDS_MAX = 3_600
const HEADING = `${'FINDING'.padEnd(12)}  ${'CHECK'.padEnd(15)}  WHAT WAS SEEN`

interface DoctorOptions extends CommonOptions {
  /** Seconds. */
  readonly idle?: number
  readonly out?: string
  readonly save: boolean
}

export function declareDoctor(program: Command, choose: Choose): void {
  program
    .command('doctor')
    .description('try in a mailbox of its own, which is removed again, what the mail server does against what it claims')
    .addOption(
      new Option('--idle <seconds>', 'how long to try an idle connection; it is not tried otherwise').argParser(
        wholeNumber({ max: IDLE_SECONDS_MAX }),
      ),
    )
    .option('--out <file>', 'write what was found for `tidemail sync --profile`')
    .option('--no-save', 'do not keep what was found in the store')
    .action((options: DoctorOptions) => choose(options, (context) => doctor(context, options)))
}

async function doctor(context: VerbContext, options: DoctorOptions): Promise<void> {
  const setup = await readSetup(context)
  const hasStore = !(await isVacant(setup.directory))
  const settings = await settingsOf(setup, context, { hasStore })
  const connection = connectionOf(setup, context.terminal.variables)
  const remote = await connection.remote(settings)
  // The store is left to others while the server is examined.
  const { findings, profile, scratch, leftovers } = await examineServer({
    remote,
    idleMs: (options.idle ?? 0) * 1_000,
    signal: context.signal,
    onFinding: printFinding(context),
  })
  for (const path of leftovers) {
    const text = `${visibleLine(path)} is the mailbox of an examination that could not remove it: delete it.`
    await context.printer.print({ kind: 'leftover', path }, text)
  }
  if (options.out !== undefined) await writeProfileFile(context, options.out, profile)
  const isKept = hasStore && options.save
  const now = Date.now()
  const known = isKept ? await kept(setup, context, { profile, now }) : { server: profile, mailboxes: [] }
  await printKnown(context, known, now)
  const wrong = findings.filter(({ verdict }) => verdict === 'missing' || verdict === 'contradicts').length
  const counted =
    wrong === 0
      ? 'Nothing contradicts what the server claims.'
      : `${wrong} of ${findings.length} findings are against the server.`
  const where = isKept ? ' The store keeps what was found.' : ' What was found is not kept in a store.'
  await context.printer.print({ kind: 'result', checks: findings.length, wrong, isKept, scratch }, counted + where)
}

async function settingsOf(
  setup: Setup,
  context: VerbContext,
  { hasStore }: { readonly hasStore: boolean },
): Promise<AccountSettings> {
  const connection = connectionOf(setup, context.terminal.variables)
  if (!hasStore) return connection.settings(null)
  const store = await openStore(setup.directory, 'existing', context.signal)
  return useAccount(store, { named: namedSettings(setup), connection, log: engineLog(context) }, async ({ settings }) =>
    settings === null ? connection.settings(null) : settings,
  )
}

/** What is known of the server, of this examination and before. */
interface Known {
  readonly server: ServerProfile
  readonly mailboxes: readonly MailboxRecord[]
}

async function kept(
  setup: Setup,
  context: VerbContext,
  found: { readonly profile: ServerProfile; readonly now: number },
): Promise<Known> {
  const opened = await openStore(setup.directory, 'existing', context.signal)
  return useAccount(opened, offline(namedSettings(setup)), async ({ store, accountId }) => {
    await keepServerProfile(store, accountId, found)
    const account = (await store.planning.accounts()).find(({ id }) => id === accountId)
    return { server: account?.server ?? found.profile, mailboxes: await store.planning.mailboxes(accountId) }
  })
}

function printFinding({ printer }: VerbContext): (finding: Finding) => Promise<void> {
  let isFirst = true
  return async (finding) => {
    const { id, verdict, sentence } = finding
    const line = `${verdict.padEnd(12)}  ${id.padEnd(15)}  ${visibleLine(sentence)}`
    await printer.print({ kind: 'finding', ...finding }, isFirst ? [HEADING, line] : line)
    isFirst = false
  }
}

async function printKnown({ printer }: VerbContext, { server, mailboxes }: Known, now: number): Promise<void> {
  await printer.print({ kind: 'profile', ...server }, server.distrusted.map(distrustLine))
  for (const { path, tierLimit } of mailboxes) {
    if (tierLimit === null || tierLimit.expiresAt <= now) continue
    const { tier, reason, expiresAt } = tierLimit
    const text = `${visibleLine(path)} is held to the ${tier} tier until ${isoDate(expiresAt)}: ${visibleLine(reason)}.`
    await printer.print({ kind: 'tier-limit', path, tier, reason, expiresAt }, text)
  }
}

function distrustLine({ capability, reason, expiresAt }: DistrustedCapability): string {
  return `${visibleLine(capability)} is not used until ${isoDate(expiresAt)}: ${visibleLine(reason).replace(/\.?$/, '.')}`
}
