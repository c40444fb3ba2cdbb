/** Defects that servers were seen to have, as changes to what passes between a client and a server without them. */

import type { RewriteCommandLine, RewriteServerLine } from './fault-proxy-mask.ts'

const REFUSED = 'X-REFUSED'

/** Has commands that look so, without their tags, refused: the server does not understand what is sent in their place. */
export function refusing(command: RegExp): RewriteCommandLine {
  return (line) => {
    const [tag = '', text = ''] = [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]
    // Of a command with a literal the literal would be left over.
    return command.test(text) && !/\{\d+\+?\}$/.test(text) ? `${tag} ${REFUSED}` : line
  }
}

/** What is said to a command that {@link refusing} has refused. */
export function refusalsToldAs(told: string): RewriteServerLine {
  return (line) => line.replace(new RegExp(`^([^*+ ]\\S*) BAD .*${REFUSED}.*`), (_all, tag: string) => `${tag} ${told}`)
}

/** Names every message up to the last that went, and has a space too many. */
export function vanishedTooWide(line: string): string {
  return line.replace(/^\* VANISHED (?:\(EARLIER\) )?(?:\S*[,:])?(\d+)$/, (all, last: string) =>
    all.includes('EARLIER') ? `* VANISHED (EARLIER)  1:${last}` : `* VANISHED  1:${last}`,
  )
}

/** The mailboxes as an update has left them: all the same messages, and other UIDs as far as anybody can tell. */
export function otherUidValidities(line: string): string {
  return /^\* (?:OK \[|STATUS )|^\S+ OK \[(?:APPENDUID|COPYUID) /.test(line)
    ? line.replace(/\b((?:UIDVALIDITY|APPENDUID|COPYUID) )(\d+)/, (_all, name: string, told: string) => name + (Number(told) + 1))
    : line
}

const AUTOMATIC = 'auto-'

/** Expunges what a command marks as \Deleted before it is answered. */
export function expungingWhatIsDeleted(line: string): string {
  const store = /^(\S+) UID STORE (\S+) \+FLAGS(?:\.SILENT)? \([^)]*\\Deleted\b[^)]*\)$/i.exec(line)
  return store === null ? line : `${AUTOMATIC}${line}\r\n${store[1]} UID EXPUNGE ${store[2]}`
}

/** Keeps the answer to the first of the two commands from a client that has sent one. */
export function expungingUntold(line: string): string | null {
  return line.startsWith(AUTOMATIC) ? null : line
}
