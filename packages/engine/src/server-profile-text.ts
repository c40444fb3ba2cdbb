/** The profile of a server as text that is kept in a file: JSON, with its format named. */

import { type DistrustedCapability, type ServerMeasures, type ServerProfile, SyncError } from '@tidemail/core'

/** 1: the first. */
const FORMAT = { format: 'tidemail-server-profile', version: 1 } as const
const TEXT_CHARACTERS_MAX = 1_000_000

/** One JSON object, over several lines. */
export function writeServerProfile(profile: ServerProfile): string {
  return `${JSON.stringify({ ...FORMAT, ...profile }, null, 2)}\n`
}

/** @throws SyncError `account.configuration` when it is none, or of a later version */
export function readServerProfile(text: string): ServerProfile {
  const value = text.length > TEXT_CHARACTERS_MAX ? null : parsed(text)
  if (value === null || value['format'] !== FORMAT.format) throw notUsable('It is no profile of a mail server.')
  if (value['version'] !== FORMAT.version) throw notUsable('It was written by a newer version.')
  const { capabilities, enabled, appendLimitOctets, distrusted, measured } = value
  const isWhole = areTexts(capabilities) && areTexts(enabled) && isNumberOrNull(appendLimitOctets) && areDistrusted(distrusted)
  if (!isWhole || !(measured === undefined || isMeasured(measured))) throw notUsable('Something is missing in it.')
  return {
    capabilities,
    enabled,
    appendLimitOctets,
    distrusted: distrusted.map(({ capability, reason, learntBy, since, expiresAt }) => ({
      capability,
      reason,
      learntBy,
      since,
      expiresAt,
    })),
    ...(measured === undefined ? {} : { measured }),
  }
}

function parsed(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : null
  } catch {
    return null
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function areTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}

function isNumberOrNull(value: unknown): value is number | null {
  return value === null || (typeof value === 'number' && Number.isFinite(value) && value >= 0)
}

function areDistrusted(value: unknown): value is readonly DistrustedCapability[] {
  return Array.isArray(value) && value.every(isDistrusted)
}

function isDistrusted(value: unknown): boolean {
  if (!isObject(value) || !areTexts([value['capability'], value['reason']])) return false
  if (value['learntBy'] !== 'synchronisation' && value['learntBy'] !== 'examination') return false
  return typeof value['since'] === 'number' && typeof value['expiresAt'] === 'number'
}

function isMeasured(value: unknown): value is ServerMeasures {
  if (!isObject(value) || typeof value['measuredAt'] !== 'number') return false
  return isNumberOrNull(value['listingLagMs']) && isNumberOrNull(value['idleMs'])
}

function notUsable(why: string): SyncError {
  return new SyncError('account.configuration', `The profile of the server cannot be used. ${why}`, {
    hint: 'Make it anew by `tidemail doctor --out FILE`.',
  })
}
