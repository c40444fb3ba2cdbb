/** Follows one recorded session: what is selected, what was offered, and which answers are still to come. */

import { type GivenUids, setOf } from './given-uids.ts'
import { type ClientCommand, mailboxNamed, sectionsAsked, uidSetOf } from './transcript.ts'

/** A SELECT or EXAMINE, and what came of it. */
export interface Opening {
  readonly command: ClientCommand
  readonly path: string
  readonly isReadOnly: boolean
  uidValidity: number | null
  hasModSeqs: boolean
  outcome: 'pending' | 'open' | 'refused'
}

interface Pending {
  readonly command: ClientCommand
  /** What it opens. */
  readonly opening: Opening | null
  /** What was open when it was written, and what it opened. */
  readonly selected: Opening | null
}

const OPENS: readonly string[] = ['SELECT', 'EXAMINE']
/** Changes the messages of the mailbox that is open. */
const CHANGES_SELECTED = ['UID STORE', 'UID COPY', 'UID MOVE', 'UID EXPUNGE', 'UID REPLACE', 'EXPUNGE'] as const

export class SessionState {
  readonly given: GivenUids
  /** Of the last SELECT or EXAMINE that was written; null after UNSELECT. */
  opening: Opening | null = null
  /** Advertised last, upper case; null until the server has told. */
  capabilities: readonly string[] | null = null
  enabled = ''
  isLoggedIn = false
  isIdling = false
  hasSelected = false
  enableCommands = 0
  namespaceCommands = 0
  /** Whether a search told what others marked, since the mailbox was opened. */
  hasLookedForMarks = false
  /** Mailboxes whose new messages were fetched since the last LIST. */
  readonly downloaded = new Set<string>()
  /** The command before, when it was answered with OK and nothing was written in between. */
  previous: ClientCommand | null = null
  readonly #pending = new Map<string, Pending>()
  /** Whom the server speaks of: it may lag behind `opening`. */
  #spokenOf: Opening | null = null
  #isGreeted = false

  constructor(given: GivenUids) {
    this.given = given
  }

  can(capability: string): boolean {
    return this.capabilities?.includes(capability) === true && !this.given.notUnderstood.has(capability)
  }

  /** Whether the flags of messages that are known were asked for, and no answer to that has come yet. */
  get awaitsFlags(): boolean {
    return [...this.#pending.values()].some(({ command, selected }) => selected === this.opening && asksForFlags(command))
  }

  /** Where the command acts on messages, if it changes any. */
  changedMailbox(command: ClientCommand): string | null {
    if (command.name === 'APPEND') return mailboxNamed(command)
    return isChangeOfSelected(command) ? (this.opening?.path ?? null) : null
  }

  /** After the rules have seen the command. */
  write(command: ClientCommand): void {
    const opening = this.#follow(command)
    this.#pending.set(command.tag, { command, opening, selected: this.opening })
    this.previous = command
  }

  endIdle(): void {
    this.isIdling = false
  }

  hear(text: string): void {
    if (!this.#isGreeted) {
      this.#isGreeted = true
      this.isLoggedIn = /^\* PREAUTH/i.test(text)
    }
    this.#hearCapabilities(text)
    const tag = text.slice(0, text.indexOf(' '))
    const pending = this.#pending.get(tag)
    if (pending !== undefined) this.#answer(text.slice(tag.length + 1), pending)
    else this.#hearUntagged(text)
  }

  #follow(command: ClientCommand): Opening | null {
    const { name } = command
    if (name === 'LIST') this.downloaded.clear()
    if (name === 'ENABLE') this.enableCommands += 1
    if (name === 'NAMESPACE') this.namespaceCommands += 1
    if (name === 'IDLE') this.isIdling = true
    if (name === 'STARTTLS') this.capabilities = null
    if (name === 'RENAME') this.given.rename(mailboxNamed(command) ?? '', mailboxNamed(command, 'last') ?? '')
    if (name === 'UID SEARCH' && / DELETED$/.test(command.rest)) this.hasLookedForMarks = true
    if (name === 'UID FETCH' && /BODYSTRUCTURE/.test(command.rest) && this.opening !== null)
      this.downloaded.add(this.opening.path)
    if (name === 'UNSELECT' || name === 'CLOSE') this.opening = null
    if (!OPENS.includes(name)) return null
    this.hasSelected = true
    this.hasLookedForMarks = false
    this.opening = {
      command,
      path: mailboxNamed(command) ?? '',
      isReadOnly: name === 'EXAMINE',
      uidValidity: null,
      hasModSeqs: true,
      outcome: 'pending',
    }
    return this.opening
  }

