/** Lists the commands of the server, what each extension brings, and what a session is told it can do. */

import type { Extension } from '../model/extensions.ts'
import { APPEND_COMMANDS } from './commands/append.ts'
import { COPY_COMMANDS } from './commands/copy.ts'
import { EXPUNGE_COMMANDS } from './commands/expunge.ts'
import { FETCH_COMMANDS } from './commands/fetch.ts'
import { IDLE_COMMANDS } from './commands/idle.ts'
import { LIST_COMMANDS } from './commands/list.ts'
import { LOGIN_COMMANDS } from './commands/login.ts'
import { MAILBOX_COMMANDS } from './commands/mailboxes.ts'
import { NOTIFY_COMMANDS } from './commands/notify.ts'
import { SEARCH_COMMANDS } from './commands/search.ts'
import { SELECT_COMMANDS } from './commands/select.ts'
import { SESSION_COMMANDS } from './commands/session-commands.ts'
import { STATUS_COMMANDS } from './commands/status.ts'
import { STORE_COMMANDS } from './commands/store.ts'
import type { CommandRule } from './reply.ts'
import type { Session } from './session.ts'

/** The commands of one family, by name. */
export interface CommandFamily {
  readonly plain: Readonly<Record<string, CommandRule>>
  /** Those that come after `UID`. */
  readonly byUid?: Readonly<Record<string, CommandRule>>
}

export interface CommandTable {
  readonly plain: ReadonlyMap<string, CommandRule>
  readonly byUid: ReadonlyMap<string, CommandRule>
  isOffered(session: Session, command: { readonly name: string; readonly isUid: boolean }): boolean
  /** What CAPABILITY lists in this state of the session. */
  capabilities(session: Session): string
}

const FAMILIES: readonly CommandFamily[] = [
  SESSION_COMMANDS,
  LOGIN_COMMANDS,
  SELECT_COMMANDS,
  LIST_COMMANDS,
  STATUS_COMMANDS,
  MAILBOX_COMMANDS,
  FETCH_COMMANDS,
  SEARCH_COMMANDS,
  STORE_COMMANDS,
  COPY_COMMANDS,
  EXPUNGE_COMMANDS,
  APPEND_COMMANDS,
  IDLE_COMMANDS,
  NOTIFY_COMMANDS,
]

const NEEDED: Readonly<Record<string, Extension>> = {
  ENABLE: 'ENABLE',
  ID: 'ID',
  IDLE: 'IDLE',
  NAMESPACE: 'NAMESPACE',
  UNSELECT: 'UNSELECT',
  MOVE: 'MOVE',
  NOTIFY: 'NOTIFY',
  REPLACE: 'REPLACE',
  'UID MOVE': 'MOVE',
  'UID EXPUNGE': 'UIDPLUS',
  'UID REPLACE': 'REPLACE',
}

const BEFORE_LOGIN: readonly Extension[] = ['SASL-IR', 'LITERAL+', 'LITERAL-', 'ENABLE', 'ID', 'IDLE']

export const COMMANDS: CommandTable = {
  plain: new Map(FAMILIES.flatMap((family) => Object.entries(family.plain))),
  byUid: new Map(FAMILIES.flatMap((family) => Object.entries(family.byUid ?? {}))),

  isOffered(session, { name, isUid }) {
    if (name === 'STARTTLS') return session.host.canStartTls && !session.isTls
    const needed = NEEDED[isUid ? `UID ${name}` : name]
    return needed === undefined || session.can(needed)
  },

  capabilities(session) {
    const offered = [...session.host.extensions]
    if (session.account !== null) {
      const limit = session.account.appendLimitOctets
      return ['IMAP4rev1', ...offered, ...(limit === null ? [] : [`APPENDLIMIT=${limit}`])].join(' ')
    }
    const tls = session.host.canStartTls && !session.isTls ? ['STARTTLS'] : []
    return ['IMAP4rev1', ...offered.filter((name) => BEFORE_LOGIN.includes(name)), ...tls, 'AUTH=PLAIN'].join(' ')
  },
}
