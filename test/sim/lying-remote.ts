/** A server that lies about mailboxes: their mod-sequences stand still, and what changed since is not told. */

import { type ModSeq, type Observation, type Remote, type RemoteSession, type Step, UidSet } from '@tidemail/core'

export interface Lies {
  /** Mailboxes that keep the HIGHESTMODSEQ they had when they were first spoken of with this set. */
  readonly stillAt: Set<string>
  /** UIDs that SEARCH leaves out, of any mailbox. */
  readonly unsearched: Set<number>
}

export function noLies(): Lies {
  return { stillAt: new Set(), unsearched: new Set() }
}

/** The same server, but for the lies, which a test may change at any time. */
export function lying(inner: Remote, lies: Lies): Remote {
  const frozen = new Map<string, ModSeq | null>()
  const still = <T extends { readonly highestModSeq: ModSeq | null }>(path: string, item: T): T => {
    if (!lies.stillAt.has(path)) return item
    const known = frozen.get(path)
    if (known === undefined) frozen.set(path, item.highestModSeq)
    return { ...item, highestModSeq: known ?? item.highestModSeq }
  }
  return {
    connect: async (signal) => {
      const session = await inner.connect(signal)
      const run: RemoteSession['run'] = async function* (steps, options) {
        for (const step of steps) {
          for await (const item of session.run([step], options)) {
            const told = lied(item, step, lies, still)
            if (told !== null) yield told
          }
        }
      }
      return {
        server: session.server,
        get ended() {
          return session.ended
        },
        run,
        watch: (path, until) => session.watch(path, until),
        close: () => session.close(),
      }
    },
  }
}

function lied(
  item: Observation,
  step: Step,
  { stillAt, unsearched }: Lies,
  still: <T extends { readonly highestModSeq: ModSeq | null }>(path: string, item: T) => T,
): Observation | null {
  if (item.kind === 'status') return still(item.path, item)
  if (item.kind === 'opened') return still(item.mailbox.path, item)
  if (item.kind === 'uids') return { ...item, uids: item.uids.difference(UidSet.from(unsearched)) }
  const asksWhatChanged = (step.kind === 'fetch' && step.changedSince !== undefined) || step.kind === 'open'
  const isNews = item.kind === 'row' || item.kind === 'vanished'
  return isNews && asksWhatChanged && stillAt.has(item.mailbox.path) ? null : item
}