  #hearCapabilities(text: string): void {
    const told = /^\* CAPABILITY (.*)$/i.exec(text)?.[1] ?? /^\S+ (?:OK|PREAUTH) \[CAPABILITY ([^\]]*)\]/i.exec(text)?.[1]
    if (told !== undefined) this.capabilities = told.toUpperCase().split(' ')
    if (/^\* ENABLED /i.test(text)) this.enabled += text.slice('* ENABLED'.length).toUpperCase()
  }

  #answer(reply: string, { command, opening }: Pending): void {
    this.#pending.delete(command.tag)
    const isOk = /^OK\b/i.test(reply)
    if (!isOk && this.previous === command) this.previous = null
    if (command.name === 'IDLE') this.isIdling = false
    if (command.name === 'UID EXPUNGE' && /^BAD\b/i.test(reply)) this.given.notUnderstood.add('UIDPLUS')
    if (LOGINS.includes(command.name) && isOk) {
      // What was offered before the login holds no longer.
      if (!/^OK \[CAPABILITY /i.test(reply)) this.capabilities = null
      this.isLoggedIn = true
    }
    if (opening !== null) {
      opening.outcome = isOk ? 'open' : 'refused'
      this.#spokenOf = isOk ? opening : null
    }
    this.#hearCodes(reply, command)
    if (isOk && command.name === 'UID FETCH') this.#keepSections(command)
  }

  #hearUntagged(text: string): void {
    if (/^\* OK \[CLOSED\]/i.test(text)) this.#spokenOf = null
    const opening = [...this.#pending.values()].find((pending) => pending.opening !== null)?.opening ?? null
    const validity = /^\* OK \[UIDVALIDITY (\d+)\]/i.exec(text)?.[1]
    if (validity !== undefined && opening !== null) {
      opening.uidValidity = Number(validity)
      this.#spokenOf = opening
    }
    if (/^\* OK \[NOMODSEQ\]/i.test(text) && opening !== null) opening.hasModSeqs = false
    const mailbox = this.#spokenMailbox()
    if (mailbox !== null) {
      const found = uidsListed(text)
      if (found !== null) mailbox.add(found)
      const row = /^\* \d+ (?:UID)?FETCH \((.*)$/i.exec(text)?.[1]?.replace(/"(?:[^"\\]|\\.)*"/g, '""')
      const uid = row === undefined ? undefined : /\bUID (\d+)/i.exec(row)?.[1]
      if (uid !== undefined) {
        mailbox.addOne(Number(uid))
        if (/RFC822\.SIZE /i.test(row ?? '')) mailbox.sized.add(Number(uid))
      }
    }
    this.#hearCodes(text, null)
  }

  #hearCodes(text: string, answered: ClientCommand | null): void {
    const [, name = '', args = ''] = /^(?:\* )?(?:OK |NO )?\[(COPYUID|APPENDUID) ([^\]]*)\]/i.exec(text) ?? []
    if (name === '') return
    const command = answered ?? [...this.#pending.values()].find((pending) => takesCode(pending.command, name))?.command
    if (command === undefined) return
    if (name.toUpperCase() === 'APPENDUID') this.given.append(targetOf(command) ?? '', args)
    else this.given.copy(this.#spokenIdentity(), targetOf(command) ?? '', args)
  }

  #keepSections(command: ClientCommand): void {
    const mailbox = this.#spokenMailbox()
    const uids = setOf(uidSetOf(command))
    const asked = sectionsAsked(command)
    if (mailbox === null || uids === null || asked.length === 0) return
    for (const uid of uids.values()) {
      const sections = mailbox.sections.get(uid) ?? new Set<string>()
      for (const section of asked) sections.add(section)
      mailbox.sections.set(uid, sections)
    }
  }

  #spokenIdentity(): { readonly path: string; readonly uidValidity: number } | null {
    const spoken = this.#spokenOf
    return spoken === null || spoken.uidValidity === null ? null : { path: spoken.path, uidValidity: spoken.uidValidity }
  }

  #spokenMailbox(): ReturnType<GivenUids['of']> | null {
    const identity = this.#spokenIdentity()
    return identity === null ? null : this.given.of(identity.path, identity.uidValidity)
  }
}

const LOGINS: readonly string[] = ['LOGIN', 'AUTHENTICATE']

export function isChangeOfSelected({ name }: ClientCommand): boolean {
  return CHANGES_SELECTED.some((change) => change === name)
}

/** Of all messages, and nothing else; those that changed since are another question (RFC 4549 §6.1). */
function asksForFlags({ name, rest }: ClientCommand): boolean {
  return name === 'UID FETCH' && /^\S+ \(UID FLAGS(?: MODSEQ)?\)$/.test(rest)
}

/** `UID REPLACE 7 "Drafts" (...)` and the like. */
export function targetOf(command: ClientCommand): string | null {
  if (command.name === 'UID REPLACE') return mailboxNamed({ rest: command.rest.slice(command.rest.indexOf(' ')) })
  return mailboxNamed(command, command.name === 'APPEND' ? 'first' : 'last')
}

function takesCode({ name }: ClientCommand, code: string): boolean {
  return code.toUpperCase() === 'COPYUID'
    ? name === 'UID COPY' || name === 'UID MOVE'
    : name === 'APPEND' || name === 'UID REPLACE'
}

/** What a SEARCH names, in either form. */
function uidsListed(text: string): ReturnType<typeof setOf> {
  const numbers = /^\* SEARCH((?: \d+)+)/i.exec(text)?.[1]
  if (numbers !== undefined) return setOf(numbers.trim().replaceAll(' ', ','))
  const all = /^\* ESEARCH .*\bALL ([\d:,]+)/i.exec(text)?.[1]
  return all === undefined ? null : setOf(all)
}
