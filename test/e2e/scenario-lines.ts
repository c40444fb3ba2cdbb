/**
 * The notation of scenarios on real servers: a mailbox, then its messages by number, each with its flags.
 *
 *   server`INBOX | 1 \Seen | 2 ; Work |`         first: what is there; later: what must be there, and nothing else
 *   local`INBOX | 1 \Seen | 2`                   what the app must see
 *   log`flags 2 +\Seen ; move 1 -> Work`         what the user does, online or not
 *   rival`expunge 2 ; append 3 -> INBOX \Draft`  what a rival does
 *   sync
 *   during({ news: 'expunge 2' })                a look, in the middle of which a rival does that
 *
 * `1..9` are the messages 1 to 9, `2,4..10` every second of them, `Work/2` is message 2 in Work, `3~empty` one of another shape, and
 * `$Key{1..60}` are sixty keywords.
 */

import type { Flag } from '@tidemail/core'
import type { Policy, SyncReport } from '@tidemail/engine'
import type { Fault, RewriteServerLine } from '@tidemail/testing'
import type { MessageShape } from './numbered-mail.ts'

export type Line =
  | { readonly kind: 'server' | 'local'; readonly text: string }
  | { readonly kind: 'log' | 'rival'; readonly deeds: readonly Deed[] }
  | { readonly kind: 'sync'; readonly mailboxes: readonly string[] | null; readonly expected: Partial<SyncReport> }
  /** A run that a fault strikes; the next one is not. */
  | { readonly kind: 'interrupted-sync'; readonly fault: Fault }
  /** A run in which a rival acts, each time when its moment comes; what has no moment in this tier is done behind the run. */
  | { readonly kind: 'sync-during'; readonly acts: readonly { readonly moment: Moment; readonly deeds: readonly Deed[] }[] }
  /** From now on what the server says is told otherwise; null: as it is. */
  | { readonly kind: 'told'; readonly rewriteLine: RewriteServerLine | null }
  /** The app is started again, with another policy where one is given. */
  | { readonly kind: 'reopen'; readonly policy: Partial<Policy> | null }
  | { readonly kind: 'restart-server' }

/**
 * A moment of a look at INBOX. `select`, `news` (what asks for new messages) and `known` (what asks what became of those that are held) are just before that
 * command is heard; `selected`, `newsTold` and `knownTold` are when it was answered, and the tagged reply has not come.
 */
export type Moment = 'select' | 'selected' | 'news' | 'newsTold' | 'known' | 'knownTold'

export type Deed =
  | { readonly kind: 'flags'; readonly messages: MessageSet; readonly add: readonly Flag[]; readonly remove: readonly Flag[] }
  | { readonly kind: 'move' | 'copy'; readonly messages: MessageSet; readonly to: string }
  | { readonly kind: 'append'; readonly numbers: MessageSet; readonly to: string; readonly flags: readonly Flag[] }
  | { readonly kind: 'expunge'; readonly messages: MessageSet }
  | { readonly kind: 'trash'; readonly messages: MessageSet }
  | { readonly kind: 'create' | 'delete' | 'renew' | 'subscribe' | 'unsubscribe'; readonly mailbox: string }
  | { readonly kind: 'rename'; readonly mailbox: string; readonly to: string }
  | { readonly kind: 'undo' }

export interface MessageSet {
  /** Where they are; null where that does not matter. */
  readonly mailbox: string | null
  readonly numbers: readonly number[]
  readonly shape: MessageShape
}

