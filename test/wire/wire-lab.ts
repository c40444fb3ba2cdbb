/** Opens accounts on the wire for the tests of a file, brings them to rest, says what they sent, and closes them when a test is done. */

import { expect } from 'vitest'
import { WireAccount, type WireAccountOptions } from './wire-account.ts'

const open: WireAccount[] = []

/** An account that {@link closeAccounts} closes. */
export async function startAccount(options: WireAccountOptions = {}): Promise<WireAccount> {
  const account = await WireAccount.open(options)
  open.push(account)
  return account
}

/** For `afterEach`: fails where a session broke a rule. */
export async function closeAccounts(): Promise<void> {
  for (const account of open.splice(0)) await account.close()
}

export async function settleEqual(account: WireAccount): Promise<void> {
  expect(await account.settle()).toBe('done')
  await account.expectEqual()
}

/** What was sent since the last call, without tags. */
export function sentBy(account: WireAccount): readonly string[] {
  return account.server.commands.splice(0).map((line) => line.replace(/^\S+ /, ''))
}
