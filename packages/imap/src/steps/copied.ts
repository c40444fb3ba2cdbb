/** Takes COPYUID, tagged or not, as the evidence of a copy or move (RFC 4315 §3, RFC 6851 §4.3). */

import { type CopyStep, type MoveStep, UID_MAX, UidPairs, uidValidity } from '@tidemail/core'
import type { ResponseCode } from '../response.ts'
import type { Exchange, Tell } from './exchange.ts'

/** A command whose answer may hold COPYUID. A code that cannot be read is no evidence, and no reason to doubt the OK. */
export function copyingExchange(step: CopyStep | MoveStep, command: string): Exchange {
  const told = new Set<string>()
  const take = (code: ResponseCode | null, tell: Tell): boolean => {
    if (code?.name !== 'COPYUID') return false
    if (told.has(code.args)) return true
    const evidence = readCopyUid(code.args)
    // Evidence of other messages is that of another command.
    if (evidence !== null && !evidence.pairs.sources.difference(step.uids).isEmpty) return false
    told.add(code.args)
    if (evidence !== null) {
      tell({
        kind: 'copied',
        id: step.id,
        target: { path: step.target, uidValidity: uidValidity(evidence.validity) },
        pairs: evidence.pairs,
      })
    }
    return true
  }
  return {
    parts: [command],
    take: (response, tell) => response.kind === 'condition' && take(response.code, tell),
    finish: (reply, tell) => {
      take(reply.code, tell)
      return undefined
    },
  }
}

/** A message has one copy, and a copy one origin: anything else names neither. */
function isOneToOne({ ranges, sources, destinations }: UidPairs): boolean {
  const count = ranges.reduce((sum, { length }) => sum + length, 0)
  return sources.size === count && destinations.size === count
}

function readCopyUid(args: string): { readonly validity: number; readonly pairs: UidPairs } | null {
  const [digits, source, destination] = args.split(' ')
  const validity = Number(digits)
  if (source === undefined || destination === undefined) return null
  if (!Number.isInteger(validity) || validity < 1 || validity > UID_MAX) return null
  try {
    const pairs = UidPairs.fromCopyUid(source, destination)
    return isOneToOne(pairs) ? { validity, pairs } : null
  } catch {
    return null
  }
}
