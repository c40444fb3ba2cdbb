/** UID FETCH of flags and summaries (RFC 9051 §6.4.5, RFC 7162 §3.1.4 and §3.2.6). */

import { can, type FetchStep, modSeq, type RowSeen, type Summary, type Uid } from '@tidemail/core'
import type { FetchRow } from '../fetch-row.ts'
import { flagsRow } from '../selection.ts'
import type { Exchange, StepContext, Tell } from './exchange.ts'

export function fetchExchanges(step: FetchStep, context: StepContext): readonly Exchange[] {
  if (step.uids.isEmpty) return []
  /** Rows whose items came in more than one response. */
  const partial = new Map<number, FetchRow>()
  const told = new Set<number>()
  const tellFlags = (row: FetchRow, tell: Tell): boolean => {
    const seen = flagsRow(row, step.mailbox)
    if (seen === null) return false
    told.add(seen.uid)
    tell(seen)
    return true
  }
  return [
    {
      parts: [`UID FETCH ${step.uids} (${items(step, context).join(' ')})${modifier(step, context)}`],
      take: (response, tell) => {
        if (response.kind !== 'fetch') return false
        const { row } = response
        // `n:4294967295` beyond the last message names the last one: of it only the flags are news, as of what was told already.
        if (row.uid === null || !step.uids.has(row.uid) || told.has(row.uid)) return false
        if (step.items === 'flags') return tellFlags(row, tell)
        if (!holdsSummary(row)) return false
        const whole = merged(partial.get(row.uid), row)
        const summary = summaryOf(whole, step)
        if (summary === null) partial.set(row.uid, whole)
        else {
          partial.delete(row.uid)
          told.add(row.uid)
          tell(rowSeen(whole, step, summary))
        }
        return true
      },
      finish: (_reply, tell) => {
        for (const row of partial.values()) {
          const seen = rowSeen(row, step, patchedSummary(row))
          if (seen.summary !== null || flagsRow(row, step.mailbox) !== null) tell(seen)
        }
        return undefined
      },
    },
  ]
}

function items(step: FetchStep, { server, hasModSeq }: StepContext): readonly string[] {
  const asked = ['UID']
  if (step.items !== 'identity') {
    asked.push('FLAGS')
    if (hasModSeq) asked.push('MODSEQ')
  }
  if (step.items === 'flags') return asked
  asked.push('INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE')
  if (step.items === 'summary') asked.push('BODYSTRUCTURE')
  if (can(server, 'OBJECTID')) asked.push('EMAILID')
  else if (can(server, 'X-GM-EXT-1')) asked.push('X-GM-MSGID')
  return asked
}

function modifier({ changedSince }: FetchStep, { server, hasModSeq }: StepContext): string {
  if (changedSince === undefined || !hasModSeq) return ''
  const withVanished = changedSince.vanished && server.enabled.includes('QRESYNC')
  return ` (CHANGEDSINCE ${changedSince.modSeq}${withVanished ? ' VANISHED' : ''})`
}

function holdsSummary(row: FetchRow): boolean {
  return (
    row.envelope !== null || row.sizeBytes !== null || row.internalDate !== null || row.parts !== null || row.emailId !== null
  )
}

function merged(earlier: FetchRow | undefined, row: FetchRow): FetchRow {
  if (earlier === undefined) return row
  return {
    uid: row.uid,
    flags: row.flags ?? earlier.flags,
    modSeq: row.modSeq ?? earlier.modSeq,
    internalDate: row.internalDate ?? earlier.internalDate,
    sizeBytes: row.sizeBytes ?? earlier.sizeBytes,
    envelope: row.envelope ?? earlier.envelope,
    parts: row.parts ?? earlier.parts,
    emailId: row.emailId ?? earlier.emailId,
    sections: [],
  }
}

function summaryOf(row: FetchRow, step: FetchStep): Summary | null {
  const { internalDate, sizeBytes, envelope, emailId } = row
  const parts = step.items === 'identity' ? [] : row.parts
  if (internalDate === null || sizeBytes === null || envelope === null || parts === null) return null
  return { internalDate, sizeBytes, envelope, parts, emailId }
}

/** For a server that gives a message no date or structure it can write: what is there is better than a message never shown. */
function patchedSummary({ internalDate, sizeBytes, envelope, parts, emailId }: FetchRow): Summary | null {
  if (sizeBytes === null || envelope === null) return null
  return { internalDate: internalDate ?? envelope.date ?? 0, sizeBytes, envelope, parts: parts ?? [], emailId }
}

function rowSeen(row: FetchRow, step: FetchStep, summary: Summary | null): RowSeen {
  return {
    kind: 'row',
    mailbox: step.mailbox,
    uid: row.uid as Uid,
    flags: row.flags,
    modSeq: row.modSeq === null ? null : modSeq(row.modSeq),
    summary,
  }
}
