/** Reads a BODYSTRUCTURE (RFC 9051 §7.5.2) into the leaves that can be fetched. */

import type { MimePart } from '@tidemail/core'
import { decodeHeaderText, decodeParameters } from './imapflow-internals.ts'
import { decodeUtf8, type Value } from './scanner.ts'

/** Some servers cut the names of deeper sections in their answers (Cyrus: from 92 octets on), so that nobody knows what came. */
const SECTION_OCTETS_MAX = 64

/** Whether a server answers the section under the name by which it was asked: `1.2.MIME`, however long the list of header fields. */
export function isNameable(section: string): boolean {
  return (/^[0-9.]*/.exec(section)?.[0].length ?? 0) <= SECTION_OCTETS_MAX
}

/** The leaves in order, without those nested too deep to be named. An attached message (`message/rfc822`) is one leaf. */
export function mimeParts(structure: Value): readonly MimePart[] {
  const parts: MimePart[] = []
  if (isList(structure)) collect(structure, '', parts)
  return parts
}

function collect(node: readonly Value[], section: string, parts: MimePart[]): void {
  if (!isNameable(section)) return
  if (!isList(node[0])) {
    parts.push(leaf(node, section === '' ? '1' : section))
    return
  }
  for (const [index, child] of node.entries()) {
    if (!isList(child)) break
    collect(child, section === '' ? String(index + 1) : `${section}.${index + 1}`, parts)
  }
}

function leaf(node: readonly Value[], section: string): MimePart {
  const type = `${text(node[0]) ?? 'application'}/${text(node[1]) ?? 'octet-stream'}`.toLowerCase()
  const parameters = parametersOf(node[2])
  const disposition = node[extensionStart(type) + 1]
  const [kind, dispositionParameters] = isList(disposition) ? disposition : [null, null]
  const size = Number(text(node[6]))
  return {
    section,
    type,
    charset: parameters.get('charset') ?? null,
    encoding: (text(node[5]) ?? '7bit').toLowerCase(),
    sizeBytes: Number.isSafeInteger(size) && size >= 0 ? size : 0,
    disposition: dispositionOf(text(kind)),
    fileName: parametersOf(dispositionParameters).get('filename') ?? parameters.get('name') ?? null,
    contentId: text(node[3]),
  }
}

/** Where the MD5 stands: text has a count of lines before it, an attached message its envelope, structure and lines. */
function extensionStart(type: string): number {
  if (type.startsWith('text/')) return 8
  return type === 'message/rfc822' || type === 'message/global' ? 10 : 7
}

/** An unknown disposition is to be treated as an attachment (RFC 2183 §2.8). */
function dispositionOf(kind: string | null): MimePart['disposition'] {
  if (kind === null || kind === '') return null
  return kind.toLowerCase() === 'inline' ? 'inline' : 'attachment'
}

const NO_PARAMETERS: ReadonlyMap<string, string> = new Map()

function parametersOf(list: Value | undefined): ReadonlyMap<string, string> {
  if (!isList(list) || list.length < 2) return NO_PARAMETERS
  const pairs = list.map((value) => (typeof value === 'string' ? decodeUtf8(value) : null))
  // Continuations and charsets are rare: the plain case is read without the library.
  if (pairs.some((value) => value !== null && /[*']|=\?/.test(value))) return decodeParameters(pairs)
  const parameters = new Map<string, string>()
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    const name = pairs[i]
    const value = pairs[i + 1]
    if (typeof name === 'string' && typeof value === 'string') parameters.set(name.toLowerCase(), decodeHeaderText(value))
  }
  return parameters
}

function text(value: Value | undefined): string | null {
  return typeof value === 'string' ? decodeUtf8(value) : null
}

function isList(value: Value | undefined): value is readonly Value[] {
  return Array.isArray(value)
}
