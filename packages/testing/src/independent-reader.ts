/** Reads a whole account over a bare socket, sharing no code with what it is used to check. */

import { createHash } from 'node:crypto'
import { RawImap, type RawImapOptions, type RawResponse } from './raw-imap.ts'

export interface ReadMessage {
  readonly uid: number
  /** Sorted, `\Recent` left out. */
  readonly flags: readonly string[]
  /** Milliseconds since 1970. */
  readonly internalDate: number
  /** RFC822.SIZE as the server gives it. */
  readonly sizeBytes: number
  /** Of the whole body, in hex. */
  readonly sha256: string
  /** As in the header, with its angle brackets; null where there is none. */
  readonly messageId: string | null
}

export interface ReadMailbox {
  /** Decoded from modified UTF-7, with the server's delimiter. */
  readonly path: string
  readonly uidValidity: number
  /** By UID. */
  readonly messages: readonly ReadMessage[]
}

export interface ReadAccount {
  /** By path. */
  readonly mailboxes: readonly ReadMailbox[]
  /** Paths of what is listed and cannot be selected, sorted. */
  readonly containers: readonly string[]
  /** Paths of all that is subscribed, whether it is there or not. */
  readonly subscribed: ReadonlySet<string>
}

export interface IndependentReaderOptions extends RawImapOptions {
  readonly user: { readonly name: string; readonly password: string }
}

/** What the server holds now: every selectable mailbox with every message, opened read-only. */
export async function readAccount(options: IndependentReaderOptions): Promise<ReadAccount> {
  const client = await RawImap.connect(options)
  try {
    await client.login(options.user)
    const listed = (await client.ok('LIST "" "*"')).lines.flatMap((line) => readList(line) ?? [])
    const subscribed = (await client.ok('LSUB "" "*"')).lines.flatMap((line) => readList(line) ?? [])
    const mailboxes: ReadMailbox[] = []
    for (const one of listed.filter(({ isSelectable }) => isSelectable)) mailboxes.push(await readMailbox(client, one))
    await client.logout()
    return {
      mailboxes: mailboxes.sort((a, b) => (a.path < b.path ? -1 : 1)),
      containers: listed.flatMap(({ path, isSelectable }) => (isSelectable ? [] : [path])).sort(),
      subscribed: new Set(subscribed.filter(({ isSelectable }) => isSelectable).map(({ path }) => path)),
    }
  } finally {
    client.close()
  }
}

interface Listed {
  /** As it goes over the wire, unquoted. */
  readonly wireName: string
  readonly path: string
  readonly isSelectable: boolean
}

async function readMailbox(client: RawImap, listed: Listed): Promise<ReadMailbox> {
  const opened = await client.ok(`EXAMINE "${listed.wireName.replace(/[\\"]/g, '\\$&')}"`)
  const uidValidity = Number(only(opened.lines, /^\* OK \[UIDVALIDITY (\d+)\]/i, listed.path))
  const exists = Number(only(opened.lines, /^\* (\d+) EXISTS$/i, listed.path))
  const messages: ReadMessage[] = []
  // Some servers call a set that names nothing an error.
  if (exists > 0) {
    await client.ok('UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])', {
      onResponse: (response) => {
        const message = readMessage(response)
        if (message !== null) messages.push(message)
      },
    })
  }
  if (messages.length !== exists) throw new Error(`${listed.path} has ${exists} messages, but ${messages.length} were fetched.`)
  return { path: listed.path, uidValidity, messages: messages.sort((a, b) => a.uid - b.uid) }
}

function readList(response: RawResponse): Listed | null {
  const found = /^\* (?:LIST|LSUB) \(([^)]*)\) (?:NIL|"(?:[^"\\]|\\.)*") (.*)$/i.exec(response.text)
  if (found === null || /\\NonExistent\b/i.test(found[1] ?? '')) return null
  const isSelectable = !/\\Noselect\b/i.test(found[1] ?? '')
  const wireName = textOf(found[2] ?? '', response.literals)
  const path = decodeModifiedUtf7(wireName)
  return { wireName, path: path.toUpperCase() === 'INBOX' ? 'INBOX' : path, isSelectable }
}

/** Null for a FETCH that carries no body: flags that another session changed meanwhile. */
function readMessage({ text, literals }: RawResponse): ReadMessage | null {
  if (!/^\* \d+ FETCH /i.test(text)) return null
  const body = /BODY\[\] (NIL|\{\d+\}|"(?:[^"\\]|\\.)*")/i.exec(text)?.[1]
  const uid = /[ (]UID (\d+)/i.exec(text)?.[1]
  if (body === undefined || uid === undefined) return null
  const bytes = body.startsWith('{') ? (literals[0] ?? Buffer.alloc(0)) : Buffer.from(textOf(body, literals), 'latin1')
  const flags = /[ (]FLAGS \(([^)]*)\)/i.exec(text)?.[1]?.split(' ') ?? []
  return {
    uid: Number(uid),
    flags: flags.filter((flag) => flag !== '' && flag.toLowerCase() !== '\\recent').sort(),
    internalDate: readDate(/INTERNALDATE "([^"]*)"/i.exec(text)?.[1] ?? ''),
    sizeBytes: Number(/RFC822\.SIZE (\d+)/i.exec(text)?.[1]),
    sha256: createHash('sha256').update(bytes).digest('hex'),
    messageId: readMessageId(bytes),
  }
}

function readMessageId(bytes: Buffer): string | null {
  const end = bytes.indexOf('\r\n\r\n')
  const header = bytes.toString('latin1', 0, end === -1 ? bytes.length : end).replace(/\r\n(?=[ \t])/g, '')
  return /^Message-ID:[ \t]*(.*?)[ \t]*$/im.exec(header)?.[1] ?? null
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

/** RFC 9051 §9: date-time, such as ` 5-Jan-2026 10:00:00 +0100`. */
function readDate(text: string): number {
  const found = /^ ?(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)$/.exec(text)
  if (found === null) throw new Error(`Not a date of IMAP: ${text}`)
  const [, day, month = '', year, hour, minute, second, sign, zoneHours, zoneMinutes] = found
  const local = Date.UTC(
    Number(year),
    MONTHS.indexOf(month.toLowerCase()),
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  )
  const zoneMs = (Number(zoneHours) * 60 + Number(zoneMinutes)) * 60_000
  return sign === '-' ? local + zoneMs : local - zoneMs
}

function only(lines: readonly RawResponse[], pattern: RegExp, path: string): string {
  for (const line of lines) {
    const value = pattern.exec(line.text)?.[1]
    if (value !== undefined) return value
  }
  throw new Error(`The server did not answer ${pattern.source} on opening ${path}.`)
}

/** A string of IMAP: an atom, quoted, or a literal. */
function textOf(written: string, literals: readonly Buffer[]): string {
  if (written === 'NIL') return ''
  if (/^\{\d+\}$/.test(written)) return literals[0]?.toString('latin1') ?? ''
  return written.startsWith('"') ? written.slice(1, -1).replace(/\\(.)/g, '$1') : written
}

/** RFC 3501 §5.1.3. */
function decodeModifiedUtf7(name: string): string {
  return name.replace(/&([^-]*)-/g, (_all, encoded: string) => {
    if (encoded === '') return '&'
    return Buffer.from(encoded.replaceAll(',', '/'), 'base64').swap16().toString('utf16le')
  })
}
