/** Puts plans, receipts and counts into words. */

import type { ProxyCounts } from '@tidemail/testing'
import type { MailboxView, PlannedStep, Receipt, Step, SyncReport, Targets } from 'tidemail'

type Settlement = Receipt['outcomes'][number]

/** `1 message`, `12 messages`. */
export function counted(count: number, one: string, many: string = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`
}

export function wireText({ commands, turns, bytesUp, bytesDown }: ProxyCounts): string {
  return `On the wire: ${counted(commands, 'command')}, ${counted(turns, 'round trip')}, ${grouped(bytesUp)} bytes up, ${grouped(bytesDown)} bytes down.`
}

export function reportText(report: SyncReport): string {
  return [
    `${counted(report.mailboxesOpened, 'mailbox', 'mailboxes')} of ${report.mailboxesChecked} opened`,
    `${counted(report.messagesFetched, 'message')} and ${counted(report.partsFetched, 'text part')} fetched`,
    `${counted(report.flagsChanged, 'flag change')} and ${counted(report.messagesRemoved, 'removal')} taken in`,
    `${counted(report.entriesSettled, 'operation')} settled`,
  ].join(', ')
}

/** Each distinct step of a plan with its reason. */
export function planText(steps: readonly PlannedStep[]): string[] {
  return steps.flatMap(({ part, mailbox, step }) => {
    const where = mailbox === null ? '' : ` in ${mailbox}`
    return [`${part}${where}: ${stepText(step)}`, `    because ${step.reason}`]
  })
}

export function operationText(operation: Receipt['operation'], mailboxes: readonly MailboxView[]): string {
  const path = (id: number): string => mailboxes.find((mailbox) => mailbox.id === id)?.path ?? 'a mailbox that is gone'
  if (operation.kind === 'append')
    return `append a message of ${grouped(operation.message.sizeBytes)} bytes to ${path(operation.to)}`
  const what = `${counted(sizeOf(operation.targets), 'message')} of ${path(operation.targets.mailboxId)}`
  switch (operation.kind) {
    case 'flag':
      return `flag ${what}: ${[...operation.add.map((flag) => `+${flag}`), ...operation.remove.map((flag) => `-${flag}`)].join(' ')}`
    case 'expunge':
      return `expunge ${what}`
    default:
      return `${operation.kind} ${what} to ${path(operation.to)}`
  }
}

export function settlementText({ outcome, targets, evidence }: Settlement): string {
  return `${outcome}, ${counted(sizeOf(targets), 'message')}: ${evidenceText(evidence)}`
}

function stepText(step: Step): string {
  switch (step.kind) {
    case 'list':
      return step.withStatus ? 'LIST with STATUS of every mailbox' : 'LIST'
    case 'status':
      return `STATUS ${step.path}`
    case 'open':
      return `${step.access.toUpperCase()} ${step.path}${step.known === undefined ? '' : ` with what is known as of ${step.known.modSeq}`}`
    case 'leave':
      return 'leave the mailbox'
    case 'search':
      return `SEARCH ${step.uids}`
    case 'fetch':
      return `FETCH the ${step.items} of ${step.uids.toString()}`
    case 'fetch-body':
      return `FETCH ${counted(step.parts.length, 'part')}`
    case 'store':
      return `STORE ${step.direction === 'add' ? '+' : '-'}FLAGS (${step.flags.join(' ')}) on ${step.uids}`
    case 'copy':
    case 'move':
      return `${step.kind.toUpperCase()} ${step.uids} to ${step.target}`
    case 'expunge':
      return `EXPUNGE ${step.uids}`
    case 'append':
      return `APPEND ${counted(step.messages.length, 'message')} to ${step.target}`
  }
}

function evidenceText(evidence: Settlement['evidence']): string {
  switch (evidence.kind) {
    case 'append-uid':
      return `APPENDUID ${evidence.uid} in ${evidence.target.path}`
    case 'copy-uid':
      return `COPYUID ${evidence.pairs.sources} is ${evidence.pairs.destinations} in ${evidence.target.path}`
    case 'flags-seen':
      return 'the server stated the flags'
    case 'tagged-ok':
      return 'tagged OK'
    case 'vanished':
      return `VANISHED ${evidence.uids}`
    case 'probe':
      return `the answer was lost; a probe found ${evidence.verdict === 'none' ? 'nothing' : `UID ${evidence.found.join(', ')}`} (${evidence.verdict})`
    case 'rejection':
      return `refused: ${evidence.rejection.text}`
    case 'nothing-sent':
      return 'nothing was sent'
    case 'mailbox-changed':
      return 'the mailbox was replaced on the server'
    case 'user-decision':
      return 'the user took it back'
  }
}

function sizeOf(targets: Targets): number {
  return targets.kind === 'stored' ? targets.uids.size : targets.locals.size
}

/** `1,234,567`. */
export function grouped(count: number): string {
  return count.toLocaleString('en-GB')
}
