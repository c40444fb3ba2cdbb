/** `tidemail fetch`: takes parts of one message from the server into the store, and a part into a file. */

import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type MessageView, SyncError } from '@tidemail/core'
import type { Command } from 'commander'
import { connectionOf } from '../connect-settings.ts'
import { decodeBytes } from '../decode-text.ts'
import { engineLog } from '../engine-log.ts'
import { findMailbox } from '../find-mailbox.ts'
import { unknownMessages } from '../message-set.ts'
import { type OpenAccount, openStore, useAccount } from '../open-account.ts'
import { selectMessage } from '../select-messages.ts'
import { namedSettings, readSetup } from '../setup.ts'
import type { Choose, CommonOptions, VerbContext } from '../verb.ts'
import { visibleLine } from '../visible-text.ts'

interface FetchOptions extends CommonOptions {
  readonly part?: string
  readonly out?: string
}

/** The name of the whole message on the command line. */
const WHOLE = 'whole'

export function declareFetch(program: Command, choose: Choose): void {
  program
    .command('fetch')
    .description('fetch what of a message is not stored, such as what is attached; what is stored needs no network')
    .argument('<mailbox>', 'path, or a role such as \\Trash')
    .argument('<uid>', 'a UID')
    .option('--part <section>', 'only this part, as `tidemail show` names it; `whole` is the message as it was sent')
    .option('--out <file>', 'with --part: write the part to a file, decoded')
    .action((mailbox: string, uid: string, options: FetchOptions) => {
      choose(options, (context) => fetch(context, { mailbox, uid, options }))
    })
}

interface Request {
  readonly mailbox: string
  readonly uid: string
  readonly options: FetchOptions
}

async function fetch(context: VerbContext, request: Request): Promise<void> {
  if (request.options.out !== undefined && request.options.part === undefined) {
    throw new SyncError('input.usage', 'No part is named to be written.', { hint: 'Add --part SECTION, or --part whole.' })
  }
  const setup = await readSetup(context)
  const connection = connectionOf(setup, context.terminal.variables)
  const store = await openStore(setup.directory, 'existing', context.signal)
  await useAccount(store, { named: namedSettings(setup), connection, log: engineLog(context) }, (account) =>
    fetchParts(account, context, request),
  )
}

async function fetchParts(account: OpenAccount, context: VerbContext, { mailbox: name, uid, options }: Request): Promise<void> {
  const { engine, store, accountId } = account
  const mailbox = findMailbox(await engine.mailboxes(), name)
  const reference = await selectMessage({ store, accountId, mailbox }, uid)
  const message = await engine.message(reference)
  if (message === null) throw unknownMessages([uid], mailbox.path)
  const sections = options.part === undefined ? missingSections(message) : [options.part === WHOLE ? '' : options.part]
  let octets = 0
  for (const section of sections) {
    const bytes = await engine.fetchPart(reference, section, { signal: context.signal })
    octets += bytes.length
    const event = { kind: 'part', section: section === '' ? WHOLE : section, size: bytes.length }
    await context.printer.print(event, `Part ${event.section} is stored: ${bytes.length} octets.`)
    if (options.out !== undefined) await writePart(context, options.out, await decoded(message, section, bytes))
  }
  const text = sections.length === 0 ? 'All parts are stored.' : null
  await context.printer.print({ kind: 'result', parts: sections.length, octets }, text)
}

function missingSections({ parts, heldSections }: MessageView): readonly string[] {
  if (heldSections.includes('')) return []
  return parts.map(({ section }) => section).filter((section) => !heldSections.includes(section))
}

function decoded({ parts }: MessageView, section: string, bytes: Uint8Array): Promise<Uint8Array> {
  const part = parts.find((candidate) => candidate.section === section)
  return part === undefined ? Promise.resolve(bytes) : decodeBytes(part, bytes)
}

/** @throws SyncError `store.read-only` */
async function writePart({ terminal, printer }: VerbContext, file: string, bytes: Uint8Array): Promise<void> {
  await writeFile(resolve(terminal.folder, file), bytes).catch((cause: unknown) => {
    throw new SyncError('store.read-only', `The part cannot be written to ${file}.`, { cause })
  })
  await printer.print({ kind: 'file', file, size: bytes.length }, `${visibleLine(file)}: ${bytes.length} octets.`)
}
