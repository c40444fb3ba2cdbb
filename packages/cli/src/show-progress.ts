/** Shows how a sync gets on: a bar on a terminal, events with `--json`, nothing anywhere else. */

import type { EngineStatus, Live } from '@tidemail/engine'
import { SingleBar } from 'cli-progress'
import type { VerbContext } from './verb.ts'
import { visibleLine } from './visible-text.ts'

/** Events of one phase come no more often than this. */
const PROGRESS_EVENT_MS_MIN = 250
const BAR_FORMAT = '{bar} {percentage}% {phase} {mailbox} {value}/{total}'

/** Returns the function that ends it. */
export function showProgress(status: Live<EngineStatus>, context: VerbContext): () => void {
  if (context.printer.format === 'json') return printEvents(status, context)
  return context.terminal.screen === null ? () => undefined : drawBar(status, context.terminal.screen)
}

function drawBar(status: Live<EngineStatus>, screen: NodeJS.WriteStream): () => void {
  // ASCII and no colour: it reads the same everywhere, and NO_COLOR has nothing to switch off.
  const characters = { barCompleteChar: '#', barIncompleteChar: '.' }
  const bar = new SingleBar({
    format: BAR_FORMAT,
    stream: screen,
    clearOnComplete: true,
    hideCursor: true,
    barsize: 24,
    ...characters,
  })
  bar.start(1, 0, { phase: 'connecting', mailbox: '' })
  const unsubscribe = status.subscribe(() => {
    const { phase, progress } = status.getSnapshot() ?? {}
    if (phase === undefined) return
    bar.setTotal(progress?.total ?? 1)
    bar.update(progress?.done ?? 0, { phase, mailbox: visibleLine(progress?.mailbox ?? '') })
  })
  return () => {
    unsubscribe()
    bar.stop()
  }
}

function printEvents(status: Live<EngineStatus>, { printer }: VerbContext): () => void {
  let last = { phase: '', mailbox: '', at: 0 }
  return status.subscribe(() => {
    const { phase, progress } = status.getSnapshot() ?? {}
    if (phase === undefined) return
    const mailbox = progress?.mailbox ?? null
    const isNews = phase !== last.phase || (mailbox ?? '') !== last.mailbox
    const now = performance.now()
    if (!isNews && now - last.at < PROGRESS_EVENT_MS_MIN) return
    last = { phase, mailbox: mailbox ?? '', at: now }
    const event = { kind: 'progress', phase, mailbox, done: progress?.done ?? null, total: progress?.total ?? null }
    // When nobody reads any more, the result says so.
    printer.print(event, null).catch(() => undefined)
  })
}
