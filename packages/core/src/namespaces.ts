/** Which of a server's mailboxes are the user's own, and under which names new ones can be made (RFC 2342, RFC 9051 §6.3.10). */

/** Whose a mailbox is. */
export type MailboxNamespace = 'personal' | 'other-users' | 'shared'

/** Where mailboxes of one kind are: their names begin with the prefix, decoded as paths are. */
export interface NamespacePlace {
  readonly prefix: string
  /** Null where the server has no hierarchy there. */
  readonly delimiter: string | null
}

/** What NAMESPACE tells; a kind that the server does not have, or does not tell of, has no places. */
export interface Namespaces {
  readonly personal: readonly NamespacePlace[]
  readonly otherUsers: readonly NamespacePlace[]
  readonly shared: readonly NamespacePlace[]
}

export const NO_NAMESPACES: Namespaces = { personal: [], otherUsers: [], shared: [] }

/** The namespace of the longest prefix that the path begins with; what no namespace claims is taken for the user's own, as INBOX always is. */
export function namespaceOf(path: string, namespaces: Namespaces): MailboxNamespace {
  if (path === 'INBOX') return 'personal'
  let best: { readonly kind: MailboxNamespace; readonly length: number } = { kind: 'personal', length: -1 }
  for (const { kind, prefix, delimiter } of placesOf(namespaces))
    if (prefix.length > best.length && isWithin(path, { prefix, delimiter })) best = { kind, length: prefix.length }
  return best.kind
}

/**
 * The path under which a mailbox of this name can be made. Where all of the user's own mailboxes have a prefix (`INBOX.`), a bare name gets it; a name that
 * begins with a prefix of the server, or is below a mailbox that is there, stands.
 */
export function personalPath(
  path: string,
  namespaces: Namespaces,
  shown: readonly { readonly path: string; readonly delimiter: string | null }[],
): string {
  const [own] = namespaces.personal
  if (path === 'INBOX' || own === undefined || namespaces.personal.some(({ prefix }) => prefix === '')) return path
  if (placesOf(namespaces).some((place) => place.prefix !== '' && isWithin(path, place))) return path
  const isBelowKnown = shown.some((one) => one.delimiter !== null && path.startsWith(one.path + one.delimiter))
  return isBelowKnown ? path : own.prefix + path
}

function placesOf({
  personal,
  otherUsers,
  shared,
}: Namespaces): readonly (NamespacePlace & { readonly kind: MailboxNamespace })[] {
  return [
    ...personal.map((place) => ({ ...place, kind: 'personal' as const })),
    ...otherUsers.map((place) => ({ ...place, kind: 'other-users' as const })),
    ...shared.map((place) => ({ ...place, kind: 'shared' as const })),
  ]
}

/** LIST may show the prefix itself as a name, without the delimiter at its end. */
function isWithin(path: string, { prefix, delimiter }: NamespacePlace): boolean {
  if (path.startsWith(prefix)) return true
  return delimiter !== null && prefix === path + delimiter
}
