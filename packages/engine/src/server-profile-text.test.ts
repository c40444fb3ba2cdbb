import { NO_CAPABILITIES, type ServerProfile } from '@tidemail/core'
import { describe, expect, it } from 'vitest'
import { readServerProfile, writeServerProfile } from './server-profile-text.ts'

const PROFILE: ServerProfile = {
  capabilities: ['IMAP4REV1', 'QRESYNC'],
  enabled: ['QRESYNC'],
  appendLimitOctets: 1_000,
  distrusted: [{ capability: 'QRESYNC', reason: 'it lied', learntBy: 'examination', since: 1, expiresAt: 2 }],
  measured: { measuredAt: 3, listingLagMs: 4, idleMs: null },
}
const altered = (change: (value: Record<string, unknown>) => unknown): string => {
  return JSON.stringify(change(JSON.parse(writeServerProfile(PROFILE)) as Record<string, unknown>))
}

describe('the profile of a server as text', () => {
  it.each([PROFILE, NO_CAPABILITIES])('is read as it was written', (profile) => {
    expect(readServerProfile(writeServerProfile(profile))).toEqual(profile)
  })

  it.each([
    ['nothing', ''],
    ['no JSON', 'capabilities'],
    ['no object', '[]'],
    ['another format', altered((value) => ({ ...value, format: 'other' }))],
    ['a later version', altered((value) => ({ ...value, version: 2 }))],
    ['no capabilities', altered(({ capabilities: _, ...value }) => value)],
    ['capabilities that are no texts', altered((value) => ({ ...value, capabilities: [1] }))],
    ['a limit that is no number', altered((value) => ({ ...value, appendLimitOctets: '9' }))],
    ['a distrust without an end', altered((value) => ({ ...value, distrusted: [{ capability: 'X', reason: '', since: 1 }] }))],
    ['measures that are none', altered((value) => ({ ...value, measured: { measuredAt: 3, listingLagMs: 'x', idleMs: null } }))],
    ['too much', ' '.repeat(1_000_001)],
  ])('is refused when it holds %s', (_, text) => {
    expect(() => readServerProfile(text)).toThrow(expect.objectContaining({ code: 'account.configuration' }))
  })

  it('takes nothing over that it does not know', () => {
    expect(readServerProfile(altered((value) => ({ ...value, more: 1 })))).toEqual(PROFILE)
  })
})