export const server = (text: TemplateStringsArray): Line => ({ kind: 'server', text: text.raw.join('') })
export const local = (text: TemplateStringsArray): Line => ({ kind: 'local', text: text.raw.join('') })
export const log = (text: TemplateStringsArray): Line => ({ kind: 'log', deeds: deedsIn(text.raw.join('')) })
export const rival = (text: TemplateStringsArray): Line => ({ kind: 'rival', deeds: deedsIn(text.raw.join('')) })
const DONE: Partial<SyncReport> = { outcome: 'done', entriesPending: 0, entriesParked: 0, entriesUncertain: 0 }
export const sync: Line = { kind: 'sync', mailboxes: null, expected: DONE }
export const syncOnly = (...mailboxes: readonly string[]): Line => ({ kind: 'sync', mailboxes, expected: DONE })
/** A run after which the user has something to decide. */
export const syncWithParked = (entriesParked: number): Line => ({
  kind: 'sync',
  mailboxes: null,
  expected: { entriesPending: 0, entriesParked },
})
export const syncCutBy = (fault: Fault): Line => ({ kind: 'interrupted-sync', fault })
export const during = (acts: Partial<Readonly<Record<Moment, string>>>): Line => ({
  kind: 'sync-during',
  acts: Object.entries(acts).map(([moment, text]) => ({ moment: moment as Moment, deeds: deedsIn(text) })),
})
/** UIDNEXT is never told higher than that. */
export const uidNextToldAtMost = (most: number): Line => ({
  kind: 'told',
  rewriteLine: (line) => line.replace(/\bUIDNEXT (\d+)/, (_all, uidNext: string) => `UIDNEXT ${Math.min(most, Number(uidNext))}`),
})
/** Neither STATUS nor SELECT tells UIDNEXT. */
export const uidNextUntold: Line = {
  kind: 'told',
  rewriteLine: (line) => (/^\* OK \[UIDNEXT /.test(line) ? null : line.replace(/ UIDNEXT \d+|UIDNEXT \d+ /, '')),
}
export const toldAsItIs: Line = { kind: 'told', rewriteLine: null }
export const reopen: Line = { kind: 'reopen', policy: null }
export const reopenWith = (policy: Partial<Policy>): Line => ({ kind: 'reopen', policy })
export const restartServer: Line = { kind: 'restart-server' }

export interface MailboxText {
  readonly name: string
  readonly messages: readonly { readonly set: MessageSet; readonly flags: readonly Flag[] }[]
}

/** `INBOX | 1 \Seen | 2 ; Work |`, read. Blanks around a name that are part of it are written `␣`. */
export function mailboxesIn(text: string): readonly MailboxText[] {
  return text.split(';').map((part) => {
    const [name = '', ...messages] = part.split('|').map((piece) => piece.trim())
    const written = messages.filter((message) => message !== '')
    return {
      name: nameIn(name),
      messages: written.map((message) => {
        const [set = '', ...flags] = message.split(/\s+/)
        return { set: messageSet(set), flags: flags.flatMap(expanded) }
      }),
    }
  })
}

function deedsIn(text: string): readonly Deed[] {
  return text.split(';').map((part) => deedIn(part.trim()))
}

function deedIn(text: string): Deed {
  const [kind = '', ...rest] = text.split(/\s+/)
  const [first = ''] = rest
  const arrow = rest.indexOf('->')
  const behind = rest.slice(arrow + 1)
  switch (kind) {
    case 'flags':
      return { kind, messages: messageSet(first), add: signed(rest, '+'), remove: signed(rest, '-') }
    case 'move':
    case 'copy':
      return { kind, messages: messageSet(first), to: nameIn(behind.join(' ')) }
    case 'append':
      return {
        kind,
        numbers: messageSet(first),
        to: nameIn(behind.filter((word) => !isFlag(word)).join(' ')),
        flags: behind.filter(isFlag).flatMap(expanded),
      }
    case 'expunge':
    case 'trash':
      return { kind, messages: messageSet(first) }
    case 'create':
    case 'delete':
    case 'renew':
    case 'subscribe':
    case 'unsubscribe':
      return { kind, mailbox: nameIn(rest.join(' ')) }
    case 'rename':
      return { kind, mailbox: nameIn(rest.slice(0, arrow).join(' ')), to: nameIn(behind.join(' ')) }
    case 'undo':
      return { kind }
    default:
      throw new Error(`Nobody can "${text}".`)
  }
}

function nameIn(text: string): string {
  return text.replaceAll('␣', ' ')
}

function isFlag(word: string): boolean {
  return word.startsWith('\\') || word.startsWith('$')
}

function signed(words: readonly string[], sign: '+' | '-'): readonly Flag[] {
  return words.filter((word) => word.startsWith(sign)).flatMap((word) => expanded(word.slice(1)))
}

/** `$Key{1..3}` is `$Key1 $Key2 $Key3`. */
function expanded(word: string): readonly Flag[] {
  const [, stem = '', from, to] = /^(.*)\{(\d+)\.\.(\d+)\}$/.exec(word) ?? []
  if (from === undefined) return [word]
  return progression(Number(from), Number(to), 1).map((number) => `${stem}${number}`)
}

function messageSet(text: string): MessageSet {
  const [, mailbox, first = '', second, last, shape] = /^(?:(.*)\/)?(\d+)(?:,(\d+))?(?:\.\.(\d+))?(?:~(.+))?$/.exec(text) ?? []
  if (first === '') throw new Error(`"${text}" names no messages.`)
  const from = Number(first)
  const step = second === undefined ? 1 : Number(second) - from
  const numbers = progression(from, last === undefined ? from : Number(last), step)
  return { mailbox: mailbox === undefined ? null : nameIn(mailbox), numbers, shape: (shape ?? 'plain') as MessageShape }
}

function progression(from: number, to: number, step: number): readonly number[] {
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => from + index * step)
}
