/** UID FETCH of body sections: messages that want the same sections share a command (RFC 9051 §6.4.5); what is nested too deep is not asked for. */

import { type FetchBodyStep, SyncError, type Uid, UidSet } from '@tidemail/core'
import { isNameable } from '../body-structure.ts'
import type { FetchRow } from '../fetch-row.ts'
import { RESPONSE_LIMITS } from '../response-reader.ts'
import { flagsRow } from '../selection.ts'
import { type Exchange, refusal, type StepExchanges, type Tell } from './exchange.ts'

/** Leaves room for the tag and the sections in a line of 8,192 octets. */
const UID_SET_OCTETS_MAX = 6_000
/** `1.2.MIME`, `HEADER.FIELDS (DATE FROM)`, `TEXT`, or nothing for all. */
const SECTION = /^(?:[0-9.]|[A-Z]|[ ()"-])*$/i

interface Group {
  readonly sections: readonly string[]
  readonly uids: number[]
}

export function fetchBodyExchanges(step: FetchBodyStep): StepExchanges {
  for (const { section, sizeBytes } of step.parts) {
    if (!SECTION.test(section)) throw new SyncError('input.bad-name', 'A section of a message is not written as IMAP has it.')
    if (sizeBytes > RESPONSE_LIMITS.literalOctetsMax)
      return refusal('TOOBIG', 'A part is larger than what is taken in one piece.')
  }
  const answerable = groups(step).filter(({ sections }) => sections.some(isNameable))
  return answerable.flatMap((group) =>
    UidSet.from(group.uids)
      .chunksOfOctets(UID_SET_OCTETS_MAX)
      .map((uids) => exchange(step, group.sections, uids)),
  )
}

/** By the sections they want, in the order in which messages were first named. */
function groups(step: FetchBodyStep): readonly Group[] {
  const sectionsOf = new Map<number, Set<string>>()
  for (const { uid, section } of step.parts) {
    const sections = sectionsOf.get(uid) ?? new Set()
    sectionsOf.set(uid, sections.add(section))
  }
  const bySections = new Map<string, Group>()
  for (const [uid, wanted] of sectionsOf) {
    const sections = [...wanted]
    const key = sections.join(',')
    const group = bySections.get(key)
    if (group === undefined) bySections.set(key, { sections, uids: [uid] })
    else group.uids.push(uid)
  }
  return [...bySections.values()]
}

function exchange(step: FetchBodyStep, sections: readonly string[], uids: UidSet): Exchange {
  const answered = new Set<string>()
  const asked = sections.filter(isNameable)
  const bySpelling = new Map(asked.map((section) => [spelled(section), section]))
  const tellSections = (row: FetchRow, uid: Uid, tell: Tell): boolean => {
    let isOurs = false
    for (const { section: written, bytes } of row.sections) {
      const section = bySpelling.get(spelled(written))
      if (section === undefined || answered.has(`${uid} ${section}`)) continue
      isOurs = true
      answered.add(`${uid} ${section}`)
      tell({ kind: 'body', id: step.id, mailbox: step.mailbox, uid, section, bytes })
    }
    return isOurs
  }
  return {
    parts: [`UID FETCH ${uids} (UID ${asked.map((section) => `BODY.PEEK[${section}]`).join(' ')})`],
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
      for (const uid of uids.values()) {
        for (const section of sections) {
          if (answered.has(`${uid} ${section}`)) continue
          tell({ kind: 'body', id: step.id, mailbox: step.mailbox, uid: uid as Uid, section, bytes: null })
        }
      }
      return undefined
    },
  }
}

/** Servers write field names with or without quotes, in any case. */
function spelled(section: string): string {
  return section.toUpperCase().replaceAll('"', '')
}
