/** Verifies: DC-7162-3.1.3a */

import { accountId, boxEpoch, claimId, entrySeq, mailboxId, modSeq, type StoredTargets, UidSet, uid } from '@tidemail/core'
import { describe, expect, it } from 'vitest'
import { acceptOperation } from './accept-operation.ts'
import type { Entry } from './entry.ts'
import { retryEntry } from './retry-entry.ts'
import { transition } from './transition.ts'

const ON: StoredTargets = { kind: 'stored', mailboxId: mailboxId(1), box: boxEpoch(11), uids: UidSet.parse('1:2') }
const ifUnchanged = { since: modSeq(8), base: [{ uid: uid(1), flags: [] }] }
const sending: Entry = transition(
  acceptOperation(
    { kind: 'flag', add: ['\\Seen'], remove: [], ifUnchanged },
    { seq: entrySeq(3), firstLocal: 9 as never, targets: [ON] },
    { accountId: accountId('a'), now: 5 },
  ).entry,
  ON,
  { kind: 'claim', claimId: claimId('c') },
).entry

describe('retryEntry', () => {
  it('drops the condition on messages of which the user has seen what others did, and keeps it on the others', () => {
    const conflicts = [{ uid: uid(1), base: [], theirs: ['\\Answered'] }]
    const shown = retryEntry(transition(sending, ON, { kind: 'conflict', conflicts }).entry)
    expect(shown?.operation).toMatchObject({
      ifUnchanged: { since: 8n, base: [{ uid: 1, flags: ['\\Answered'], since: null }] },
    })
    expect(shown).toMatchObject({ conflicts: [], rejections: 0, progress: [{ state: 'queued' }] })
    const refused = retryEntry(transition(sending, ON, { kind: 'park', parkedFor: 'rejected-repeatedly' }).entry)
    expect(refused?.operation).toMatchObject({ ifUnchanged })
  })

  it('has nothing to do where nothing is parked', () => {
    expect(retryEntry(sending)).toBeNull()
  })
})
