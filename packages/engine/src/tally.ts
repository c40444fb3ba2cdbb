/** Begins the counts of a synchronisation, and tells from them whether it gets on. */

import type { Tally } from './work.ts'

/** Rises with everything that a pass gets done. */
export function progressOf({ messagesFetched, messagesRemoved, entriesSettled }: Tally): number {
  return messagesFetched + messagesRemoved + entriesSettled
}

export function newTally(): Tally {
  return {
    mailboxesChecked: 0,
    mailboxesOpened: 0,
    messagesFetched: 0,
    messagesRemoved: 0,
    flagsChanged: 0,
    partsFetched: 0,
    entriesSettled: 0,
    renamesGuessed: [],
    problems: [],
  }
}
