/** UID FETCH of body sections, or of a range of one: messages that want the same share a command (RFC 9051 §6.4.5); what is nested too deep is not asked for. */

import { type BodySeen, type FetchBodyStep, type PartAsked, SyncError, type Uid, UidSet } from '@tidemail/core'
import { isNameable } from '../body-structure.ts'
import type { FetchRow } from '../fetch-row.ts'
import { RESPONSE_LIMITS } from '../response-reader.ts'
import { flagsRow } from '../selection.ts'
import { type Exchange, refusal, type StepExchanges, type Tell } from './exchange.ts'

/** Leaves room for the tag and the sections in a line of 8,192 octets. */
const UID_SET_OCTETS_MAX = 6_000
/** `1.2.MIME`, `HEADER.FIELDS (DATE FROM)`, `TEXT`, or nothing for all. */
const SECTION = /^(?:[0-9.]|[A-Z]|[ ()"-])*$/i

type Asked = Pick<PartAsked, 'section' | 'range'>

interface Group {
  readonly asked: readonly Asked[]
  readonly uids: number[]
}

export function fetchBodyExchanges(step: FetchBodyStep): StepExchanges {
  for (const { section, sizeBytes, range } of step.parts) {
    if (!SECTION.test(section)) throw new SyncError('input.bad-name', 'A section of a message is not written as IMAP has it.')
    if ((range?.lengthBytes ?? sizeBytes) > RESPONSE_LIMITS.literalOctetsMax)
      return refusal('TOOBIG', 'A part is larger than what is taken in one piece.')
  }
  const answerable = groups(step).filter(({ asked }) => asked.some(({ section }) => isNameable(section)))
  return answerable.flatMap((group) =>
    UidSet.from(group.uids)
      .chunksOfOctets(UID_SET_OCTETS_MAX)
      .map((uids) => exchange(step, group.asked, uids)),
  )
}

/** By the sections they want, in the order in which messages were first named. */
function groups(step: FetchBodyStep): readonly Group[] {
  const askedOf = new Map<number, Map<string, Asked>>()
  for (const { uid, ...part } of step.parts) {
    const asked = askedOf.get(uid) ?? new Map<string, Asked>()
    askedOf.set(uid, asked.set(itemOf(part), part))
  }
  const byItems = new Map<string, Group>()
  for (const [uid, asked] of askedOf) {
    const key = [...asked.keys()].join(',')
    const group = byItems.get(key)
    if (group === undefined) byItems.set(key, { asked: [...asked.values()], uids: [uid] })
    else group.uids.push(uid)
  }
  return [...byItems.values()]
}

/** `BODY.PEEK[1.2]<1048576.1048576>`. */
function itemOf({ section, range }: Asked): string {
  return `BODY.PEEK[${section}]${range === undefined ? '' : `<${range.offset}.${range.lengthBytes}>`}`
}

function exchange(step: FetchBodyStep, parts: readonly Asked[], uids: UidSet): Exchange {
  const answered = new Set<string>()
  const asked = parts.filter(({ section }) => isNameable(section))
  const tellSections = (row: FetchRow, uid: Uid, tell: Tell): boolean => {
    let isOurs = false
    for (const written of row.sections) {
      const part = asked.find((candidate) => isAnswer(written, candidate) && !answered.has(`${uid} ${itemOf(candidate)}`))
      if (part === undefined) continue
      isOurs = true
      answered.add(`${uid} ${itemOf(part)}`)
      tell({ ...nothing(step, part, uid), bytes: written.bytes === null ? null : withinRange(written, part) })
    }
    return isOurs
  }
  return {
    parts: [`UID FETCH ${uids} (UID ${asked.map(itemOf).join(' ')})`],
    take: (response, tell) => {
      if (response.kind !== 'fetch' || response.row.sections.length === 0) return false
      const { row } = response
      if (row.uid === null || !uids.has(row.uid) || !tellSections(row, row.uid as Uid, tell)) return false
      const flags = flagsRow(row, step.mailbox)
      if (flags !== null) tell(flags)
      return true
    },
    finish: (reply, tell) => {
      if (reply.status !== 'OK') return undefined
      for (const uid of uids.values())
        for (const part of parts) if (!answered.has(`${uid} ${itemOf(part)}`)) tell(nothing(step, part, uid as Uid))
      return undefined
    },
  }
}

type Written = FetchRow['sections'][number]

/** A server that knows nothing of ranges answers without one. */
function isAnswer(written: Written, { section, range }: Asked): boolean {
  return spelled(written.section) === spelled(section) && (written.origin === null || written.origin === (range?.offset ?? 0))
}

/** The octets that were asked for, where the server gave more: the whole section, or more of it. */
function withinRange({ bytes, origin }: Written, { range }: Asked): Uint8Array | null {
  if (bytes === null || range === undefined || bytes.length <= range.lengthBytes) return bytes
  const from = origin === null ? range.offset : 0
  return bytes.slice(from, from + range.lengthBytes)
}

function nothing(step: FetchBodyStep, { section, range }: Asked, uid: Uid): BodySeen {
  return { kind: 'body', id: step.id, mailbox: step.mailbox, uid, section, offset: range?.offset ?? 0, bytes: null }
}

/** Servers write field names with or without quotes, in any case. */
function spelled(section: string): string {
  return section.toUpperCase().replaceAll('"', '')
}
