/** Which bytes a row of parts names: of sections that are held whole, in one piece or several, and of those begun. */

import type { BodyId, BoxEpoch } from '@tidemail/core'
import type { PartsRow } from './schema.ts'

/** A section of which bytes are held. */
export interface HeldPart {
  /** In order. */
  readonly ids: readonly BodyId[]
  /** From the beginning of the section; null where it is held in one piece. */
  readonly octets: number | null
  readonly isWhole: boolean
}

/** By section. */
export type HeldParts = ReadonlyMap<string, HeldPart>

export function partsIn(row: PartsRow | undefined): HeldParts {
  const parts = new Map<string, HeldPart>()
  for (const { section, ids, octets, isWhole } of row?.pieces ?? []) parts.set(section, { ids, octets, isWhole })
  for (const [section, id] of row?.held ?? []) parts.set(section, { ids: [id], octets: null, isWhole: true })
  return parts
}

export function partsRow(key: Pick<PartsRow, 'box' | 'uid'>, parts: HeldParts): PartsRow {
  const held: [string, BodyId][] = []
  const pieces: NonNullable<PartsRow['pieces']>[number][] = []
  for (const [section, { ids, octets, isWhole }] of [...parts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (octets === null) held.push([section, ids[0] as BodyId])
    else pieces.push({ section, ids, octets, isWhole })
  }
  return { ...key, held, ...(pieces.length === 0 ? {} : { pieces }) }
}

/** The sections that are held whole. */
export function wholeParts(parts: HeldParts): HeldParts {
  return new Map([...parts].filter(([, { isWhole }]) => isWhole))
}

/** What is held together with what is added: what is whole stays, and of what is begun the longer is kept. */
export function withParts(held: HeldParts, added: HeldParts): HeldParts {
  const together = new Map(held)
  for (const [section, part] of added) {
    const before = held.get(section)
    const isMore = before !== undefined && !before.isWhole && (part.isWhole || (part.octets ?? 0) > (before.octets ?? 0))
    if (before === undefined || isMore) together.set(section, part)
  }
  return together
}

/** Every body that is named, as often as it is. */
export function bodiesIn(parts: HeldParts): BodyId[] {
  return [...parts.values()].flatMap(({ ids }) => ids)
}

/** The place of what is kept of messages that have left: no box has this number. */
export const RELEASED_BOX: BoxEpoch = 0 as BoxEpoch
