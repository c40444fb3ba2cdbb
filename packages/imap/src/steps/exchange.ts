/** What a step is to the session: commands to write, and how their answers become observations. */

import type { Observation, Rejection, ServerProfile } from '@tidemail/core'
import type { CommandPart } from '../command.ts'
import type { TaggedResponse, Untagged } from '../response.ts'
import type { Selection } from '../selection.ts'

export type Tell = (observation: Observation) => void

/** One command of a step. */
export interface Exchange {
  readonly parts: readonly CommandPart[]
  /** Takes an untagged response that is part of the answer to this command and no other; `tag` is that of the command. */
  take?(response: Untagged, tell: Tell, tag: string): boolean
  /** Takes the tagged reply, before the step is done. A rejection makes it one although the server said OK. */
  finish?(reply: TaggedResponse, tell: Tell): Rejection | undefined
  /** NO is as good as OK: what it was sent for has happened either way. */
  readonly mayBeRefused?: boolean
}

/** The commands of a step, in order, none when there is nothing to ask; or why it is not sent at all. */
export type StepExchanges = readonly Exchange[] | Rejection

/** What the steps need of the session. */
export interface StepContext {
  readonly server: ServerProfile
  /** Whether the mailbox a read goes to keeps mod-sequences, as far as is known. */
  readonly hasModSeq: boolean
  /** The name as an argument, quoted. @throws SyncError `input.bad-name` */
  argumentOf(path: string): string
  /** Reads a name as it came. */
  pathOf(name: string): string
  /** As it is now, not as it was when the step was written. */
  selection(): Selection | null
  select(selection: Selection | null): void
  /** Takes a response as news of the mailbox that is selected now. */
  news(response: Untagged): void
}

export function isRejection(exchanges: StepExchanges): exchanges is Rejection {
  return 'status' in exchanges
}

/** A step that cannot be sent is answered as if the server had refused it. */
export function refusal(code: string | null, text: string): Rejection {
  return { status: 'BAD', code, text }
}
