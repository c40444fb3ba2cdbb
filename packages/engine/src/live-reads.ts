/** The reads of an app as values that change: read anew whenever something was written. */

import type { Live, LiveReads, MailEngine, MailEngineOptions } from './api.ts'
import { liveRead } from './live-value.ts'

type Reads = Pick<MailEngine, 'mailboxes' | 'page' | 'message' | 'part'>

export function liveReads(engine: Reads, { store, log }: Pick<MailEngineOptions, 'store' | 'log'>): LiveReads {
  const live = <T>(read: () => Promise<T>): Live<T> =>
    liveRead(store, read, (error) => {
      log?.({
        level: 'error',
        event: 'engine.read-failed',
        sentence: error instanceof Error ? error.message : 'A read failed.',
      })
    })
  return {
    mailboxes: () => live(() => engine.mailboxes()),
    page: (query) => live(() => engine.page(query)),
    message: (reference) => live(() => engine.message(reference)),
    part: (reference, section) => live(() => engine.part(reference, section)),
  }
}
