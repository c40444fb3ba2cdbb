/** The columns of the resync matrix: a server in one of its tiers, or standing in for one that cannot be run here. */

import {
  type MaskedTier,
  type RealServerName,
  SERVER_PROFILES,
  type ServerProfileName,
  type StandIn,
  TIER_MASKS,
} from '@tidemail/testing'
import type { ResyncScenario } from './resync-scenario.ts'

export interface ResyncColumn {
  /** `dovecot condstore`, `gmail`. */
  readonly name: string
  readonly server: RealServerName
  /** What it stands in for, or null. */
  readonly profile: ServerProfileName | null
  /** Null where the server is met without a proxy that changes anything. */
  readonly standIn: StandIn | null
  /** Whether the server is met in its best tier, as it is. */
  readonly isBest: boolean
  readonly keepsKeywords: boolean
}

const TIERS: Readonly<Record<RealServerName, readonly MaskedTier[]>> = {
  dovecot: ['qresync', 'condstore', 'plain'],
  cyrus: ['qresync', 'condstore', 'plain'],
  courier: ['plain'],
}

/** All columns of a server; Dovecot stands in for the others. */
export function columnsOf(server: RealServerName): readonly ResyncColumn[] {
  const tiers = TIERS[server].map((tier, at) => {
    const mask = at === 0 ? null : TIER_MASKS[tier]
    return {
      name: `${server} ${tier}`,
      server,
      profile: null,
      standIn: mask === null ? null : { mask },
      isBest: at === 0,
      keepsKeywords: true,
    }
  })
  return server === 'dovecot' ? [...tiers, ...PROFILE_NAMES.map(profileColumn)] : tiers
}

/** Why a scenario is not played there, or null. */
export function reasonToLeaveOut({ except, needs }: ResyncScenario, column: ResyncColumn): string | null {
  if (needs === 'keywords' && !column.keepsKeywords) return 'it keeps no keywords of one’s own'
  return except?.[column.profile ?? column.server] ?? except?.[column.server] ?? null
}

const PROFILE_NAMES = Object.keys(SERVER_PROFILES) as readonly ServerProfileName[]

function profileColumn(name: ServerProfileName): ResyncColumn {
  const standIn = SERVER_PROFILES[name]
  const keepsKeywords = standIn.mask.strip?.includes('CUSTOM-KEYWORDS') !== true
  return { name, server: 'dovecot', profile: name, standIn, isBest: false, keepsKeywords }
}
