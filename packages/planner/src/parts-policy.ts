/** Decides which parts of a mailbox are to be held, by the policy and by what the network and the power are like. */

import type { PartsWanted } from '@tidemail/core'
import { PART_BYTES_MAX } from './plan-parts.ts'
import type { MailboxPolicy, PartsLimits } from './policy.ts'

/** What the device is on, as the app says. */
export interface Conditions {
  /** `metered`: each octet costs. */
  readonly network: 'unmetered' | 'metered'
  readonly power: 'mains' | 'battery'
}

export const DEFAULT_CONDITIONS: Conditions = { network: 'unmetered', power: 'mains' }

/** Text comes first in all mailboxes, then what is attached. */
export type PartsRound = 'text' | 'all'
export const PARTS_ROUNDS: readonly PartsRound[] = ['text', 'all']

const DAY_MS = 86_400_000
const AMOUNT: Readonly<Record<PartsLimits['bodies'], number>> = { none: 0, text: 1, all: 2 }

/** What is wanted of a mailbox in this round; null when that is nothing, or nothing beyond the round before. */
export function partsWanted(
  policy: MailboxPolicy,
  { round, conditions, now }: { readonly round: PartsRound; readonly conditions: Conditions; readonly now: number },
): PartsWanted | null {
  const { bodies, partBytesMax } = limitsUnder(policy, conditions)
  if (bodies === 'none' || (round === 'all' && bodies === 'text')) return null
  const { newestDays, newestMessages } = policy
  return {
    parts: round,
    messagesMax: newestMessages,
    partBytesMax,
    receivedSince: newestDays === null ? null : now - newestDays * DAY_MS,
  }
}

/** The least that the policy, the network and the power allow. */
export function limitsUnder(policy: MailboxPolicy, { network, power }: Conditions): PartsLimits {
  const limits: PartsLimits[] = [policy]
  if (network === 'metered') limits.push(policy.metered)
  if (power === 'battery') limits.push(policy.battery)
  return {
    bodies: limits.map(({ bodies }) => bodies).reduce((least, bodies) => (AMOUNT[bodies] < AMOUNT[least] ? bodies : least)),
    partBytesMax: Math.min(PART_BYTES_MAX, ...limits.map(({ partBytesMax }) => partBytesMax)),
  }
}

/** The name of a wish for parts, as kept in `partsHeldFor`: what was held once stays so until messages come, though time goes on. */
export function partsKey({ newestDays }: MailboxPolicy, { parts, messagesMax, partBytesMax }: PartsWanted): string {
  return `${parts}/${partBytesMax}/${messagesMax}${newestDays === null ? '' : `/${newestDays}d`}`
}

/** The names of wishes that include this one. */
export function partsKeysAtLeast(policy: MailboxPolicy, wanted: PartsWanted): readonly string[] {
  return [partsKey(policy, wanted), partsKey(policy, { ...wanted, parts: 'all' })]
}
