/** Decides whether a message on the server is the one that was sent, where no UID tells (H-9). */

import type { MessageIdentity } from '@tidemail/core'

/** What is known of a message; `digest` is the SHA-256 of its bytes, hex, where these were read. */
export interface ComparableIdentity extends MessageIdentity {
  readonly digest: string | null
}

export type IdentityVerdict = 'certain' | 'possible' | 'none'

/**
 * `certain` is enough to settle on; `possible` (same Message-ID, other size or date: servers rewrite) is enough not to send again. A message
 * without Message-ID is told by size and date, and then by its bytes.
 */
export function matchIdentity(fenced: ComparableIdentity, seen: ComparableIdentity): IdentityVerdict {
  // RFC 8474 §5.1: a copy has the same EMAILID. That two differ proves nothing: the server may have rewritten the message.
  if (fenced.emailId !== null && fenced.emailId === seen.emailId) return 'certain'
  const isSameShape = fenced.sizeBytes === seen.sizeBytes && wholeSeconds(fenced) === wholeSeconds(seen)
  if (fenced.messageId !== null && fenced.messageId === seen.messageId) return isSameShape ? 'certain' : 'possible'
  // A server that does not understand a Message-ID shows none: then size, date and bytes decide.
  const areBothNamed = fenced.messageId !== null && seen.messageId !== null
  if (areBothNamed || !isSameShape) return 'none'
  if (fenced.digest === null || seen.digest === null) return 'possible'
  return fenced.digest === seen.digest ? 'certain' : 'none'
}

/** INTERNALDATE has no fractions of a second (RFC 9051 §9, date-time). */
function wholeSeconds({ internalDate }: MessageIdentity): number {
  return Math.floor(internalDate / 1_000)
}
