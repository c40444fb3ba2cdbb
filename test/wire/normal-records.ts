/** Takes out of a recorded session what is of one run only, or secret: names of hosts and users, passwords, times, and what was made up at random. */

import { hostname } from 'node:os'
import type { TestUser } from '@tidemail/testing'
import { FAR_FUTURE } from './scripted-session.ts'
import type { WireRecord } from './wire-record.ts'
import { readValue, writeValue } from './wire-record.ts'

/** Who logs in when the session is played. */
export const PLAYED_USER: TestUser = { name: 'ann', password: 'secret' }
/** UIDVALIDITY is often the second in which a mailbox was made: this stands for the first of a session. */
const FIRST_UIDVALIDITY = 1_000_001
/** X-GM-MSGID is more than a number of JavaScript can hold, and that it is must stay to be seen. */
const FIRST_GMAIL_ID = 1_500_000_000_000_000_001n

export function normalRecords(records: readonly WireRecord[], user: TestUser): readonly WireRecord[] {
  const text = records.map((record) => ('text' in record ? record.text : writeValue(record))).join('\n')
  const renamed = new Map<string, string>()
  for (const validity of everyMatch(text, /(?:UIDVALIDITY |"uidValidity":)(\d+)/g))
    renamed.set(validity, String(FIRST_UIDVALIDITY + renamed.size))
  const validities = renamed.size
  for (const id of everyMatch(text, /MAILBOXID \(([\w-]+)\)/g)) renamed.set(id, `F${renamed.size - validities + 1}`)
  const mailboxIds = renamed.size
  for (const id of records.flatMap((record) => (record.kind === 'body' ? [record.bodyId] : [])))
    renamed.set(id, `body-${renamed.size - mailboxIds + 1}`)
  for (const [at, id] of [...everyMatch(text, /X-GM-MSGID (\d+)/g)].entries())
    renamed.set(id, String(FIRST_GMAIL_ID + BigInt(at)))
  return records.map((record) => normalRecord(record, renamed, user))
}

function normalRecord(record: WireRecord, renamed: ReadonlyMap<string, string>, user: TestUser): WireRecord {
  switch (record.kind) {
    case 'note':
    case 'literal':
      return record
    case 'body':
      return { ...record, bodyId: renamed.get(record.bodyId) ?? record.bodyId }
    case 'call': {
      const argument = writeValue(record.argument)
        .replace(/"notAfter":\d+/g, `"notAfter":${FAR_FUTURE}`)
        .replace(/"since":\d+,"expiresAt":\d+/g, `"since":0,"expiresAt":${FAR_FUTURE}`)
        .replace(/"bodyId":"([^"]+)"/g, (_all, id: string) => `"bodyId":"${renamed.get(id) ?? id}"`)
      return { ...record, argument: readValue(withNames(argument, renamed)) }
    }
    case 'line':
      return {
        ...record,
        text: withNames(record.from === 'C' ? withoutSecret(record.text, user) : anywhere(record.text), renamed),
      }
  }
}

function withNames(text: string, renamed: ReadonlyMap<string, string>): string {
  return text.replace(/[\w-]+/g, (word) => renamed.get(word) ?? word)
}

/** The login is that of another user with another password, in the same form. */
function withoutSecret(text: string, { name, password }: TestUser): string {
  const plain = (who: TestUser): string => Buffer.from(`\0${who.name}\0${who.password}`).toString('base64')
  return text
    .replace(plain({ name, password }), plain(PLAYED_USER))
    .replace(/^(\S+ LOGIN )(.*)$/i, (_all, command: string, rest: string) => {
      return command + rest.replace(name, PLAYED_USER.name).replace(password, PLAYED_USER.password)
    })
}

function anywhere(text: string): string {
  return text
    .replaceAll(hostname(), 'mail.example')
    .replaceAll('localhost', 'mail.example')
    .replace(/SESSIONID=<[^>]*>/, 'SESSIONID=<session>')
    .replace(/\(\d+\.\d+ \+ [^)]*secs\)/, '(0.001 + 0.000 secs)')
    .replace(/\(\d+\.\d+ (secs?\b[^)]*)\)$/, '(0.000 $1)')
}

function everyMatch(text: string, pattern: RegExp): ReadonlySet<string> {
  return new Set([...text.matchAll(pattern)].map((match) => match[1] ?? ''))
}
