/** How a recorded session is written down in fixtures/wire: what was asked of the adapter, and every line and literal that passed. */

import { UidSet } from '@tidemail/core'

export type WireDirection = 'C' | 'S'

export type WireRecord =
  /** What this is. */
  | { readonly kind: 'note'; readonly text: string }
  /** A call of the adapter, with its arguments; what follows passed after it. */
  | { readonly kind: 'call'; readonly name: 'connect' | 'heed' | 'run' | 'close'; readonly argument: unknown }
  /** The octets of a message that the calls name, one character each. */
  | { readonly kind: 'body'; readonly bodyId: string; readonly text: string }
  /** Without its line end. Of one that follows a literal the rest. */
  | { readonly kind: 'line'; readonly from: WireDirection; readonly text: string }
  /** The octets that the line before announced, one character each. */
  | { readonly kind: 'literal'; readonly from: WireDirection; readonly text: string }

/** Text of printable ASCII; literals, with whatever octets they have, are JSON. */
export function writeRecords(records: readonly WireRecord[]): string {
  return `${records.map(writeRecord).join('\n')}\n`
}

export function readRecords(text: string): readonly WireRecord[] {
  return text.trimEnd().split('\n').map(readRecord)
}

/** As JSON, whatever the numbers and sets. */
export function writeValue(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item === 'bigint') return { $number: `${item}` }
    if (item instanceof UidSet) return { $uids: `${item}` }
    return item
  })
}

export function readValue(text: string): unknown {
  return JSON.parse(text, (_key, item: unknown) => {
    if (typeof item !== 'object' || item === null) return item
    if ('$number' in item) return BigInt(String(item.$number))
    return '$uids' in item ? UidSet.parse(String(item.$uids)) : item
  })
}

function writeRecord(record: WireRecord): string {
  switch (record.kind) {
    case 'note':
      return `# ${record.text}`
    case 'call':
      return `! ${record.name} ${writeValue(record.argument)}`
    case 'body':
      return `B ${record.bodyId} ${writeText(record.text)}`
    case 'line':
      if (!/^[\x20-\x7e]*$/.test(record.text)) throw new Error(`A line is not of ASCII: ${JSON.stringify(record.text)}`)
      return `${record.from} ${record.text}`
    case 'literal':
      return `${record.from}~${writeText(record.text)}`
  }
}

function writeText(text: string): string {
  return JSON.stringify(text).replace(/[\x7f-\uffff]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function readRecord(line: string): WireRecord {
  const from = line.startsWith('C') ? 'C' : 'S'
  const rest = line.slice(2)
  const [first = ''] = rest.split(' ', 1)
  const behind = rest.slice(first.length + 1)
  if (line.startsWith('# ')) return { kind: 'note', text: rest }
  if (line.startsWith('! ')) return { kind: 'call', name: first as 'run', argument: readValue(behind) }
  if (line.startsWith('B ')) return { kind: 'body', bodyId: first, text: JSON.parse(behind) as string }
  if (/^[CS]~/.test(line)) return { kind: 'literal', from, text: JSON.parse(rest) as string }
  if (/^[CS] /.test(line)) return { kind: 'line', from, text: rest }
  throw new Error(`This is no record of a session: ${line}`)
}
