/** Waits for news on one session, and tells what differs from the store, and how long the connection could be silent. */

import type {
  AccountId,
  Clock,
  MailboxRecord,
  MailboxSeen,
  MessageStore,
  RemoteSession,
  StatusSeen,
  WatchRequest,
  WatchWay,
} from '@tidemail/core'
import { tellsName, tellsNews } from '@tidemail/planner'
import type { LogEvent } from './api.ts'
import type { WaitEnd } from './watch-renewal.ts'

/** Where something changed; null where nobody can tell. */
export type NewsListener = (path: string | null) => void

export interface SessionWatch {
  readonly session: RemoteSession
  readonly request: WatchRequest
  readonly signal: AbortSignal
  readonly onNews: NewsListener
  readonly onWatching: (way: WatchWay) => void
  /** How a silence ended. */
  readonly onWaited: (end: WaitEnd) => void
}

export interface NewsOptions {
  readonly accountId: AccountId
  readonly store: MessageStore
  readonly clock: Clock
  readonly log: (event: LogEvent) => void
}

/** What the watches of an account have in common. */
export class News {
  private readonly options: NewsOptions
  /** The states that were news once: a mailbox that cannot be brought to what its server says is not looked at for ever (FIELD-20). */
  private readonly told = new Map<string, string>()

  constructor(options: NewsOptions) {
    this.options = options
  }

  /** Resolves when the signal aborts, the connection ends, or the mailbox cannot be watched. */
  async watch({ session, request, signal, onNews, onWatching, onWaited }: SessionWatch): Promise<void> {
    const { clock, log } = this.options
    let known: ReadonlyMap<string, MailboxRecord> | null = null
    let since: number | null = null
    const waited = (kind: WaitEnd['kind']): void => {
      if (since !== null) onWaited({ kind, afterMs: clock.now() - since })
    }
    for await (const item of session.watch(request, signal)) {
      switch (item.kind) {
        case 'status':
          known ??= await this.mailboxes()
          if (tellsNews(known.get(item.path), item) && this.isFirst(`state ${item.path}`, stateOf(item))) onNews(item.path)
          break
        case 'mailbox':
          known ??= await this.mailboxes()
          if (tellsName(known.get(item.path), item) && this.isFirst(`name ${item.path}`, nameStateOf(item))) onNews(null)
          break
        case 'stirred':
          onNews(item.path)
          break
        case 'watching':
          waited('answered')
          since = clock.now()
          onWatching(item.way)
          break
        case 'alert':
          log({ level: 'info', event: 'server.alert', sentence: item.text })
          break
        default:
          break
      }
    }
    waited(session.ended === null ? 'answered' : 'dead')
  }

  private async mailboxes(): Promise<ReadonlyMap<string, MailboxRecord>> {
    const { accountId, store } = this.options
    return new Map((await store.planning.mailboxes(accountId)).map((mailbox) => [mailbox.path, mailbox]))
  }

  private isFirst(of: string, state: string): boolean {
    if (this.told.get(of) === state) return false
    this.told.set(of, state)
    return true
  }
}

function stateOf({ uidValidity, messages, uidNext, highestModSeq }: StatusSeen): string {
  return [uidValidity, messages, uidNext, highestModSeq].join(' ')
}

function nameStateOf({ isSelectable, isSubscribed }: MailboxSeen): string {
  return `${isSelectable} ${isSubscribed}`
}
