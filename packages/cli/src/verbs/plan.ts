/** `tidemail plan`: what a sync would do and why, without doing it. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeStep, type ErrorCode, SyncError } from '@tidemail/core'
import type { PlanOptions as EnginePlanOptions, PlannedStep, SyncPlan } from '@tidemail/engine'
import type { Command } from 'commander'
import { connectionOf } from '../connect-settings.ts'
import { engineLog } from '../engine-log.ts'
import { type OpenAccount, offline, openStore, useAccount } from '../open-account.ts'
import { namedSettings, readSetup, type Setup } from '../setup.ts'
import { isVacant } from '../vacant-folder.ts'
import type { Choose, CommonOptions, VerbContext } from '../verb.ts'
import { visibleLine } from '../visible-text.ts'

/** What a machine without a network gets for an answer. */
const OFFLINE_CODES: readonly ErrorCode[] = ['remote.host-unknown', 'remote.unreachable']

interface PlanOptions extends CommonOptions {
  readonly offline?: boolean
}

export function declarePlan(program: Command, choose: Choose): void {
  program
    .command('plan')
    .description('show what a sync would do and why; reads the server, writes nothing')
    .argument('[mailboxes...]', 'only these mailboxes')
    .option('--offline', 'leave the network alone: only what waits to be sent')
    .action((mailboxes: readonly string[], options: PlanOptions) => {
      choose(options, async (context) => {
        const setup = await readSetup(context)
        const only = mailboxes.length === 0 ? {} : { mailboxes }
        const isOffline = options.offline === true
        if (!isOffline && hasAccount(setup) && (await isVacant(setup.directory))) {
          await planBeforeFirstSync(setup, context, async ({ engine }) => {
            await printPlan(await engine.plan({ ...only, signal: context.signal }), context)
          })
          return
        }
        const store = await openStore(setup.directory, 'existing', context.signal)
        await useAccount(store, isOffline ? offline(setup.options) : online(setup, context), async (account) => {
          const { plan, note } = await planOf(account, { ...only, signal: context.signal, offline: isOffline })
          await printPlan(plan, context, note)
        })
      })
    })
}

/** Nothing may be written where the store will be: the plan is made over an empty one elsewhere. */
async function planBeforeFirstSync(
  setup: Setup,
  context: VerbContext,
  plan: (account: OpenAccount) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'tidemail-plan-'))
  try {
    const store = await openStore(directory, 'create', context.signal)
    await useAccount(store, online(setup, context), plan)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

function online(setup: Setup, context: VerbContext): Parameters<typeof useAccount>[1] {
  return { named: namedSettings(setup), connection: connectionOf(setup, context.terminal.variables), log: engineLog(context) }
}

function hasAccount(setup: Setup): boolean {
  const { host, user } = namedSettings(setup)
  return host !== undefined && user !== undefined
}

interface Note {
  /** Why the server was not looked at, when it was meant to be. */
  readonly code: ErrorCode | null
  readonly message: string
}

interface NotedPlan {
  readonly plan: SyncPlan
  readonly note: Note | null
}

/** Without a network the plan is of what waits to be sent, and says so. */
async function planOf({ engine }: OpenAccount, asked: EnginePlanOptions): Promise<NotedPlan> {
  if (asked.offline === true) return { plan: await engine.plan(asked), note: { code: null, message: 'The server was not asked' } }
  try {
    return { plan: await engine.plan(asked), note: null }
  } catch (error) {
    if (!(error instanceof SyncError) || !OFFLINE_CODES.includes(error.code)) throw error
    const { code, message } = error
    return { plan: await engine.plan({ ...asked, offline: true }), note: { code, message: message.replace(/\.$/, '') } }
  }
}

async function printPlan(plan: SyncPlan, { printer }: VerbContext, note: Note | null = null): Promise<void> {
  if (note !== null) {
    const message = `${note.message}: this is only what waits to be sent.`
    const code = note.code === null ? '' : ` (${note.code})`
    await printer.print({ kind: 'note', code: note.code, message }, `Note: ${visibleLine(message)}${code}`)
  }
  for (const [i, planned] of plan.steps.entries()) {
    const { part, mailbox, step } = planned
    const heading = part === plan.steps[i - 1]?.part ? [] : [`${part}:`]
    await printer.print({ kind: 'step', part, mailbox, reason: step.reason, step }, [...heading, ...stepLines(planned)])
  }
  for (const { seq, reason } of plan.waiting) {
    await printer.print({ kind: 'waiting', seq, reason }, `#${seq} waits: ${visibleLine(reason)}`)
  }
  await printer.print({ kind: 'result', steps: plan.steps.length, waiting: plan.waiting.length }, summaryOf(plan))
}

function stepLines({ mailbox, step }: PlannedStep): string[] {
  const place = mailbox === null ? '' : `${visibleLine(mailbox)}: `
  const line = `  ${place}${visibleLine(describeStep(step))}`
  return [line, `      because ${visibleLine(step.reason)}`]
}

function summaryOf({ steps, waiting }: SyncPlan): string {
  if (steps.length + waiting.length === 0) return 'Nothing is to be done.'
  return `${steps.length} ${steps.length === 1 ? 'step' : 'steps'}, ${waiting.length} waiting.`
}
