/** SELECT and EXAMINE: tells `opened` first, then what the server reported as changed (RFC 7162 §3.2.5). */

import {
  type KnownState,
  normaliseFlags,
  type Opened,
  type OpenStep,
  type Rejection,
  type ServerProfile,
  type StepId,
  UID_MAX,
  type UidValidity,
  uidValidity,
} from '@tidemail/core'
import { readObjectId } from '../object-id.ts'
import { ProtocolViolation } from '../protocol-violation.ts'
import type { StatusResponse, Untagged } from '../response.ts'
import { countWithout, takeNews } from '../selection.ts'
import type { Exchange, StepContext, Tell } from './exchange.ts'
import { refusal } from './exchange.ts'
import { hasModSeqs, readModSeq } from './status.ts'

/** What SELECT may report before its tagged reply: a QRESYNC answer has at most a row a message. */
const CHANGES_MAX = 1_000_000

/** What SELECT has said so far. */
interface Report {
  codes: Map<string, string>
  flags: readonly string[]
  exists: number
  changes: Untagged[]
}

interface Answer {
  readonly report: Report
  readonly isAsked: boolean
}

export function openExchanges(step: OpenStep, context: StepContext): readonly Exchange[] {
  let report = emptyReport()
  // Without QRESYNC enabled the server is not asked what changed.
  const isAsked = step.known !== undefined && context.server.enabled.includes('QRESYNC')
  return [
    {
      parts: [openCommand(step, context)],
      take: (response) => {
        if (response.kind === 'condition' && response.code?.name === 'CLOSED') {
          // What came before CLOSED belongs to the mailbox that was open (RFC 7162 §3.2.11).
          giveToOld(report, context)
          report = emptyReport()
          return true
        }
        return !isOfOld(response, report, { isAsked }) && record(report, response)
      },
      finish: (reply, tell) => {
        if (reply.status !== 'OK') {
          context.select(null)
          return undefined
        }
        if (reply.code !== null) report.codes.set(reply.code.name, reply.code.args)
        return open(step, { report, isAsked }, context, tell)
      },
    },
  ]
}

function openCommand(step: OpenStep, { server, argumentOf }: StepContext): string {
  const command = `${step.access === 'select' ? 'SELECT' : 'EXAMINE'} ${argumentOf(step.path)}`
  const { known } = step
  if (server.enabled.includes('QRESYNC')) {
    if (known === undefined) return command
    return `${command} (QRESYNC (${known.uidValidity} ${known.modSeq}${knownUids(known)}))`
  }
  return needsCondstore(server) ? `${command} (CONDSTORE)` : command
}

/** The sample of numbers has its place behind the known UIDs (RFC 7162 §7). */
function knownUids({ knownUids: uids, sequenceMatch: sample }: KnownState): string {
  if (uids === undefined || uids.isEmpty) return ''
  return sample === undefined || sample.uids.isEmpty ? ` ${uids}` : ` ${uids} (${sample.numbers} ${sample.uids})`
}

function needsCondstore(server: ServerProfile): boolean {
  return hasModSeqs(server) && !server.enabled.includes('CONDSTORE')
}

function emptyReport(): Report {
  return { codes: new Map(), flags: [], exists: 0, changes: [] }
}

function record(report: Report, response: Untagged): boolean {
  switch (response.kind) {
    case 'exists':
      report.exists = response.count
      return recordChange(report, response)
    case 'flags':
      report.flags = response.flags
      return true
    case 'expunged':
    case 'fetch':
    case 'vanished':
      return recordChange(report, response)
    case 'condition':
      return recordCode(report, response)
    default:
      return false
  }
}

function recordChange(report: Report, change: Untagged): true {
  if (report.changes.length >= CHANGES_MAX) throw new ProtocolViolation('The server does not end its answer to SELECT.')
  report.changes.push(change)
  return true
}

/** Said again, or without a code, it is no part of the answer. */
function recordCode({ codes }: Report, { code }: StatusResponse): boolean {
  if (code === null) return false
  const isNew = !codes.has(code.name)
  codes.set(code.name, code.args)
  return isNew
}

/** A server without CLOSED may still be telling of the mailbox that was open, until it begins with this one. */
function isOfOld(response: Untagged, { codes }: Report, { isAsked }: Pick<Answer, 'isAsked'>): boolean {
  return !isAsked && (response.kind === 'fetch' || response.kind === 'vanished') && !codes.has('UIDVALIDITY')
}

function giveToOld(report: Report, context: StepContext): void {
  for (const change of report.changes) context.news(change)
  context.select(null)
}

function open(step: OpenStep, { report, isAsked }: Answer, context: StepContext, tell: Tell): Rejection | undefined {
  const validity = readUidValidity(report.codes.get('UIDVALIDITY'))
  if (validity === null) {
    context.select(null)
    return refusal(null, 'The server gives no UIDVALIDITY for this mailbox, so its messages cannot be told apart.')
  }
  const opened = openedOf(step, report, validity, { isAsked })
  const selection = { mailbox: opened.mailbox, exists: report.exists, highestModSeq: opened.highestModSeq }
  context.select(selection)
  tell(opened)
  for (const change of report.changes) {
    const news = takeNews(change, selection)
    if (news !== null) tell(news)
  }
  return undefined
}

function openedOf(
  step: OpenStep,
  { codes, exists, flags, changes }: Report,
  validity: UidValidity,
  { isAsked }: { readonly isAsked: boolean },
): Opened {
  const highestModSeq = codes.has('NOMODSEQ') ? null : readModSeq(codes.get('HIGHESTMODSEQ'))
  const permanent = codes.get('PERMANENTFLAGS')
  const uidNext = Number(codes.get('UIDNEXT'))
  return {
    kind: 'opened',
    id: step.id satisfies StepId,
    mailbox: { path: step.path, uidValidity: validity },
    exists: lastExists(exists, changes),
    uidNext: Number.isInteger(uidNext) && uidNext >= 1 && uidNext <= UID_MAX ? uidNext : null,
    highestModSeq,
    // Without PERMANENTFLAGS every flag can be kept (RFC 9051 §6.3.2).
    permanentFlags: normaliseFlags(
      permanent === undefined ? [...flags, '\\*'] : permanent.replace(/[()]/g, '').split(' ').filter(Boolean),
    ),
    isReadOnly: codes.has('READ-ONLY') || (step.access === 'examine' && !codes.has('READ-WRITE')),
    hasPersistentUids: !codes.has('UIDNOTSTICKY'),
    objectId: readObjectId(codes.get('MAILBOXID')?.replace(/[()]/g, '')),
    isResynced: isAsked && step.known?.uidValidity === validity && highestModSeq !== null,
  }
}

/** EXISTS as of the tagged reply: messages may be expunged while the mailbox is opened. */
function lastExists(exists: number, changes: readonly Untagged[]): number {
  let count = exists
  for (const change of changes) {
    if (change.kind === 'exists') count = change.count
    else if (change.kind === 'expunged') count -= 1
    else if (change.kind === 'vanished' && !change.isEarlier) count = countWithout(count, change.uids)
  }
  return Math.max(0, count)
}

function readUidValidity(digits: string | undefined): UidValidity | null {
  const value = Number(digits)
  return Number.isInteger(value) && value >= 1 && value <= UID_MAX ? uidValidity(value) : null
}
