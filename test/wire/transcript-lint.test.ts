/** Verifies the lint itself: each rule sees what breaks it, and a session that breaks none passes. */

import { describe, expect, it } from 'vitest'
import type { Transcript, TranscriptLine } from './transcript.ts'
import { type LintOptions, lintTranscripts } from './transcript-lint.ts'
import { TRANSCRIPT_RULES } from './transcript-rules.ts'

/** `C: a NOOP` was written by the client, `S: ...` by the server. */
function session(...lines: readonly string[]): Transcript {
  return lines.map((line): TranscriptLine => ({ direction: line.startsWith('C: ') ? 'up' : 'down', text: line.slice(3) }))
}

function rowsOf(sessions: readonly Transcript[], options?: LintOptions): readonly string[] {
  return [...new Set(lintTranscripts(sessions, options).flatMap(({ rows }) => rows))].sort()
}

const GREETING = ['S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready']
const LOGIN = [...GREETING, 'C: a LOGIN ***', 'S: a OK [CAPABILITY IMAP4rev1 UIDPLUS MOVE LITERAL+ ENABLE QRESYNC REPLACE] in']
const OLD_LOGIN = [...GREETING, 'C: a LOGIN ***', 'S: a OK [CAPABILITY IMAP4rev1] in']
const INBOX = ['C: s SELECT "INBOX"', 'S: * 3 EXISTS', 'S: * OK [UIDVALIDITY 7] ok', 'S: s OK [READ-WRITE] done']
const SUMMARY = [
  'C: f UID FETCH 1:3 (UID FLAGS RFC822.SIZE ENVELOPE BODYSTRUCTURE)',
  'S: * 1 FETCH (UID 1 RFC822.SIZE 30 ENVELOPE (NIL "UID 99" NIL))',
  'S: * 2 FETCH (FLAGS () UID 2 RFC822.SIZE 30)',
  'S: * 3 FETCH (UID 3 RFC822.SIZE 30)',
  'S: f OK done',
]
const OPEN = [...LOGIN, ...INBOX]

const GOOD: Transcript = session(
  ...LOGIN,
  'C: e ENABLE QRESYNC',
  'S: * ENABLED QRESYNC',
  'S: e OK on',
  'C: l LIST "" "*"',
  'S: l OK done',
  ...INBOX,
  ...SUMMARY,
  'C: b UID FETCH 1:2 (UID BODY.PEEK[1])',
  'S: * 1 FETCH (UID 1 BODY[1] {5})',
  'S: b OK done',
  'C: l2 LIST "" "*"',
  'S: l2 OK done',
  'C: st UID STORE 1:2 (UNCHANGEDSINCE 40) +FLAGS.SILENT (\\Seen $x)',
  'S: st OK done',
  'C: m UID MOVE 2 "Archive"',
  'S: * OK [COPYUID 9 2 20] moved',
  'S: * VANISHED 2',
  'S: m OK done',
  'C: ap APPEND "Sent" (\\Seen) "05-Feb-2026 10:11:12 +0000" {10+}',
  'C:  () "05-Feb-2026 10:11:12 +0000" {12+}',
  'C: ',
  'S: ap OK [APPENDUID 11 5:6] done',
  'C: s2 SELECT "Archive" (QRESYNC (9 1 1:2))',
  'S: * OK [CLOSED] old',
  'S: * OK [UIDVALIDITY 9] ok',
  'S: s2 OK done',
  'C: s3 SELECT "Archive" (QRESYNC (9 1 1:20 (1,3:4 2,9:10)))',
  'S: * OK [CLOSED] old',
  'S: * OK [UIDVALIDITY 9] ok',
  'S: s3 OK done',
  'C: x UID STORE 20 +FLAGS.SILENT (\\Deleted)',
  'C: y UID EXPUNGE 20',
  'C: z UID REPLACE 20 "Archive" (\\Draft) "05-Feb-2026 10:11:12 +0000" {10+}',
  'C: ',
  'C: n NOTIFY SET STATUS (SELECTED-DELAYED (MessageNew MessageExpunge)) (MAILBOXES ("A" "B") (MessageNew MessageExpunge MailboxName))',
  'S: n OK done',
  'C: i IDLE',
  'S: + idling',
  'C: DONE',
  'S: i OK done',
  'C: n2 NOTIFY NONE',
  'S: n2 OK done',
  'C: o LOGOUT',
)

