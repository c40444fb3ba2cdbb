/** The rules that every session keeps, each with the rows of docs/spec/conformance.md that it stands for. */

import type { UidSet } from '@tidemail/core'
import { setOf } from './given-uids.ts'
import { type ClientCommand, mailboxNamed, sectionsAsked, uidSetOf } from './transcript.ts'
import { isChangeOfSelected, type SessionState } from './transcript-state.ts'

export interface TranscriptRule {
  readonly rows: readonly string[]
  /** What is wrong with the command, or null. Asked before the state takes the command in. */
  readonly breach: (command: ClientCommand, state: SessionState) => string | null
  /** Needs all that the server ever said of the account, from the first message on. */
  readonly needsHistory?: true
}

/** A line longer than this, and servers may hang up (RFC 7162 §4). */
const LINE_OCTETS_MAX = 8_192
/** Asked for again and again, because the answer changes. */
const POLLS: readonly string[] = ['NOOP', 'IDLE', 'LIST', 'LSUB', 'STATUS']

export const TRANSCRIPT_RULES: readonly TranscriptRule[] = [
  {
    rows: ['DC-4549-2.2', 'I-NET-2'],
    breach: ({ name }) =>
      /^(FETCH|STORE|COPY|MOVE|SEARCH|REPLACE|SORT|THREAD)$/.test(name) ? 'messages are named by numbers' : null,
  },
  {
    rows: ['DC-4549-3.2', 'I-NET-2'],
    breach: (command, { opening }) => {
      if (!command.name.startsWith('UID ') && command.name !== 'EXPUNGE') return null
      if (opening === null || opening.outcome === 'refused') return 'no mailbox is open'
      if (!isChangeOfSelected(command)) return null
      return opening.outcome === 'pending' || opening.uidValidity === null ? 'UIDVALIDITY was not seen yet' : null
    },
  },
  {
    rows: ['DC-4549-3.5', 'DC-2683-3.4.12'],
    breach: (command, { opening }) =>
      command.name === 'DELETE' && opening !== null && opening.path === mailboxNamed(command) ? 'the mailbox is open' : null,
  },
  {
    rows: ['DC-4549-3.6'],
    breach: (command, state) => {
      const path = state.changedMailbox(command)
      return path !== null && state.downloaded.has(path) ? `new messages of ${path} were fetched before` : null
    },
  },
  {
    rows: ['DC-4549-4.2.2d', 'DC-8508-1'],
    breach: ({ name, lines }) => {
      if (name !== 'APPEND' && name !== 'UID REPLACE') return null
      const messages = lines.filter((line) => /\{\d+\+?\}$/.test(line))
      const isWhole = (line: string): boolean =>
        /\([^()]*\) "[ \d]\d-[A-Z][a-z]{2}-\d{4} [\d:]{8} [+-]\d{4}" \{\d+\+?\}$/.test(line)
      return messages.length > 0 && messages.every(isWhole) ? null : 'a message goes without flags or date'
    },
  },
  {
    rows: ['DC-4549-4.2.3a', 'DC-4549-4.2.3b'],
    breach: ({ name, rest }) =>
      name === 'UID STORE' && !/^\S+ (?:\(UNCHANGEDSINCE \d+\) )?[+-]FLAGS\.SILENT \([^()]*\)$/.test(rest)
        ? 'flags are not added or removed silently'
        : null,
  },
  {
    rows: ['DC-4549-4.2.4a', 'DC-4549-4.2.4b', 'DC-4549-5.2-3b'],
    breach: ({ name }, state) => {
      if (name !== 'EXPUNGE') return null
      if (state.can('UIDPLUS')) return 'the server can expunge single messages'
      return state.hasLookedForMarks ? null : 'nobody looked what others had marked'
    },
  },
  {
    rows: ['DC-4549-4.2.5'],
    breach: ({ name }, { opening }) =>
      name === 'CLOSE' && opening?.isReadOnly !== true ? 'CLOSE removes what others marked' : null,
  },
  {
    rows: ['DC-4549-4.3.1a'],
    breach: (command, { awaitsFlags }) =>
      // A set without end asks for what is new.
      command.name === 'UID FETCH' && /ENVELOPE/.test(command.rest) && /^\d+:4294967295$/.test(uidSetOf(command)) && awaitsFlags
        ? 'the flags of old messages were asked for first'
        : null,
  },
  {
    rows: ['DC-4549-4.3.1f'],
    breach: (command) =>
      command.name === 'UID FETCH' && /ENVELOPE|BODYSTRUCTURE/.test(command.rest) && sectionsAsked(command).length > 0
        ? 'a summary is asked for with the body'
        : null,
  },
  {
    rows: ['DC-4549-4.3.1f'],
    breach: ({ name, rest }) =>
      name === 'UID FETCH' && />/.test(rest) && !/^\S+ \(UID(?: BODY\.PEEK\[[^\]]*\](?:<\d+\.[1-9]\d*>)?)+\)$/.test(rest)
        ? 'more is asked for with a piece of a body'
        : null,
  },
  {
    rows: ['DC-4549-4.3.3a'],
    breach: ({ name, rest }) =>
      name === 'UID FETCH' && /\bBODY\[|\bRFC822(?!\.SIZE|\.HEADER)\b/i.test(rest)
        ? 'the fetch would mark messages as read'
        : null,
  },
  {
    rows: ['DC-4549-4.6'],
    needsHistory: true,
    breach: (command, state) =>
      command.name === 'UID FETCH' && sectionsAsked(command).length > 0
        ? unknownUids(command, state, (uid, mailbox) => mailbox.sized.has(uid), 'the size was not asked for before')
        : null,
  },
  {
    rows: ['DC-4549-5.1a', 'I-NET-2'],
    needsHistory: true,
    breach: (command, state) =>
      isChangeOfSelected(command) && command.name !== 'EXPUNGE'
        ? unknownUids(command, state, (uid, mailbox) => mailbox.has(uid), 'the server has not given these UIDs')
        : null,
  },
  {
    rows: ['DC-4549-4.2.2a', 'DC-4549-5.2-3a', 'DC-9051-2.3.1.1'],
    breach: (command, state) => {
      const asked = sectionsAsked(command)
      if (command.name !== 'UID FETCH' || asked.length === 0) return null
      const isNew = (uid: number, { sections }: Given): boolean =>
        asked.some((section) => sections.get(uid)?.has(section) !== true)
      return unknownUids(command, state, isNew, 'the body is here already')
    },
  },
  {
    rows: ['DC-4549-5.2-3a'],
    breach: ({ name, rest }, { previous }) =>
      previous !== null && previous.name === name && previous.rest === rest && !POLLS.includes(name)
        ? 'the same was asked just before'
        : null,
  },
  {
    rows: ['DC-4549-5.3-1', 'H-22'],
    breach: ({ name }, { capabilities }) =>
      name === 'CAPABILITY' && capabilities !== null ? 'the server has told its capabilities' : null,
  },
  {
    rows: ['H-22'],
    breach: ({ name }) => (/^(ID|CHECK|COMPRESS)$/.test(name) ? 'nobody needs the answer' : null),
  },
  {
    rows: ['H-22'],
    breach: ({ name }, { namespaceCommands }) =>
      name === 'NAMESPACE' && namespaceCommands > 0 ? 'the server was asked for its namespaces' : null,
  },
  {
    rows: ['DC-5465-5', 'DC-5465-5.2'],
    breach: ({ name, rest }) => {
      if (name !== 'NOTIFY' || rest === 'NONE') return null
      const groups = [...rest.matchAll(/\(([^()]*(?: \([^()]*\))?) \(([^()]*)\)\)/g)].map(([, which = '', events = '']) => ({
        which,
        events,
      }))
      const isWhole = ({ events }: { readonly events: string }): boolean => /^MessageNew MessageExpunge\b/.test(events)
      if (groups.length === 0 || !groups.every(isWhole)) return 'new messages are asked for without removals'
      return groups.some(({ which }) => which === 'SELECTED') ? 'the numbers of messages would change at any time' : null
    },
  },
  {
    rows: ['DC-4549-5.3-3c'],
    breach: (command, { opening }) =>
      command.name === 'STATUS' && opening !== null && opening.path === mailboxNamed(command) ? 'the mailbox is open' : null,
  },
  {
    rows: ['DC-7162-4'],
    breach: ({ lines }) =>
      lines.some((line) => Buffer.byteLength(line) > LINE_OCTETS_MAX - 2)
        ? `a line is longer than ${LINE_OCTETS_MAX} octets`
        : null,
  },
  {
    rows: ['DC-8508-3.5'],
    breach: ({ name }, { opening }) =>
      name === 'UID REPLACE' && (opening === null || opening.isReadOnly) ? 'no mailbox is open for changes' : null,
  },
  {
    rows: ['DC-6154'],
    breach: ({ name, rest }, state) =>
      name === 'CREATE' && /\(USE /i.test(rest) && !state.can('CREATE-SPECIAL-USE')
        ? 'the server knows no special uses to create'
        : null,
  },
  {
    rows: ['DC-7162-3.2.3a', 'DC-9051-6.3.1'],
    breach: ({ name }, { enableCommands, hasSelected, isLoggedIn }) =>
      name === 'ENABLE' && (hasSelected || !isLoggedIn || enableCommands > 0)
        ? 'ENABLE comes once, between the login and the first SELECT'
        : null,
  },
  {
    rows: ['DC-7162-3.1.2.2', 'DC-7162-3.1.4', 'DC-7162-3.2.6a'],
    breach: ({ name, rest }, { opening, enabled }) => {
      const since = /\b(?:CHANGEDSINCE|UNCHANGEDSINCE|MODSEQ) (\d+)/.exec(rest)?.[1]
      if (since === undefined || !name.startsWith('UID ')) return null
      if (Number(since) === 0) return 'a mod-sequence of zero'
      if (opening?.hasModSeqs === false) return 'the mailbox keeps no mod-sequences'
      return /VANISHED\)$/.test(rest) && !enabled.includes('QRESYNC') ? 'VANISHED without QRESYNC' : null
    },
  },
  {
    rows: ['DC-7162-3.2.5c'],
    breach: ({ name, rest }) => {
      if (name !== 'SELECT' && name !== 'EXAMINE') return null
      const [, knownUids, sample] = /\(QRESYNC \(\d+ \d+( [\d:,*]+)?(?: \(([^()]*)\))?\)\)$/.exec(rest) ?? []
      if (sample === undefined) return null
      if (knownUids === undefined) return 'a sample of numbers without known UIDs'
      const [numbers, uids, ...more] = sample.split(' ').map(ascendingSet)
      const isPaired = numbers != null && uids != null && more.length === 0 && numbers.size === uids.size
      return isPaired ? null : 'the sample of numbers is not ascending and paired'
    },
  },
  {
    rows: ['FIELD-2'],
    breach: (command) => (command.name.startsWith('UID ') && uidSetOf(command).includes('*') ? '* names any message' : null),
  },
  {
    rows: ['DC-9051-6.3.13a'],
    breach: (_command, { isIdling }) => (isIdling ? 'the client is idling' : null),
  },
]

/** A set that is written as it is: ascending, nothing twice, without `*`. */
function ascendingSet(text: string): UidSet | null {
  const set = setOf(text)
  return set?.toString() === text && !set.isEmpty ? set : null
}

type Given = ReturnType<SessionState['given']['of']>

/** The complaint with the UIDs of the command for which the claim does not hold; null when it holds for all. */
function unknownUids(
  command: ClientCommand,
  { given, opening }: SessionState,
  claim: (uid: number, mailbox: Given) => boolean,
  complaint: string,
): string | null {
  const uids = setOf(uidSetOf(command))
  if (uids === null || opening === null || opening.uidValidity === null) return null
  const mailbox = given.of(opening.path, opening.uidValidity)
  const wrong = [...uids.values()].filter((uid) => !claim(uid, mailbox))
  return wrong.length === 0 ? null : `${complaint}: ${wrong.slice(0, 10).join(',')}`
}
