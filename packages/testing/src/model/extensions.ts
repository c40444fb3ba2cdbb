/** Names the IMAP extensions that the model server can do, and decides which are left when some are switched off. */

const EXTENSIONS = [
  'SASL-IR',
  'LITERAL+',
  'LITERAL-',
  'ENABLE',
  'ID',
  'IDLE',
  'NAMESPACE',
  'CHILDREN',
  'LIST-EXTENDED',
  'LIST-STATUS',
  'SPECIAL-USE',
  'CREATE-SPECIAL-USE',
  'STATUS=SIZE',
  'UIDPLUS',
  'MOVE',
  'MULTIAPPEND',
  'REPLACE',
  'UNSELECT',
  'ESEARCH',
  'CONDSTORE',
  'QRESYNC',
  'OBJECTID',
  'NOTIFY',
] as const

/** Offered only where they are asked for. */
const PRIVATE_EXTENSIONS = ['X-GM-EXT-1'] as const

export type PrivateExtension = (typeof PRIVATE_EXTENSIONS)[number]
export type Extension = (typeof EXTENSIONS)[number] | PrivateExtension

/** What cannot be had without the other (RFC 7162 §3.2, RFC 5819 §3, RFC 6154 §3, RFC 5465 §1). */
const REQUIREMENTS: readonly (readonly [Extension, Extension])[] = [
  ['QRESYNC', 'CONDSTORE'],
  ['QRESYNC', 'ENABLE'],
  ['LIST-STATUS', 'LIST-EXTENDED'],
  ['CREATE-SPECIAL-USE', 'SPECIAL-USE'],
  ['REPLACE', 'UIDPLUS'],
]

/** All extensions but those switched off, and but those that need one of them. LITERAL- is offered only in place of LITERAL+. */
export function extensionsWithout(without: readonly Extension[], adds: readonly PrivateExtension[] = []): ReadonlySet<Extension> {
  const offered = new Set<Extension>(EXTENSIONS.filter((extension) => !without.includes(extension)))
  for (const [extension, needed] of REQUIREMENTS) if (!offered.has(needed)) offered.delete(extension)
  if (offered.has('LITERAL+')) offered.delete('LITERAL-')
  for (const extension of adds) offered.add(extension)
  return offered
}
