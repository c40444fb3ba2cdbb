/** Reads a list of addresses as ENVELOPE shows it: display name, mailbox and host, still encoded, groups as their markers (RFC 9051 §7.5.2). */

/** An address; a group begins with `{name: null, mailbox: the group's name, host: null}` and ends with all null. */
export interface EnvelopeAddress {
  readonly name: string | null
  readonly mailbox: string | null
  readonly host: string | null
}

export function parseAddresses(text: string): EnvelopeAddress[] {
  const found: EnvelopeAddress[] = []
  for (const { text: piece, end } of splitList(text)) {
    const trimmed = piece.trim()
    if (end === ':') found.push({ name: null, mailbox: unquoted(trimmed), host: null })
    else if (trimmed !== '') found.push(parseAddress(trimmed))
    if (end === ';') found.push({ name: null, mailbox: null, host: null })
  }
  return found
}

interface ListPiece {
  readonly text: string
  readonly end: ',' | ';' | ':' | ''
}

/** Cuts at commas, and at the marks of groups, outside quotes, comments and angle brackets. */
function splitList(text: string): ListPiece[] {
  const pieces: ListPiece[] = []
  let current = ''
  for (const [token] of text.matchAll(/"(?:\\.|[^"\\])*"|\((?:\\.|[^()\\])*\)|<[^>]*>|[,;:]|[^"(<,;:]+|./gs)) {
    if (token === ',' || token === ';' || token === ':') {
      pieces.push({ text: current, end: token })
      current = ''
    } else current += token
  }
  pieces.push({ text: current, end: '' })
  return pieces
}

function parseAddress(text: string): EnvelopeAddress {
  const angle = /^(.*?)<([^>]*)>/s.exec(text)
  if (angle !== null) {
    const name = displayName(angle[1] ?? '')
    return { name, ...splitAddress(angle[2] ?? '') }
  }
  const comment = /\(([^()]*)\)/.exec(text)
  const bare = text.replace(/\([^()]*\)/g, '').trim()
  return { name: comment?.[1] ?? null, ...splitAddress(bare) }
}

function displayName(text: string): string | null {
  const name = unquoted(text.trim()).replace(/\s+/g, ' ')
  return name === '' ? null : name
}

function splitAddress(text: string): { mailbox: string; host: string } {
  const at = text.lastIndexOf('@')
  if (at === -1) return { mailbox: unquoted(text.trim()), host: '' }
  return { mailbox: unquoted(text.slice(0, at).trim()), host: text.slice(at + 1).trim() }
}

function unquoted(text: string): string {
  return text.replace(/"((?:\\.|[^"\\])*)"/gs, (_, inner: string) => inner.replace(/\\(.)/gs, '$1'))
}
