/** The stored form of a row: Node's own serialisation, which knows bigints and typed arrays. */

import { deserialize, serialize } from 'node:v8'
import { corruptRecord } from '../store-errors.ts'

export function encodeRow(row: unknown): Uint8Array {
  return serialize(row)
}

/** @throws SyncError `store.corrupt` */
export function decodeRow(bytes: Uint8Array): unknown {
  try {
    return withOwnArrays(deserialize(bytes))
  } catch (error) {
    throw corruptRecord('a row', error)
  }
}

/** What `deserialize` makes of typed arrays are views on all the bytes it read; storing such a view would store all of them. */
function withOwnArrays(value: unknown): unknown {
  if (value instanceof Uint8Array) return Uint8Array.from(value)
  if (ArrayBuffer.isView(value)) return (value as unknown as { slice(): unknown }).slice()
  if (Array.isArray(value)) return value.map(withOwnArrays)
  if (!(value instanceof Object)) return value
  return Object.fromEntries(Object.entries(value).map(([key, held]) => [key, withOwnArrays(held)]))
}
