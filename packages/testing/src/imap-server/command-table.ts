/** Lists the commands of the server. */

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
import type { CommandFamily, CommandRule } from './reply.ts'

export interface CommandTable {
  readonly plain: ReadonlyMap<string, CommandRule>
  readonly byUid: ReadonlyMap<string, CommandRule>
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

export const COMMANDS: CommandTable = {
  plain: new Map(FAMILIES.flatMap((family) => Object.entries(family.plain))),
  byUid: new Map(FAMILIES.flatMap((family) => Object.entries(family.byUid ?? {}))),
}
