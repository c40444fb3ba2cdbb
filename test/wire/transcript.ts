/** Reads the lines of a recorded session as what they were: commands of the client, and what the server said of whom. */

/** One line as it passed the client: literals left out (`{310}`), secrets masked. */
export interface TranscriptLine {
  readonly direction: 'up' | 'down'
  readonly text: string
}

/** All lines of one connection, in order. */
export type Transcript = readonly TranscriptLine[]

/** A command of the client, whole. */
export interface ClientCommand {
  readonly tag: string
  /** Upper case, with `UID` where it belongs to it: `UID FETCH`. */
  readonly name: string
  /** What follows the name, literals left out. */
  readonly rest: string
  /** Its lines, without the octets of literals. */
  readonly lines: readonly string[]
}

export type TranscriptEvent =
  | { readonly kind: 'command'; readonly command: ClientCommand }
  /** A line of the client that ends nothing: it stands where no line may be. */
  | { readonly kind: 'stray'; readonly text: string }
  | { readonly kind: 'done' }
  | { readonly kind: 'heard'; readonly text: string }

const COMMAND = /^([^\s+*(){%"\\]+) ((?:UID )?[A-Za-z0-9-]+)(?: (.*))?$/i
const ENDS_IN_LITERAL = /\{\d+\+?\}$/
/** What follows these on lines of their own is masked, and no command. */
const LOGINS: readonly string[] = ['LOGIN', 'AUTHENTICATE']

/** In the order in which it passed; a command is told when its last line was written. */
export function* eventsOf(transcript: Transcript): Generator<TranscriptEvent> {
  let open = null as ClientCommand | null
  let loginTag = null as string | null
  let isIdling = false
  for (const { direction, text } of transcript) {
    if (direction === 'down') {
      if (loginTag !== null && text.startsWith(`${loginTag} `)) loginTag = null
      // A literal that the server refused ends its command.
      if (open !== null && text.startsWith(`${open.tag} `)) {
        yield { kind: 'command', command: open }
        open = null
      }
      yield { kind: 'heard', text }
      continue
    }
    if (open !== null) {
      open = { ...open, rest: open.rest + text, lines: [...open.lines, text] }
    } else if (isIdling && text.toUpperCase() === 'DONE') {
      isIdling = false
      yield { kind: 'done' }
      continue
    } else {
      if (loginTag !== null || text === '') continue
      open = commandIn(text)
      if (open === null) {
        yield { kind: 'stray', text }
        continue
      }
    }
    if (ENDS_IN_LITERAL.test(text)) continue
    if (LOGINS.includes(open.name)) loginTag = open.tag
    if (open.name === 'IDLE') isIdling = true
    yield { kind: 'command', command: open }
    open = null
  }
}

function commandIn(text: string): ClientCommand | null {
  const [, tag = '', name = '', rest = ''] = COMMAND.exec(text) ?? []
  return tag === '' ? null : { tag, name: name.toUpperCase(), rest, lines: [text] }
}

/** The first mailbox that a command names, or with `last` the last one: `"Archive"`, `INBOX`; INBOX in one spelling. */
export function mailboxNamed({ rest }: Pick<ClientCommand, 'rest'>, which: 'first' | 'last' = 'first'): string | null {
  const names = [...rest.matchAll(/"((?:[^"\\]|\\.)*)"|([^\s()"{]+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
  const name = which === 'first' ? names[0] : names.at(-1)
  if (name === undefined) return null
  return name.toUpperCase() === 'INBOX' ? 'INBOX' : name
}

/** The set of a UID command. */
export function uidSetOf({ rest }: Pick<ClientCommand, 'rest'>): string {
  return rest.split(' ', 1)[0] ?? ''
}

/** The sections of bodies that a FETCH asks for, as `2`, or `2<0.1024>` for a range of one. */
export function sectionsAsked({ rest }: Pick<ClientCommand, 'rest'>): readonly string[] {
  return [...rest.matchAll(/BODY(?:\.PEEK)?\[([^\]]*)\](<[^>]*>)?/gi)].map(([, section = '', range = '']) => section + range)
}
