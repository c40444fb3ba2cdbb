/** Speaks of contents as Gmail does, X-GM-MSGID of X-GM-EXT-1, on a Dovecot that calls them X-GUID. */

/**
 * A FETCH of X-GM-MSGID asks Dovecot for X-GUID, which COPY and MOVE keep as Gmail keeps its number. X-GM-THRID and X-GM-LABELS have nothing behind
 * them: who asks for them is told BAD.
 */
export function gmailIdsAsked(line: string): string {
  return /^\S+ (?:UID )?FETCH /i.test(line) ? line.replace(/\bX-GM-MSGID\b/gi, 'X-GUID') : line
}

/** Names the contents in an answer by a number of 64 bits. A line may begin behind a literal, so that any may be of a FETCH. */
export function gmailIdsTold(line: string): string {
  return line.replace(QUOTED_OR_GUID, (all, guid: string | undefined) =>
    guid === undefined ? all : `X-GM-MSGID ${gmailIdOfGuid(guid)}`,
  )
}

/** Quoted strings are taken whole, so that what a sender writes is never taken for an item. */
const QUOTED_OR_GUID = /"(?:[^"\\]|\\.)*"|\bX-GUID ([0-9a-f]{32})\b/gi

/** Both halves count: one of them is the same for all that one process of Dovecot has made. */
function gmailIdOfGuid(guid: string): bigint {
  return BigInt(`0x${guid.slice(0, 16)}`) ^ BigInt(`0x${guid.slice(16)}`)
}
