/** Reads the answer to NAMESPACE (RFC 2342 §5); what cannot be read says nothing, and does no harm. */

import { ProtocolViolation } from './protocol-violation.ts'
import type { Scanner, Value } from './scanner.ts'

/** A namespace as on the wire, one character per octet. */
export interface NamespaceRow {
  readonly prefix: string
  readonly delimiter: string | null
}

export interface NamespaceResponse {
  readonly kind: 'namespace'
  readonly personal: readonly NamespaceRow[]
  readonly otherUsers: readonly NamespaceRow[]
  readonly shared: readonly NamespaceRow[]
}

/** What is kept of one answer: a server may have a namespace for each of its users. */
const ROWS_MAX = 64
const PREFIX_OCTETS_MAX = 1_000

/** `(("" "/")) (("~" "/")) NIL`; null for what is none. */
export function readNamespaces(scanner: Scanner): NamespaceResponse | null {
  const [personal, otherUsers, shared] = [readKind(scanner), readKind(scanner), readKind(scanner)]
  if (personal === null || otherUsers === null || shared === null) return null
  return { kind: 'namespace', personal, otherUsers, shared }
}

function readKind(scanner: Scanner): readonly NamespaceRow[] | null {
  const value = readValue(scanner)
  if (value === null) return []
  if (value === undefined || typeof value === 'string') return null
  const rows = value.slice(0, ROWS_MAX).map(rowOf)
  return rows.some((row) => row === null) ? null : rows.filter((row) => row !== null)
}

/** Undefined for what is no value. */
function readValue(scanner: Scanner): Value | undefined {
  try {
    scanner.skipSpaces()
    return scanner.value()
  } catch (error) {
    if (error instanceof ProtocolViolation) return undefined
    throw error
  }
}

/** What follows the delimiter are extensions (RFC 2342 §5), which say nothing to us. */
function rowOf(value: Value): NamespaceRow | null {
  if (value === null || typeof value === 'string') return null
  const [prefix, delimiter] = value
  if (typeof prefix !== 'string' || prefix.length > PREFIX_OCTETS_MAX) return null
  if (delimiter === undefined || (delimiter !== null && typeof delimiter !== 'string')) return null
  return { prefix, delimiter: delimiter === '' ? null : delimiter }
}
