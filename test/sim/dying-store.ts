/** A store whose process dies at a chosen commit: before it is written, or after, but before anybody hears of it. */

import type { Change, CommitResult, MessageStore } from '@tidemail/core'

/** What everything rejects with once the process is dead. */
export class ProcessDied extends Error {
  override readonly name = 'ProcessDied'
}

export interface Death {
  /** Which commit it is, from 0. */
  readonly atCommit: number
  readonly moment: 'before' | 'after'
}

/** The same store until it dies; from then on nothing gets through. Leave it and open another on the same disk. */
export function dyingStore(store: MessageStore, death: Death): MessageStore & { readonly hasDied: boolean } {
  let commits = 0
  let hasDied = false
  const assertAlive = (): void => {
    if (hasDied) throw new ProcessDied('The process is dead.')
  }
  const die = (): never => {
    hasDied = true
    throw new ProcessDied('The process died.')
  }
  const commit = async (change: Change): Promise<CommitResult> => {
    assertAlive()
    const isLast = commits === death.atCommit
    commits += 1
    if (isLast && death.moment === 'before') die()
    const result = await store.commit(change)
    if (isLast) die()
    return result
  }
  const guarded = <T extends object>(reads: T): T =>
    new Proxy(reads, {
      get(target, key) {
        assertAlive()
        return Reflect.get(target, key)
      },
    })
  return {
    get hasDied() {
      return hasDied
    },
    ownership: store.ownership,
    planning: guarded(store.planning),
    view: guarded(store.view),
    commit,
    accept: async (acceptance) => {
      assertAlive()
      return store.accept(acceptance)
    },
    lead: async (account) => {
      assertAlive()
      return store.lead(account)
    },
    subscribe: (listener) => store.subscribe(listener),
    wipe: (account) => store.wipe(account),
    close: () => store.close(),
  }
}
