/** Verifies: H-9, DC-4549-5.1-1b */

import { describe, expect, it } from 'vitest'
import { type ComparableIdentity, matchIdentity } from './identity.ts'

const SENT: ComparableIdentity = { messageId: '<a@b>', sizeBytes: 120, internalDate: 5_999, emailId: null, digest: 'd1' }
const BARE: ComparableIdentity = { ...SENT, messageId: null }

describe('matchIdentity', () => {
  it.each<[string, ComparableIdentity, Partial<ComparableIdentity>, string]>([
    [
      'same EMAILID, whatever else differs',
      { ...SENT, emailId: 'M1' },
      { emailId: 'M1', messageId: '<x@y>', sizeBytes: 1 },
      'certain',
    ],
    ['same Message-ID, size and date', SENT, {}, 'certain'],
    ['dates that differ within one second', SENT, { internalDate: 5_000 }, 'certain'],
    ['dates in two seconds', SENT, { internalDate: 6_000 }, 'possible'],
    ['same Message-ID, rewritten to another size', SENT, { sizeBytes: 121 }, 'possible'],
    ['another Message-ID', SENT, { messageId: '<c@d>' }, 'none'],
    ['no Message-ID on the server, same bytes', { ...SENT, digest: 'd1' }, { messageId: null }, 'certain'],
    ['no Message-ID on the server, bytes not read', SENT, { messageId: null, digest: null }, 'possible'],
    ['no Message-ID here, other bytes', BARE, { messageId: '<a@b>', digest: 'd2' }, 'none'],
    ['no Message-ID, same size and date, bytes not read', BARE, { digest: null }, 'possible'],
    ['no Message-ID, same bytes', BARE, {}, 'certain'],
    ['no Message-ID, same size and date, other bytes', BARE, { digest: 'd2' }, 'none'],
    ['no Message-ID, another size', BARE, { sizeBytes: 121 }, 'none'],
    ['other EMAILIDs, but all else the same', { ...SENT, emailId: 'M1' }, { emailId: 'M2' }, 'certain'],
    ['an EMAILID on one side only', { ...SENT, emailId: 'M1' }, { emailId: null, sizeBytes: 1 }, 'possible'],
  ])('judges %s', (_, fenced, seen, verdict) => {
    expect(matchIdentity(fenced, { ...fenced, ...seen })).toBe(verdict)
  })
})
