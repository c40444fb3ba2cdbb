/** `tidemail show`: one message, its headers and its text as far as the store holds them. */

import type { MessageReference, MessageView, MimePart } from '@tidemail/core'
import type { Command } from 'commander'
import { attachedHeading, decodeAttached, decodeMessage, decodePart, isAttachedMessage } from '../decode-text.ts'
import { findMailbox } from '../find-mailbox.ts'
import { addressText, isoDate, messageFields, nameOf } from '../message-fields.ts'
import { unknownMessages } from '../message-set.ts'
import { type OpenAccount, offline, openStore, useAccount } from '../open-account.ts'
import { selectMessage } from '../select-messages.ts'
import { readSetup } from '../setup.ts'
import type { Choose, CommonOptions, VerbContext } from '../verb.ts'
import { visibleLine, visibleLines } from '../visible-text.ts'

export function declareShow(program: Command, choose: Choose): void {
  program
    .command('show')
    .description('show one message: the headers and the text that are stored')
    .argument('<mailbox>', 'path, or a role such as \\Trash')
    .argument('<uid>', 'a UID, or a local such as local:3')
    .action((mailbox: string, uid: string, options: CommonOptions) => {
      choose(options, async (context) => {
        const { directory, options: named } = await readSetup(context)
        const store = await openStore(directory, 'existing', context.signal)
        await useAccount(store, offline(named), (account) => show(account, context, mailbox, uid))
      })
    })
}

async function show(account: OpenAccount, { printer }: VerbContext, mailboxName: string, uid: string): Promise<void> {
  const { engine, store, accountId } = account
  const mailbox = findMailbox(await engine.mailboxes(), mailboxName)
  const reference = await selectMessage({ store, accountId, mailbox }, uid)
  const message = await engine.message(reference)
  if (message === null) throw unknownMessages([nameOf(reference)], mailbox.path)
  const own = await heldText(account, reference, message)
  const attached = await attachedMessages(account, reference, message)
  const parts = message.parts.map(({ section, type, sizeBytes, fileName }) => {
    return { section, type, size: sizeBytes, fileName, isHeld: message.heldSections.includes(section) }
  })
  const { to, cc, inReplyTo } = message.envelope
  const event = {
    ...messageFields(message),
    mailbox: mailbox.path,
    to: to.map(addressText),
    cc: cc.map(addressText),
    inReplyTo,
    parts,
    text: [own, ...attached.held].filter((text) => text !== null).join('\n\n') || own,
  }
  const texts = [own ?? notHeld(message), ...attached.held, ...attached.missing].filter((text) => text !== null)
  await printer.print(event, [...headerLines(message), '', ...visibleLines(texts.join('\n\n'))])
  await printer.print({ kind: 'result', messages: 1 }, null)
}

function headerLines({
  envelope,
  flags,
  internalDate,
  sizeBytes,
  parts,
  heldSections,
  isPending,
  reference,
}: MessageView): string[] {
  const fields: readonly (readonly [string, string | null])[] = [
    ['UID', nameOf(reference)],
    ['From', envelope.from.map(addressText).join(', ')],
    ['To', envelope.to.map(addressText).join(', ')],
    ['Cc', envelope.cc.map(addressText).join(', ')],
    ['Subject', envelope.subject],
    ['Date', envelope.date === null ? null : isoDate(envelope.date)],
    ['Received', isoDate(internalDate)],
    ['Message-ID', envelope.messageId],
    ['In-Reply-To', envelope.inReplyTo],
    ['Flags', flags.join(' ')],
    ['Size', `${sizeBytes} octets`],
    ['Pending', isPending ? 'an operation waits for the server' : null],
    ...parts.map((part) => ['Part', partText(part, heldSections)] as const),
  ]
  return fields.flatMap(([name, value]) =>
    value === null || value === '' ? [] : [`${`${name}:`.padEnd(12)} ${visibleLine(value)}`],
  )
}

function partText(part: MimePart, held: readonly string[]): string {
  const { section, type, sizeBytes, fileName } = part
  const isHeld = held.includes(section) || held.includes('')
  return `${section} ${type}, ${sizeBytes} octets${fileName === null ? '' : `, ${fileName}`}${isHeld ? '' : ' (not stored)'}`
}

/** The plain text parts; where there are none, the first HTML part as text. Null when none is held. */
async function heldText({ engine }: OpenAccount, reference: MessageReference, message: MessageView): Promise<string | null> {
  if (message.heldSections.includes('')) {
    const bytes = await engine.part(reference, '')
    return bytes === null ? null : decodeMessage(bytes)
  }
  const inline = message.parts.filter(
    ({ section, disposition }) => disposition !== 'attachment' && message.heldSections.includes(section),
  )
  const plain = inline.filter(({ type }) => type === 'text/plain')
  const chosen = plain.length > 0 ? plain : inline.filter(({ type }) => type === 'text/html').slice(0, 1)
  const texts: string[] = []
  for (const part of chosen) {
    const bytes = await engine.part(reference, part.section)
    if (bytes !== null) texts.push(await decodePart(part, bytes))
  }
  return texts.length === 0 ? null : texts.join('\n')
}

interface AttachedMessages {
  readonly held: readonly string[]
  /** What to say of those that are not stored. */
  readonly missing: readonly string[]
}

/** The messages attached to this one, where it is not held as a whole. */
async function attachedMessages(
  { engine }: OpenAccount,
  reference: MessageReference,
  message: MessageView,
): Promise<AttachedMessages> {
  const held: string[] = []
  const missing: string[] = []
  if (message.heldSections.includes('')) return { held, missing }
  for (const { type, section, fileName, encoding } of message.parts) {
    if (!isAttachedMessage({ type })) continue
    const bytes = message.heldSections.includes(section) ? await engine.part(reference, section) : null
    if (bytes === null) missing.push(`[Part ${section} is an attached message, not stored: \`tidemail fetch\` fetches it.]`)
    else held.push(`${attachedHeading(fileName)}\n${await decodeAttached(bytes, encoding)}`)
  }
  return { held, missing }
}

const NOT_HELD =
  '[The text is not stored: `tidemail sync --bodies text` fetches small and recent texts, `tidemail fetch` this one.]'

/** What is said in place of the text; null where there are attached messages instead. */
function notHeld({ parts }: MessageView): string | null {
  if (parts.some(({ type }) => type.startsWith('text/'))) return NOT_HELD
  return parts.some(isAttachedMessage) ? null : '[The message has no text.]'
}
