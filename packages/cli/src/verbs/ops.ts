/** `tidemail ops`: what waits in the replay log, and what became of earlier operations, with the evidence; and what to do with what is parked. */

import { SyncError } from '@tidemail/core'
import type { Entry, Receipt } from '@tidemail/engine'
import { describeConflict, describeProgress, describeSettlement, describeTargets } from '@tidemail/replay-log'
import { Argument, type Command, Option } from 'commander'
import { type Describe, describer } from '../accept-request.ts'
import { isoDate } from '../message-fields.ts'
import { offline, openStore, useAccount } from '../open-account.ts'
import type { OperationRequest } from '../operation-request.ts'
import { parseSeq, wholeNumber } from '../parse-arguments.ts'
import { requestOperations } from '../request-operations.ts'
import { readSetup } from '../setup.ts'
import type { Choose, CommonOptions, VerbContext } from '../verb.ts'
import { visibleLine } from '../visible-text.ts'

/** Receipts are kept for good; so many of the newest are shown unless said otherwise. */
const RECEIPTS_SHOWN = 100

interface OpsOptions extends CommonOptions {
  readonly limit?: number
}

export function declareOps(program: Command, choose: Choose): void {
  program
    .command('ops')
    .description('show the operations that wait, and what became of earlier ones')
    .addOption(new Option('--limit <count>', 'show so many of the newest receipts').argParser(wholeNumber({ max: 999_999_999 })))
    .addArgument(new Argument('[decision]', 'what to do with a parked operation').choices(['retry', 'discard', 'retarget']))
    .argument('[seq]', 'its number')
    .argument('[mailbox]', 'with retarget: where it is to go instead')
    .action((decision: Verdict | undefined, seq: string | undefined, mailbox: string | undefined, options: OpsOptions) => {
      if (decision !== undefined) {
        choose(options, async (context) => requestOperations(context, [decisionOf(decision, seq ?? '', mailbox)]))
        return
      }
      choose(options, async (context) => {
        const { directory, options: named } = await readSetup(context)
        const store = await openStore(directory, 'existing', context.signal)
        await useAccount(store, offline(named), async ({ engine }) => {
          const describe = describer(await engine.mailboxes())
          const entries = await engine.entries()
          const receipts = await engine.receipts({ limit: options.limit ?? RECEIPTS_SHOWN })
          await printOps(context, { entries, receipts, describe })
        })
      })
    })
}

type Verdict = 'retry' | 'discard' | 'retarget'

/** @throws SyncError `input.usage` */
function decisionOf(verb: Verdict, text: string, mailbox: string | undefined): OperationRequest {
  const seq = parseSeq(text)
  if (verb !== 'retarget' && mailbox === undefined) return { verb, seq }
  if (verb === 'retarget' && mailbox !== undefined) return { verb, seq, mailbox }
  throw new SyncError('input.usage', verb === 'retarget' ? 'No mailbox is named to send it to.' : `${verb} takes no mailbox.`)
}

interface Ops {
  readonly entries: readonly Entry[]
  readonly receipts: readonly Receipt[]
  readonly describe: Describe
}

async function printOps({ printer }: VerbContext, { entries, receipts, describe }: Ops): Promise<void> {
  for (const entry of entries) {
    const { seq, operation, progress, settled, acceptedAt, conflicts } = entry
    const description = describe(operation)
    const groups = progress.map(({ state, targets, parkedFor }) => ({ state, targets: describeTargets(targets), parkedFor }))
    const event = { kind: 'entry', seq, operation: operation.kind, description, acceptedAt: isoDate(acceptedAt), groups }
    const lines = [
      ...progress.map((group) => describeProgress(group, operation)),
      ...conflicts.map(describeConflict),
      ...settled.map((settlement) => describeSettlement(settlement, operation)),
    ].map((line) => `      ${visibleLine(line)}`)
    await printer.print({ ...event, conflicts, settled: settled.map(outcomeFields) }, [`#${seq} ${description}`, ...lines])
  }
  for (const { seq, operation, acceptedAt, settledAt, outcomes } of receipts) {
    const description = describe(operation)
    const event = { kind: 'receipt', seq, operation: operation.kind, description, acceptedAt: isoDate(acceptedAt) }
    const lines = outcomes.map((outcome) => `      ${visibleLine(describeSettlement(outcome, operation))}`)
    const fields = { settledAt: isoDate(settledAt), outcomes: outcomes.map(outcomeFields) }
    await printer.print({ ...event, ...fields }, [`#${seq} ${description} (settled ${isoDate(settledAt)})`, ...lines])
  }
  const isEmpty = entries.length + receipts.length === 0
  const summary = isEmpty ? 'No operations.' : `${entries.length} waiting, ${receipts.length} settled.`
  await printer.print({ kind: 'result', waiting: entries.length, settled: receipts.length }, summary)
}

function outcomeFields({ outcome, targets, evidence }: Receipt['outcomes'][number]): Readonly<Record<string, unknown>> {
  return { outcome, targets: describeTargets(targets), evidence }
}
