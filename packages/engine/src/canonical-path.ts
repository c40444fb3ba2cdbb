/** Spells a mailbox path as the store keeps it: INBOX in any case is INBOX (RFC 9051 §5.1). */
export function canonicalPath(path: string): string {
  return path.toUpperCase() === 'INBOX' ? 'INBOX' : path
}
