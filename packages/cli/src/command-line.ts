/** Reads the command line: which verb, with which arguments and options. */

import { SyncError } from '@tidemail/core'
import { Command, CommanderError, Option } from 'commander'
import { wholeNumber } from './parse-arguments.ts'
import { BODIES, SECURITIES } from './settings.ts'
import type { Choose, CommonOptions, Run } from './verb.ts'
import { declareAppend } from './verbs/append.ts'
import { declareBackfill } from './verbs/backfill.ts'
import { declareCopy } from './verbs/copy.ts'
import { declareDelete } from './verbs/delete.ts'
import { declareDoctor } from './verbs/doctor.ts'
import { declareDraft } from './verbs/draft.ts'
import { declareExpunge } from './verbs/expunge.ts'
import { declareFetch } from './verbs/fetch.ts'
import { declareFlag } from './verbs/flag.ts'
import { declareList } from './verbs/list.ts'
import { declareMailbox } from './verbs/mailbox.ts'
import { declareMove } from './verbs/move.ts'
import { declareOps } from './verbs/ops.ts'
import { declarePlan } from './verbs/plan.ts'
import { declareShow } from './verbs/show.ts'
import { declareSync } from './verbs/sync.ts'
import { declareUndo } from './verbs/undo.ts'
import { declareVerify } from './verbs/verify.ts'
import { declareWatch } from './verbs/watch.ts'

export type CommandLine =
  | { readonly kind: 'verb'; readonly options: CommonOptions; readonly run: Run }
  /** `--help` or `--version`: the text to print. */
  | { readonly kind: 'text'; readonly text: string }

const DECLARATIONS = [
  declareSync,
  declareWatch,
  declarePlan,
  declareList,
  declareShow,
  declareFetch,
  declareFlag,
  declareMove,
  declareCopy,
  declareDelete,
  declareExpunge,
  declareAppend,
  declareDraft,
  declareMailbox,
  declareOps,
  declareUndo,
  declareBackfill,
  declareVerify,
  declareDoctor,
] as const

/** @throws SyncError `input.usage`, and `input.*` of an argument that cannot be read */
export function parseCommandLine(words: readonly string[], version: string): CommandLine {
  let chosen: CommandLine | null = null
  let printed = ''
  const program = new Command('tidemail')
    .description('Your mail, here: synchronised with an IMAP server, read and changed offline.')
    .version(version)
    .helpCommand(false)
  const choose: Choose = (options, run) => {
    chosen = { kind: 'verb', options, run }
  }
  for (const declare of DECLARATIONS) declare(program, choose)
  for (const command of [program, ...program.commands]) {
    if (command !== program) addCommonOptions(command)
    command.exitOverride().configureOutput({
      writeOut: (text) => {
        printed += text
      },
      writeErr: () => undefined,
    })
  }
  try {
    program.parse(words, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return { kind: 'text', text: printed.trimEnd() }
    throw usageError(
      error,
      program.commands.find((command) => command.name() === words[0]),
    )
  }
  if (chosen === null) throw new SyncError('input.usage', 'No verb was given.')
  return chosen
}

function addCommonOptions(command: Command): void {
  command
    .option('--store <dir>', 'the folder of the store')
    .option('--json', 'print one JSON object a line')
    .option('--config <file>', 'settings, instead of $XDG_CONFIG_HOME/tidemail/config.json')
    .option('--host <host>', 'the mail server')
    .addOption(new Option('--port <port>', 'its port (993 with tls, else 143)').argParser(wholeNumber({ max: 65_535 })))
    .option('--user <user>', 'the name to log in with')
    .option('--password-file <file>', 'read the password from a file')
    .option('--password-command <command>', 'read the password from what a command prints')
    .addOption(new Option('--security <kind>', 'tls unless said otherwise').choices(SECURITIES))
    .option('--ca <file>', 'authorities to trust, as PEM')
    .option('--allow-cleartext', 'with --security none: send the password in clear to another machine')
    .addOption(new Option('--bodies <kind>', 'which parts of messages to keep here').choices(BODIES))
    .addOption(new Option('--timeout <seconds>', 'how long the server may be silent').argParser(wholeNumber({ max: 86_400 })))
    .option('--verbose', 'tell what happens')
}

/** What commander says is one line or two: the message, and a suggestion in parentheses. */
function usageError(error: CommanderError, verb: Command | undefined): SyncError {
  if (error.code === 'commander.help') return new SyncError('input.usage', 'No verb was given.')
  const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n')
  const sentence = `${message.charAt(0).toUpperCase()}${message.slice(1)}`.replace(/\.?$/, '.')
  const hints = [
    suggestion?.replace(/^\((.*)\)$/, '$1'),
    error.code === 'commander.unknownOption' ? dashHint(sentence, verb) : undefined,
  ]
  const hint = hints.filter((one) => one !== undefined).join(' ') || undefined
  return new SyncError('input.usage', sentence, { ...(hint === undefined ? {} : { hint }), cause: error })
}

/** What begins with a dash may have been meant as a mailbox or a file. */
function dashHint(sentence: string, verb: Command | undefined): string | undefined {
  const word = /'(-.*)'/.exec(sentence)?.[1]
  if (word === undefined || verb === undefined) return undefined
  const before = `tidemail ${verb.name()}${verb.registeredArguments.length > 1 ? ' ...' : ''}`
  return `A name that begins with a dash comes after --: \`${before} -- ${word}\`; \`tidemail ${verb.name()} --help\` has the options.`
}
