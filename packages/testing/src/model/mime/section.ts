/** Finds the bytes that BODY[section] names: `1.2`, `HEADER`, `2.MIME`, `TEXT`, `HEADER.FIELDS (...)` (RFC 9051 §6.4.5.1). */

import { isEmbeddedMessage, isMultipart, type MimeEntity, readEntity } from './entity.ts'
import type { ByteRange } from './header.ts'

/** The bytes of the section, or null where the message has none. */
export function sectionBytes(bytes: Uint8Array, section: string): Uint8Array | null {
  if (section === '') return bytes
  const match = /^(\d+(?:\.\d+)*)?\.?(.*)$/s.exec(section)
  const path = match?.[1]?.split('.').map(Number) ?? []
  const what = (match?.[2] ?? '').toUpperCase()
  const root = readEntity(bytes)
  const entity = path.length === 0 ? root : descend(root, path)
  if (entity === null) return null
  if (path.length > 0 && what === '') return cut(bytes, entity.body)
  if (what === 'MIME') return path.length === 0 ? null : cut(bytes, entity.header.range)
  const message = path.length === 0 ? root : isEmbeddedMessage(entity) ? entity.children[0] : undefined
  if (message === undefined) return null
  if (what === 'HEADER') return cut(bytes, message.header.range)
  if (what === 'TEXT') return cut(bytes, message.body)
  const fields = /^HEADER\.FIELDS(\.NOT)? \((.*)\)$/s.exec(what)
  if (fields === null) return null
  return headerFields(bytes, message, { names: fields[2]?.match(/[^\s"]+/g) ?? [], isInverted: fields[1] !== undefined })
}

/** A message that is no multipart has one part, its body: part 1. */
function descend(root: MimeEntity, path: readonly number[]): MimeEntity | null {
  let entity = root
  for (const [depth, number] of path.entries()) {
    if (depth > 0 && isEmbeddedMessage(entity)) entity = entity.children[0] as MimeEntity
    else if (depth > 0 && !isMultipart(entity)) return null
    if (isMultipart(entity)) {
      const child = entity.children[number - 1]
      if (child === undefined) return null
      entity = child
    } else if (number !== 1) return null
  }
  return entity
}

function headerFields(
  bytes: Uint8Array,
  { header }: MimeEntity,
  { names, isInverted }: { readonly names: readonly string[]; readonly isInverted: boolean },
): Uint8Array {
  const wanted = new Set(names.map((name) => name.toUpperCase()))
  const kept = header.fields.filter(({ name }) => wanted.has(name.toUpperCase()) !== isInverted)
  return joinBytes([...kept.map(({ range }) => cut(bytes, range)), new Uint8Array([13, 10])])
}

function cut(bytes: Uint8Array, { start, end }: ByteRange): Uint8Array {
  return bytes.slice(start, end)
}

function joinBytes(pieces: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(pieces.reduce((total, piece) => total + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    joined.set(piece, at)
    at += piece.length
  }
  return joined
}