const OLD_SERVER: Transcript = session(
  'S: * OK ready',
  'C: c CAPABILITY',
  'S: * CAPABILITY IMAP4rev1',
  'S: c OK done',
  'C: a LOGIN ***',
  'C: ***',
  'S: a OK in',
  'C: c2 CAPABILITY',
  'S: * CAPABILITY IMAP4rev1',
  'S: c2 OK done',
  ...INBOX,
  'C: d UID SEARCH ALL DELETED',
  'S: * SEARCH 1 2',
  'S: d OK done',
  'C: u UID STORE 2 -FLAGS.SILENT (\\Deleted)',
  'S: u OK done',
  'C: e EXPUNGE',
)

describe('the lint of sessions', () => {
  it('finds nothing in sessions that keep the rules', () => {
    expect(lintTranscripts([GOOD])).toEqual([])
    expect(lintTranscripts([OLD_SERVER])).toEqual([])
  })

  const bad: readonly (readonly [row: string, what: string, lines: readonly string[]])[] = [
    ['DC-4549-2.2', 'messages by number', [...OPEN, 'C: x FETCH 1 (FLAGS)']],
    ['DC-4549-2.2', 'a search by number', [...OPEN, 'C: x SEARCH ALL']],
    ['DC-4549-3.2', 'a change before SELECT was answered', [...LOGIN, 'C: s SELECT "INBOX"', 'C: x UID EXPUNGE 1']],
    ['DC-4549-3.2', 'a change without UIDVALIDITY', [...LOGIN, 'C: s SELECT "INBOX"', 'S: s OK done', 'C: x UID EXPUNGE 1']],
    ['DC-4549-3.2', 'a UID command without a mailbox', [...LOGIN, 'C: x UID FETCH 1 (UID FLAGS)']],
    ['DC-4549-3.5', 'DELETE of the open mailbox', [...OPEN, 'C: x DELETE "inbox"']],
    ['DC-4549-3.6', 'a change after the download', [...OPEN, ...SUMMARY, 'C: x UID STORE 1 +FLAGS.SILENT (\\Seen)']],
    [
      'DC-4549-3.6',
      'an upload after the download',
      [...OPEN, ...SUMMARY, 'C: x APPEND "INBOX" () "05-Feb-2026 10:11:12 +0000" {1+}', 'C: '],
    ],
    ['DC-4549-4.2.2d', 'APPEND without a date', [...LOGIN, 'C: x APPEND "Sent" (\\Seen) {10+}', 'C: ']],
    [
      'DC-4549-4.2.2d',
      'a second message without a date',
      [...LOGIN, 'C: x APPEND "Sent" () "05-Feb-2026 10:11:12 +0000" {10+}', 'C:  () {10+}', 'C: '],
    ],
    ['DC-8508-1', 'REPLACE without flags', [...OPEN, 'C: x UID REPLACE 1 "INBOX" "05-Feb-2026 10:11:12 +0000" {1+}', 'C: ']],
    ['DC-4549-4.2.3a', 'flags with an answer', [...OPEN, 'C: x UID STORE 1 +FLAGS (\\Seen)']],
    ['DC-4549-4.2.3b', 'all flags', [...OPEN, 'C: x UID STORE 1 FLAGS.SILENT (\\Seen)']],
    ['DC-4549-5.2-3b', 'EXPUNGE where UID EXPUNGE is', [...OPEN, 'C: x EXPUNGE']],
    ['DC-4549-4.2.4b', 'EXPUNGE unlooked', [...OLD_LOGIN, ...INBOX, 'C: x EXPUNGE']],
    ['DC-4549-4.2.5', 'CLOSE', [...OPEN, 'C: x CLOSE']],
    [
      'DC-4549-4.3.1a',
      'old flags before new messages',
      [...OPEN, 'C: x UID FETCH 1:3 (UID FLAGS)', 'C: y UID FETCH 4:4294967295 (UID FLAGS ENVELOPE)'],
    ],
    ['DC-4549-4.3.1f', 'whole messages with the summary', [...OPEN, 'C: x UID FETCH 1 (UID ENVELOPE BODY.PEEK[])']],
    [
      'DC-4549-4.3.1f',
      'a piece of a body with its mod-sequence',
      [...OPEN, ...SUMMARY, 'C: x UID FETCH 1 (UID MODSEQ BODY.PEEK[1]<0.4>)'],
    ],
    ['DC-4549-4.3.3a', 'a fetch that marks as read', [...OPEN, ...SUMMARY, 'C: x UID FETCH 1 (UID BODY[1])']],
    ['DC-4549-4.3.3a', 'RFC822', [...OPEN, 'C: x UID FETCH 1 (UID RFC822)']],
    ['DC-4549-4.6', 'a body whose size is not known', [...OPEN, 'C: x UID FETCH 1 (UID BODY.PEEK[])']],
    ['DC-4549-5.1a', 'a UID from nowhere', [...OPEN, 'C: x UID STORE 5 +FLAGS.SILENT (\\Seen)']],
    [
      'DC-4549-5.1a',
      'a UID of the mailbox before its UIDVALIDITY changed',
      [
        ...OPEN,
        ...SUMMARY,
        ...INBOX.map((line) => line.replace('7', '8').replace(' s ', ' s2 ')),
        'C: l LIST "" "*"',
        'C: x UID MOVE 1 "A"',
      ],
    ],
    [
      'DC-4549-5.2-3a',
      'a body twice',
      [
        ...OPEN,
        ...SUMMARY,
        'C: b UID FETCH 1 (UID BODY.PEEK[1])',
        'S: b OK',
        'C: n NOOP',
        'S: n OK',
        'C: x UID FETCH 1 (UID BODY.PEEK[1])',
      ],
    ],
    [
      'DC-4549-5.2-3a',
      'a piece of a body twice',
      [
        ...OPEN,
        ...SUMMARY,
        'C: b UID FETCH 1 (UID BODY.PEEK[1]<0.4>)',
        'S: b OK',
        'C: c UID FETCH 1 (UID BODY.PEEK[1]<4.4>)',
        'S: c OK',
        'C: x UID FETCH 1 (UID BODY.PEEK[1]<0.4>)',
      ],
    ],
    ['DC-4549-5.2-3a', 'the same command twice', [...OPEN, 'C: x UID SEARCH ALL', 'S: x OK', 'C: y UID SEARCH ALL']],
    [
      'DC-4549-4.2.2a',
      'the body of a message that was moved',
      [
        ...OPEN,
        ...SUMMARY,
        'C: b UID FETCH 1 (UID BODY.PEEK[1])',
        'S: b OK',
        'C: l LIST "" "*"',
        'C: m UID MOVE 1 "A"',
        'S: m OK [COPYUID 9 1 4] done',
        'C: s2 SELECT "A"',
        'S: * OK [UIDVALIDITY 9] ok',
        'S: s2 OK done',
        'C: x UID FETCH 4 (UID BODY.PEEK[1])',
      ],
    ],
    ['DC-4549-5.3-1', 'CAPABILITY after the code', [...LOGIN, 'C: x CAPABILITY']],
    ['H-22', 'ID', [...LOGIN, 'C: x ID NIL']],
    [
      'H-22',
      'the namespaces again',
      [...LOGIN, 'C: x NAMESPACE', 'S: x OK done', 'C: l LIST "" "*"', 'S: l OK done', 'C: y NAMESPACE'],
    ],
    ['DC-4549-5.3-3c', 'STATUS of the open mailbox', [...OPEN, 'C: x STATUS INBOX (MESSAGES)']],
    ['DC-7162-4', 'a long line', [...OPEN, `C: x UID FETCH ${'1,'.repeat(4_095)}1 (UID FLAGS)`]],
    [
      'DC-8508-3.5',
      'REPLACE without a mailbox',
      [...LOGIN, 'C: x UID REPLACE 1 "A" () "05-Feb-2026 10:11:12 +0000" {1+}', 'C: '],
    ],
    ['DC-6154', 'a special use that cannot be made', [...LOGIN, 'C: x CREATE "A" (USE (\\Archive))']],
    ['DC-9051-6.3.1', 'ENABLE after SELECT', [...OPEN, 'C: x ENABLE QRESYNC']],
    ['DC-7162-3.2.3a', 'ENABLE twice', [...LOGIN, 'C: x ENABLE QRESYNC', 'S: x OK', 'C: y ENABLE CONDSTORE']],
    ['DC-7162-3.1.4', 'changes since zero', [...OPEN, 'C: x UID FETCH 1 (UID FLAGS) (CHANGEDSINCE 0)']],
    ['DC-7162-3.2.6a', 'VANISHED without QRESYNC', [...OPEN, 'C: x UID FETCH 1 (UID FLAGS) (CHANGEDSINCE 4 VANISHED)']],
    [
      'DC-7162-3.1.2.2',
      'mod-sequences that are not kept',
      [...LOGIN, INBOX[0] ?? '', 'S: * OK [NOMODSEQ] none', ...INBOX.slice(2), 'C: x UID FETCH 1 (UID FLAGS) (CHANGEDSINCE 4)'],
    ],
    ['DC-7162-3.2.5c', 'a sample that descends', [...LOGIN, 'C: x SELECT "A" (QRESYNC (9 1 1:9 (3,1 4,2)))']],
    ['DC-7162-3.2.5c', 'a sample without pairs', [...LOGIN, 'C: x SELECT "A" (QRESYNC (9 1 1:9 (1:3 4:5)))']],
    ['DC-7162-3.2.5c', 'a sample alone', [...LOGIN, 'C: x EXAMINE "A" (QRESYNC (9 1 (1:2 4:5)))']],
    ['DC-7162-3.2.5c', 'a sample of numbers only', [...LOGIN, 'C: x SELECT "A" (QRESYNC (9 1 1:9 (1:2)))']],
    ['FIELD-2', 'a set that ends in *', [...OPEN, 'C: x UID FETCH 1:* (UID FLAGS)']],
    ['DC-9051-6.3.13a', 'a command while idling', [...OPEN, 'C: x IDLE', 'S: + ok', 'C: y NOOP']],
    ['DC-5465-5', 'news of new messages without removals', [...LOGIN, 'C: x NOTIFY SET (PERSONAL (MessageNew))']],
    ['DC-5465-5', 'flags without messages', [...LOGIN, 'C: x NOTIFY SET (PERSONAL (FlagChange MailboxName))']],
    ['DC-5465-5', 'groups that cannot be read', [...LOGIN, 'C: x NOTIFY SET STATUS']],
    ['DC-5465-5.2', 'numbers that change at any time', [...LOGIN, 'C: x NOTIFY SET (SELECTED (MessageNew MessageExpunge))']],
    ['DC-5465-5.2', 'a fetch of what is new', [...LOGIN, 'C: x NOTIFY SET (SELECTED (MessageNew (UID BODY[]) MessageExpunge))']],
    ['DC-9051-5.5', 'octets that are no command', [...OPEN, 'C: DONE']],
  ]

  it.each(bad)('sees the breach of %s: %s', (row, _, lines) => {
    expect(rowsOf([session(...lines)])).toContain(row)
  })

  it('has a bad example of each rule', () => {
    const shown = new Set(bad.map(([row]) => row))
    expect(TRANSCRIPT_RULES.filter(({ rows }) => !rows.some((row) => shown.has(row)))).toEqual([])
  })

  it('knows in a later session what the server said in an earlier one, and does not complain where it cannot know', () => {
    const earlier = session(...OPEN, ...SUMMARY)
    const later = session(...OPEN, 'C: x UID MOVE 3 "A"', 'C: b UID FETCH 2 (UID BODY.PEEK[])')
    expect(rowsOf([earlier, later])).toEqual([])
    expect(rowsOf([later])).toEqual(['DC-4549-4.6', 'DC-4549-5.1a', 'I-NET-2'])
    expect(rowsOf([later], { history: 'partial' })).toEqual([])
  })

  it('follows messages through a rename', () => {
    const renamed = session(
      ...LOGIN,
      ...INBOX.map((line) => line.replace('INBOX', 'Old')),
      ...SUMMARY,
      'C: r RENAME "Old" "New"',
      'S: r OK done',
      ...INBOX.map((line) => line.replace('INBOX', 'New').replace(' s ', ' s2 ')),
      'C: l LIST "" "*"',
      'C: x UID MOVE 3 "A"',
    )
    expect(lintTranscripts([renamed])).toEqual([])
  })
})
