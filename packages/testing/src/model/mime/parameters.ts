/** Reads a structured value with parameters, as in Content-Type and Content-Disposition (RFC 2045 §5.1). */

export interface ParameterizedValue {
  /** Lower case. */
  readonly value: string
  /** Names in lower case, values as written without quotes. */
  readonly parameters: readonly { readonly name: string; readonly value: string }[]
}

export function parseParameterized(text: string): ParameterizedValue {
  const pieces = splitOutsideQuotes(withoutComments(text))
  const parameters = pieces.slice(1).flatMap((piece) => {
    const equals = piece.indexOf('=')
    if (equals < 1) return []
    return [{ name: piece.slice(0, equals).trim().toLowerCase(), value: unquote(piece.slice(equals + 1).trim()) }]
  })
  return { value: (pieces[0] ?? '').replace(/\s+/g, '').toLowerCase(), parameters }
}

/** The parameter's value with RFC 2231 charset and continuations undone, or null. */
export function decodedParameter({ parameters }: Pick<ParameterizedValue, 'parameters'>, name: string): string | null {
  const plain = parameters.find((parameter) => parameter.name === name)
  if (plain !== undefined) return plain.value
  const pieces = parameters.filter((parameter) => parameter.name === `${name}*` || parameter.name.startsWith(`${name}*`))
  if (pieces.length === 0) return null
  const joined = pieces.map(({ value }) => value).join('')
  const match = /^([^']*)'[^']*'(.*)$/s.exec(joined)
  return match === null ? joined : decodePercent(match[2] ?? '', match[1] || 'utf-8')
}

function decodePercent(text: string, charset: string): string {
  const octets = Uint8Array.from(
    text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    (character) => character.charCodeAt(0) & 0xff,
  )
  try {
    return new TextDecoder(charset).decode(octets)
  } catch {
    return text
  }
}

function splitOutsideQuotes(text: string): string[] {
  return (text.match(/(?:"(?:\\.|[^"\\])*"|[^;"])+/gs) ?? []).map((piece) => piece.trim())
}

function withoutComments(text: string): string {
  return text.replace(/("(?:\\.|[^"\\])*")|\([^()]*\)/gs, (_, quoted: string | undefined) => quoted ?? '')
}

function unquote(text: string): string {
  return text.startsWith('"') ? text.replace(/^"|"$/g, '').replace(/\\(.)/gs, '$1') : text
}
