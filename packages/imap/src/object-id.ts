/** Reads the identities of RFC 8474: MAILBOXID and EMAILID. */

import type { Value } from './scanner.ts'

/** `(F2212ea87)`: letters, digits, `-` and `_` only, 255 of them at most (RFC 8474 §4); anything else is no identity. */
export function readObjectId(value: Value | undefined): string | null {
  const id = Array.isArray(value) ? value[0] : value
  return typeof id === 'string' && /^[A-Za-z0-9_-]{1,255}$/.test(id) ? id : null
}
