/** The envelopes and structures of up to 256 messages as one run of JSON bytes. */

import type { BoxEpoch, Summary } from '@tidemail/core'

/** The JSON of message `uids[i]` ends before `ends[i]`, and starts where the one before ends. UIDs ascend. */
export interface EnvelopesRow {
  readonly box: BoxEpoch
  readonly chunk: number
  readonly uids: Uint32Array
  readonly ends: Uint32Array
  readonly bytes: Uint8Array
}

/** What the columns do not hold of a summary. */
export type Described = Pick<Summary, 'envelope' | 'parts' | 'emailId'>

export function encodeDescribed({ envelope, parts, emailId }: Described): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ envelope, parts, emailId }))
}

/** What is told of a message, or null when the chunk does not hold it. @throws SyntaxError when the bytes are no JSON. */
export function describedIn(row: EnvelopesRow | undefined, uid: number): Described | null {
  const bytes = row === undefined ? null : jsonOf(row, uid)
  return bytes === null ? null : (JSON.parse(new TextDecoder().decode(bytes)) as Described)
}

/** The JSON bytes of one message of the chunk, as a view; null when the chunk does not hold it. */
export function jsonOf(row: EnvelopesRow, uid: number): Uint8Array | null {
  const i = row.uids.indexOf(uid)
  return i < 0 ? null : jsonAt(row, i)
}

/** The chunk with these messages in place or added, and those removed. */
export function withEnvelopes(
  key: Pick<EnvelopesRow, 'box' | 'chunk'>,
  before: EnvelopesRow | undefined,
  changes: { readonly put?: ReadonlyMap<number, Uint8Array>; readonly remove?: ReadonlySet<number> },
): EnvelopesRow {
  const jsons = new Map<number, Uint8Array>()
  for (const [i, uid] of before?.uids.entries() ?? []) {
    if (changes.remove?.has(uid) !== true) jsons.set(uid, jsonAt(before as EnvelopesRow, i))
  }
  for (const [uid, json] of changes.put ?? []) jsons.set(uid, json)
  const uids = Uint32Array.from(jsons.keys()).sort()
  const ends = new Uint32Array(uids.length)
  const bytes = new Uint8Array([...jsons.values()].reduce((total, json) => total + json.length, 0))
  let end = 0
  for (const [i, uid] of uids.entries()) {
    const json = jsons.get(uid) as Uint8Array
    bytes.set(json, end)
    end += json.length
    ends[i] = end
  }
  return { box: key.box, chunk: key.chunk, uids, ends, bytes }
}

function jsonAt(row: EnvelopesRow, i: number): Uint8Array {
  return row.bytes.subarray(i === 0 ? 0 : row.ends[i - 1], row.ends[i])
}
