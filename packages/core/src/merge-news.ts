/** Makes one piece of news of two. */

import type { StoreNews } from './message-store.ts'

/** What changed, coalesced. News of other tabs may come late: the revision never goes back. */
export function mergeNews(before: StoreNews, after: StoreNews): StoreNews {
  return {
    revision: Math.max(before.revision, after.revision),
    accounts: new Set([...before.accounts, ...after.accounts]),
    mailboxes: new Set([...before.mailboxes, ...after.mailboxes]),
    hasLogChanged: before.hasLogChanged || after.hasLogChanged,
  }
}
