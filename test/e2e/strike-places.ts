/** Chooses where on the wire to strike: every kind of command in turn, and in each of them from its first octet to its last. */

import type { CutHow, Fault } from '@tidemail/testing'
import { kindOf, type WireSpan } from './wire-watch.ts'

export interface StrikePlace {
  readonly command: string
  /** Which of its kind, from 1. */
  readonly nth: number
  readonly direction: 'up' | 'down'
  /** So many octets of the command, or of its answer, pass. */
  readonly bytes: number
}

/** The cut at that place. */
export function cutAt({ command, nth, direction, bytes }: StrikePlace, { how }: { readonly how: CutHow }): Fault {
  return { kind: 'cut-after', direction, bytes, how, from: (one) => kindOf(one) === command, nth }
}

/** An answer may be so much shorter in another run: servers say how long they took. */
const SHORTER_BY_MAX = 8

/** Few places may not reach every kind: last come those that are on their way with others, or are sent in every run. */
const FIRST = [
  ...['APPEND', 'UID COPY', 'UID MOVE', 'CREATE', 'RENAME', 'DELETE', 'SUBSCRIBE', 'UNSUBSCRIBE'],
  ...['UID FETCH', 'SELECT', 'LIST', 'UID STORE', 'UID EXPUNGE', 'UID SEARCH'],
]
/** The golden section: its multiples are spread evenly, however many there are. */
const SPREAD = 0.618_033_988_75

/** Half of the places are in what the client sends, half in what the server answers. */
export function strikePlaces(spans: readonly WireSpan[], count: number): readonly StrikePlace[] {
  const kinds = commandsIn(spans)
  return Array.from({ length: count }, (_, index) => {
    const round = Math.floor(index / kinds.length)
    const kind = index % kinds.length
    const command = kinds[kind] ?? ''
    const direction = (kind + round) % 2 === 0 ? 'up' : 'down'
    const ofKind = spans.filter((span) => span.command === command)
    // A command whose answer came with that of another has no octets of its own there.
    const inDirection = ofKind.filter((span) => span.direction === direction)
    const candidates = inDirection.length > 0 ? inDirection : ofKind
    // Not the first one: what went before it shall have been answered.
    const span = candidates[Math.floor((candidates.length + round) / 2) % candidates.length]
    if (span === undefined) throw new Error('Nothing went over the wire.')
    const share = ((index + 1) * SPREAD) % 1
    const octets = Math.max(1, span.octets - (span.direction === 'up' ? 1 : SHORTER_BY_MAX))
    return { command, nth: span.nth, direction: span.direction, bytes: 1 + Math.floor(share * octets) }
  })
}

/** The kinds of commands, in the order in which they are struck. */
export function commandsIn(spans: readonly WireSpan[]): readonly string[] {
  return [...new Set(spans.map(({ command }) => command))].toSorted((a, b) => rankOf(a) - rankOf(b))
}

function rankOf(command: string): number {
  const rank = FIRST.indexOf(command)
  return rank === -1 ? FIRST.length : rank
}
