/** Waits for news of the account: on the connection of the passes, and on further ones where one tells of one mailbox only. */

import type { WatchRenewal, WatchWay } from '@tidemail/core'
import type { EngineStatus } from './api.ts'
import type { LiveValue } from './live-value.ts'
import { planWatch, type WatchPlan } from './plan-watch.ts'
import { connectKnowing, rememberRenewal, renewalOf } from './server-memory.ts'
import { SideWatches } from './side-watches.ts'
import type { Synchroniser } from './synchroniser.ts'
import { renewalAfter, type WaitEnd } from './watch-renewal.ts'
import { News, type NewsListener } from './watch-session.ts'

export interface AccountWatchOptions {
  readonly synchroniser: Synchroniser
  readonly status: LiveValue<EngineStatus>
  readonly onNews: NewsListener
}

export class AccountWatch {
  private readonly options: AccountWatchOptions
  private readonly news: News
  private readonly sides: SideWatches
  private renewal: WatchRenewal | null = null
  private isShaken = false
  /** How news came when they last came. */
  way: WatchWay = 'idle'
  private current: { readonly way: WatchWay; readonly plan: WatchPlan } | null = null

  constructor(options: AccountWatchOptions) {
    this.options = options
    const { accountId, clock, log, random, store } = options.synchroniser.options
    this.news = new News({ accountId, store, clock, log })
    this.sides = new SideWatches({
      connect: (signal) => connectKnowing(options.synchroniser.options, signal),
      clock,
      random,
      log,
      watch: async ({ path, ...watch }) => {
        const { renewalMs } = await this.renewalNow()
        const request = { path, beside: [], renewalMs }
        await this.news.watch({ ...watch, request, onWaited: (end) => this.learn(end) })
      },
      onNews: options.onNews,
      onChange: () => this.show(),
    })
  }

  /**
   * Tells `onNews` what changes, until the signal aborts, other work comes, or nothing more can be watched (`ended`).
   * @throws SyncError `remote.*` when there is no connection, or it ends
   */
  async wait(signal: AbortSignal): Promise<'gave-way' | 'ended'> {
    const { onNews, synchroniser } = this.options
    const { accountId, policy, store } = synchroniser.options
    const mailboxes = await store.planning.mailboxes(accountId)
    const plan = planWatch({ watch: policy.watch, connectionsMax: policy.connectionsMax, mailboxes })
    const { renewalMs } = await this.renewalNow()
    this.isShaken = false
    try {
      return await synchroniser.lend(signal, async (session, until) => {
        const onWatching = (way: WatchWay): void => {
          if (!until.aborted) this.begin(way, plan)
        }
        const onWaited = (end: WaitEnd): void => this.learn(end)
        await this.news.watch({ session, request: { ...plan.main, renewalMs }, signal: until, onNews, onWatching, onWaited })
        return until.aborted ? 'gave-way' : 'ended'
      })
    } finally {
      this.current = null
      this.show()
      await this.remember()
    }
  }

  /** The machine slept, or the network is another one: the connections may be dead, and say so at once, or are used on. */
  async ping(): Promise<void> {
    // Whatever dies now dies of that, and not of a silence.
    this.isShaken = true
    await Promise.all([this.options.synchroniser.ping(), this.sides.ping()])
  }

  /** Ends the further connections. */
  stop(): Promise<void> {
    return this.sides.stop()
  }

  private begin(way: WatchWay, plan: WatchPlan): void {
    this.way = way
    this.current = { way, plan }
    void this.sides.keep(way === 'notify' ? [] : plan.beside)
    this.show()
  }

  private show(): void {
    const { status } = this.options
    const now = status.getSnapshot()
    if (this.current === null) {
      if (now.watching !== null) status.set({ ...now, watching: null })
      return
    }
    const { way, plan } = this.current
    const { beside, path } = plan.main
    const mailboxes = way === 'notify' ? (beside === 'personal' ? 'all' : beside) : [path, ...this.sides.paths]
    status.set({ ...now, watching: { way, mailboxes } })
  }

  private async renewalNow(): Promise<WatchRenewal> {
    this.renewal ??= await renewalOf(this.options.synchroniser.options)
    return this.renewal
  }

  private learn(end: WaitEnd): void {
    if (this.renewal === null || (end.kind === 'dead' && this.isShaken)) return
    this.renewal = renewalAfter(this.renewal, end, this.options.synchroniser.options.clock.now())
  }

  /** Written after a wait, and not during one. It is read anew for the next one: what was learnt expires. */
  private async remember(): Promise<void> {
    const { renewal } = this
    this.renewal = null
    if (renewal !== null) await rememberRenewal(this.options.synchroniser.options, renewal)
  }
}
