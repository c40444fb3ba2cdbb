/** What a session knows of the server: the selected mailbox, the names of mailboxes, who waits for which answer. */

import type { ModSeq, Observation, ServerProfile, StatusSeen } from '@tidemail/core'
import type { Command, SentCommand } from './command.ts'
import { canonicalPath, encodeMailboxName, quoteName, readMailboxName } from './mailbox-name.ts'
import type { TaggedResponse, Untagged } from './response.ts'
import { decodeUtf8 } from './scanner.ts'
import { type Selection, takeNews } from './selection.ts'
import { takesUtf8Only } from './server-capabilities.ts'
import { showable } from './server-text.ts'
import type { StepContext, Tell } from './steps/exchange.ts'

/** News that comes while nobody listens is kept; a server that says more than this unasked is not worth listening to. */
export const UNHEARD_OBSERVATIONS_MAX = 10_000

/** So many are kept for the next session; more would be a server that has nothing else. */
const ODD_NAMES_MAX = 1_000

/** Who knows which responses answer a command. */
export interface Taker {
  take(response: Untagged, tag: string): boolean
  /** An open or leave: what comes before it belongs to another mailbox than what comes after. */
  readonly isMoving: boolean
}

export class SessionState {
  /** As advertised; what was enabled is added before the session is handed out. */
  server: ServerProfile
  selection: Selection | null = null
  /** Whoever listens now: a run or a watch. */
  listener: Tell | null = null
  /** Told when the selected mailbox changed, whatever it was. */
  onStir: (() => void) | null = null
  /** Told what answers no command. */
  onNotice: ((response: Untagged) => void) | null = null
  /** FETCH responses without a UID, which say nothing that can be kept. */
  rowsWithoutUid = 0
  readonly #unheard: Observation[] = []
  readonly #takers = new Map<Command, Taker>()
  /** Names that are not written as this package would write them, by path. */
  readonly #spellings = new Map<string, string>()
  readonly #hasUtf8Names: boolean
  /** Mailboxes that the server gave a HIGHESTMODSEQ, when it last spoke of them. */
  readonly #pathsWithModSeqs = new Set<string>()

  constructor(server: ServerProfile) {
    this.server = server
    // A server of IMAP4rev2 only has no modified UTF-7 (RFC 9051 §5.1), nor has one of UTF-8 only (RFC 6855 §6); in all others UTF-8 is not enabled.
    const isRev2Only = !server.capabilities.includes('IMAP4REV1') && server.capabilities.includes('IMAP4REV2')
    this.#hasUtf8Names = isRev2Only || takesUtf8Only(server)
  }

  /** Names that are not written as this package would write them, as they came. */
  get oddNames(): readonly string[] {
    return [...this.#spellings].flatMap(([path, name]) => (name === this.#usualName(path) ? [] : [name])).slice(0, ODD_NAMES_MAX)
  }

  /** Names as an earlier session heard them. */
  takeNames(names: readonly string[]): void {
    for (const name of names) this.#takeName(name)
  }

  expect(command: Command, taker: Taker): void {
    this.#takers.set(command, taker)
  }

  forget(command: Command): void {
    this.#takers.delete(command)
  }

  /**
   * Gives a response to the first command that knows it for its own; what none takes is news. A server may say what belongs to a
   * command before the tagged reply of the one before it (Dovecot does, after SEARCH and COPY), but not across an open. Answers whether
   * one took it.
   */
  hear(response: Untagged, inFlight: readonly SentCommand[]): boolean {
    if (response.kind === 'condition') this.#tellAlert(response)
    for (const [index, { tag, command }] of inFlight.entries()) {
      const taker = this.#takers.get(command)
      if (taker === undefined) continue
      if (taker.isMoving && index > 0) break
      if (taker.take(response, tag)) return true
      if (taker.isMoving) break
    }
    this.onNotice?.(response)
    this.news(response)
    return false
  }

  /** Takes a response as news of the selected mailbox. */
  news(response: Untagged): void {
    if (response.kind === 'fetch' && response.row.uid === null) this.rowsWithoutUid += 1
    if (this.selection === null) return
    const existsBefore = this.selection.exists
    const observation = takeNews(response, this.selection)
    if (observation !== null) this.tell(observation)
    if (response.kind === 'fetch' || response.kind === 'vanished' || this.selection.exists !== existsBefore) this.onStir?.()
  }

  tell(observation: Observation): void {
    if (this.listener !== null) this.listener(observation)
    else this.#unheard.push(observation)
  }

  get isOverheard(): boolean {
    return this.#unheard.length > UNHEARD_OBSERVATIONS_MAX
  }

  /** From now on `listener` is told, first of what nobody heard. */
  listen(listener: Tell): void {
    this.listener = listener
    for (const observation of this.#unheard.splice(0)) listener(observation)
  }

  /** Takes in what STATUS said, of a mailbox that may be opened next. */
  recordStatus({ path, highestModSeq }: StatusSeen): void {
    this.#recordModSeq(path, highestModSeq)
  }

  /** Whether the mailbox is known to keep mod-sequences, without opening it again. */
  keepsModSeqs(path: string): boolean {
    return this.#pathsWithModSeqs.has(path)
  }

  #recordModSeq(path: string, highestModSeq: ModSeq | null): void {
    if (highestModSeq === null) this.#pathsWithModSeqs.delete(path)
    else this.#pathsWithModSeqs.add(path)
  }

  tellAlert(reply: TaggedResponse): void {
    this.#tellAlert(reply)
  }

  context({ hasModSeq }: { readonly hasModSeq: boolean }): StepContext {
    return {
      server: this.server,
      hasModSeq,
      argumentOf: (path) => quoteName(path, this.#nameOf(path)),
      pathOf: (name) => this.#pathOf(name),
      selection: () => this.selection,
      select: (selection) => {
        this.selection = selection
        if (selection !== null) this.#recordModSeq(selection.mailbox.path, selection.highestModSeq)
      },
      news: (response) => this.news(response),
    }
  }

  #nameOf(path: string): string {
    return this.#spellings.get(path) ?? this.#usualName(path)
  }

  #usualName(path: string): string {
    return this.#hasUtf8Names ? path : encodeMailboxName(path)
  }

  #pathOf(name: string): string {
    return this.#takeName(decodeUtf8(name))
  }

  #takeName(decoded: string): string {
    const path = canonicalPath(this.#hasUtf8Names ? decoded : readMailboxName(decoded))
    if (this.#nameOf(path) !== decoded && path !== 'INBOX') this.#spellings.set(path, decoded)
    return path
  }

  #tellAlert({ code, text }: { readonly code: { readonly name: string } | null; readonly text: string }): void {
    if (code?.name === 'ALERT') this.tell({ kind: 'alert', text: showable(text) })
  }
}
