import { expect, it } from 'vitest'
import { accountId, mailboxId } from './ids.ts'
import { mergeNews } from './merge-news.ts'

it('tells of both, and never goes back to an earlier revision', () => {
  const own = { revision: 7, accounts: new Set([accountId('a')]), mailboxes: new Set([mailboxId(1)]), hasLogChanged: false }
  const late = { revision: 6, accounts: new Set([accountId('b')]), mailboxes: new Set([mailboxId(2)]), hasLogChanged: true }
  expect(mergeNews(own, late)).toEqual({
    revision: 7,
    accounts: new Set([accountId('a'), accountId('b')]),
    mailboxes: new Set([mailboxId(1), mailboxId(2)]),
    hasLogChanged: true,
  })
})
