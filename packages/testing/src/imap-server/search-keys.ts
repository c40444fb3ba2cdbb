/** Reads the keys of SEARCH into one question that is put to each message (RFC 9051 §6.4.4, RFC 7162 §3.1.5). */

import { hasFlag, type UidSet } from '@tidemail/core'
import type { ModelMessage } from '../model/message.ts'
import { readEntity } from '../model/mime/entity.ts'
import { headerValue, octetText } from '../model/mime/header.ts'
import { decodeText } from '../model/mime/summary.ts'
import { BadCommand } from './bad-command.ts'
import { Arguments, modSeqOf, numberOf } from './command-syntax.ts'
import { parseMessageSet } from './message-set.ts'
import { parseDate } from './response-syntax.ts'
import type { Session } from './session.ts'

export interface Criterion {
  readonly matches: (message: ModelMessage) => boolean
  /** Whether a MODSEQ key is in it: then the answer tells the highest one. */
  readonly usesModSeq: boolean
}

const DAY_MS = 86_400_000

const FLAG_KEYS: Readonly<Record<string, { readonly flag: string; readonly isSet: boolean }>> = {
  SEEN: { flag: '\\Seen', isSet: true },
  UNSEEN: { flag: '\\Seen', isSet: false },
  ANSWERED: { flag: '\\Answered', isSet: true },
  UNANSWERED: { flag: '\\Answered', isSet: false },
  FLAGGED: { flag: '\\Flagged', isSet: true },
  UNFLAGGED: { flag: '\\Flagged', isSet: false },
  DELETED: { flag: '\\Deleted', isSet: true },
  UNDELETED: { flag: '\\Deleted', isSet: false },
  DRAFT: { flag: '\\Draft', isSet: true },
  UNDRAFT: { flag: '\\Draft', isSet: false },
}

/** All the keys that are left; a message must match every one. */
export function readCriteria(session: Session, args: Arguments): Criterion {
  const all: Criterion[] = []
  while (!args.isEmpty) all.push(readKey(session, args))
  if (all.length === 0) throw new BadCommand('Missing search parameters')
  return {
    matches: (message) => all.every((criterion) => criterion.matches(message)),
    usesModSeq: all.some(({ usesModSeq }) => usesModSeq),
  }
}

function readKey(session: Session, args: Arguments): Criterion {
  const group = args.optionalList()
  if (group !== null) return readCriteria(session, new Arguments(group))
  const word = args.atom()
  const name = word.toUpperCase()
  if (/^[\d*]/.test(word)) {
    const named = session.open.uidsAt(parseMessageSet(word, session.open.count || undefined))
    return uidsIn(named)
  }
  const flagKey = FLAG_KEYS[name]
  if (flagKey !== undefined) return plain(({ flags }) => hasFlag(flags, flagKey.flag) === flagKey.isSet)
  switch (name) {
    case 'ALL':
    case 'OLD':
      return plain(() => true)
    case 'NEW':
    case 'RECENT':
      return plain(() => false)
    case 'UID':
      return uidsIn(parseMessageSet(args.atom(), session.open.lastUid))
    case 'NOT': {
      const inner = readKey(session, args)
      return { ...inner, matches: (message) => !inner.matches(message) }
    }
    case 'OR': {
      const [a, b] = [readKey(session, args), readKey(session, args)]
      return { matches: (message) => a.matches(message) || b.matches(message), usesModSeq: a.usesModSeq || b.usesModSeq }
    }
    case 'MODSEQ':
      return readModSeq(session, args)
    case 'EMAILID':
      return session.can('OBJECTID') ? hasEmailId(args.text()) : unknownKey(name)
    default:
      return readKeyWithValue(name, args)
  }
}

function readKeyWithValue(name: string, args: Arguments): Criterion {
  switch (name) {
    case 'KEYWORD':
    case 'UNKEYWORD': {
      const keyword = args.text()
      return plain(({ flags }) => hasFlag(flags, keyword) === (name === 'KEYWORD'))
    }
    case 'LARGER':
    case 'SMALLER': {
      const octets = numberOf(args.atom())
      return plain(({ bytes }) => (name === 'LARGER' ? bytes.length > octets : bytes.length < octets))
    }
    case 'BEFORE':
    case 'ON':
    case 'SINCE':
      return dated(name, args, ({ internalDate }) => internalDate)
    case 'SENTBEFORE':
    case 'SENTON':
    case 'SENTSINCE':
      return dated(name.slice(4), args, ({ bytes }) => Date.parse(headerValue(readEntity(bytes).header, 'Date') ?? ''))
    case 'FROM':
    case 'TO':
    case 'CC':
    case 'BCC':
    case 'SUBJECT':
      return headerContains(name, args.text())
    case 'HEADER':
      return headerContains(args.text(), args.text())
    case 'BODY':
    case 'TEXT':
      return contains(args.text(), { isBodyOnly: name === 'BODY' })
    default:
      return unknownKey(name)
  }
}

function unknownKey(name: string): never {
  throw new BadCommand(`Unknown argument ${name}`)
}

function plain(matches: Criterion['matches']): Criterion {
  return { matches, usesModSeq: false }
}

function uidsIn(uids: UidSet): Criterion {
  return plain(({ uid }) => uids.has(uid))
}

function hasEmailId(id: string): Criterion {
  return plain(({ emailId }) => emailId === id)
}

/** `MODSEQ ["/flags/\\Seen" all] n`; the entry is ignored, as RFC 7162 §3.1.5 allows. */
function readModSeq(session: Session, args: Arguments): Criterion {
  if (!session.can('CONDSTORE')) return unknownKey('MODSEQ')
  if (args.peek()?.kind === 'quoted') {
    args.take()
    args.atom()
  }
  const least = modSeqOf(args.atom())
  session.enableCondstore()
  return { matches: ({ modSeq }) => modSeq >= least, usesModSeq: true }
}

function dated(name: string, args: Arguments, dateOf: (message: ModelMessage) => number): Criterion {
  const day = parseDate(args.text())
  if (day === null) throw new BadCommand('Invalid search date parameter')
  return plain((message) => {
    const date = dateOf(message)
    if (name === 'BEFORE') return date < day
    return date >= day && (name === 'SINCE' || date < day + DAY_MS)
  })
}

function headerContains(field: string, wanted: string): Criterion {
  const needle = asText(wanted).toLowerCase()
  return plain(({ bytes }) => {
    const value = headerValue(readEntity(bytes).header, field)
    return value !== null && decodeText(value).toLowerCase().includes(needle)
  })
}

function contains(wanted: string, { isBodyOnly }: { readonly isBodyOnly: boolean }): Criterion {
  const needle = wanted.toLowerCase()
  return plain(({ bytes }) => {
    const text = isBodyOnly ? octetText(bytes, readEntity(bytes).body) : octetText(bytes)
    return text.toLowerCase().includes(needle)
  })
}

/** The octets of an argument read as UTF-8. */
function asText(octets: string): string {
  return Buffer.from(octets, 'latin1').toString('utf8')
}
