/** Puts plans, reports and counts into words. */

import type { ProxyCounts } from '@tidemail/testing'
import { describeStep, type PlannedStep, type SyncReport } from 'tidemail'

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
    return [`${part}${where}: ${describeStep(step)}`, `    because ${step.reason}`]
  })
}

/** `1,234,567`. */
export function grouped(count: number): string {
  return count.toLocaleString('en-GB')
}
