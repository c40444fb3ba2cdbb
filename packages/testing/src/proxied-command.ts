/** Reads a client's line as an IMAP command, so that it can be counted, matched and shown without secrets. */

/** One command as it went by. */
export interface ProxiedCommand {
  /** Counted from 1, in the order of connecting. */
  readonly connection: number
  readonly tag: string
  /** Upper case, with `UID` where it belongs to it: `UID FETCH`. */
  readonly name: string
  /** The whole command with its literals left out (`{310+}`) and the arguments of LOGIN and AUTHENTICATE replaced by `***`. */
  readonly line: string
}

const COMMAND = /^([^\s+*(){%"\\]+) ((?:UID )?[A-Za-z0-9-]+)(?: |$)/i

/** Null where the line is no command: `DONE`, or an answer to a SASL challenge. */
export function readCommand(connection: number, text: string): ProxiedCommand | null {
  const found = COMMAND.exec(text)
  if (found === null) return null
  const [, tag = '', words = ''] = found
  const name = words.toUpperCase()
  return { connection, tag, name, line: carriesSecret(name) ? `${tag} ${words} ***` : text }
}

/** The command with the text that follows one of its literals. */
export function continued(command: ProxiedCommand, text: string): ProxiedCommand {
  return carriesSecret(command.name) ? command : { ...command, line: command.line + text }
}

function carriesSecret(name: string): boolean {
  return name === 'LOGIN' || name === 'AUTHENTICATE'
}
