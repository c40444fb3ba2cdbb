/** Remembers that the server was caught: with the mailbox, and with the account once several mailboxes say so (FIELD-4, FIELD-5). */

import type { MailboxRecord, ServerProfile, Tier, Write } from '@tidemail/core'
import { DISTRUST_LIFE_MS, distrustedBy, limitedTo, seenForgetting, trustedServer } from '@tidemail/planner'
import type { Work } from './work.ts'

/** Holds the mailbox to the tier until that expires. */
export async function distrust(
  work: Work,
  mailbox: MailboxRecord,
  caught: { readonly tier: Tier; readonly reason: string },
): Promise<void> {
  const { clock, log } = work.options
  const now = clock.now()
  const limited = limitedTo(mailbox, caught, now)
  const others = [...work.mailboxes.values()].filter(({ id }) => id !== mailbox.id)
  const server = distrustedBy(work.server, [...others, limited], now)
  const writes = [{ kind: 'put-mailbox' as const, mailbox: limited }]
  if (!(await learn(work, server, { reason: `use a lower tier for ${mailbox.path}: ${caught.reason}`, writes }))) return
  log({
    level: 'info',
    event: 'server.distrusted',
    sentence: `${mailbox.path} is looked at by the ${caught.tier} tier: ${caught.reason}.`,
  })
}

/** What the server advertises and refuses is done without, by everything planned from now on. */
export async function distrustCapability(work: Work, capability: string, reason: string): Promise<void> {
  const since = work.options.clock.now()
  const distrusted = [{ capability, reason, learntBy: 'synchronisation' as const, since, expiresAt: since + DISTRUST_LIFE_MS }]
  const server = trustedServer(work.server, [{ ...work.server, distrusted }], since)
  if (!(await learn(work, server, { reason: `do without ${capability}: ${reason}`, writes: [] }))) return
  work.options.log({ level: 'info', event: 'server.distrusted', sentence: `${capability} is not used: ${reason}.` })
}

/** From now on the server is given a sample of message numbers, so that it need not tell of all that ever went. */
export async function rememberForgetting(work: Work, { path }: MailboxRecord): Promise<void> {
  const reason = `it told of messages of ${path} that were gone before`
  const server = seenForgetting(work.server, reason, work.options.clock.now())
  if (server === work.server) return
  if (!(await learn(work, server, { reason: `the server forgets what it expunged: ${reason}`, writes: [] }))) return
  work.options.log({ level: 'info', event: 'server.forgets', sentence: `The server forgets what it expunged: ${reason}.` })
}

async function learn(
  work: Work,
  server: ServerProfile,
  { reason, writes }: { readonly reason: string; readonly writes: readonly Write[] },
): Promise<boolean> {
  const { accountId, store } = work.options
  const account = (await store.planning.accounts()).find(({ id }) => id === accountId)
  const isNews = server !== work.server && account !== undefined
  const all: Write[] = isNews ? [...writes, { kind: 'put-account', account: { ...account, server } }] : [...writes]
  if (!(await work.commit(reason, all))) return false
  work.server = server
  work.options.session.heed?.(server.distrusted)
  return true
}
