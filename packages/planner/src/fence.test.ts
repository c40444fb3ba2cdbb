import { accountId, type Checkpoint, mailboxId, UID_MAX, UidSet, uidValidity } from '@tidemail/core'
import { sampleMailbox } from '@tidemail/testing/simulated'
import { describe, expect, it } from 'vitest'
import { fenceOf } from './fence.ts'

describe('a fence', () => {
  it.each<[string, Partial<Checkpoint>, number]>([
    ['what was taken in', { uidNext: 7 }, 7],
    ['what COPYUID named, though the mailbox does not list it yet', { uidNext: 7, namedUpTo: 9 }, 10],
    ['what was taken in since', { uidNext: 7, namedUpTo: 4 }, 7],
    ['the last UID that there is, at most', { uidNext: 7, namedUpTo: UID_MAX }, UID_MAX],
  ])('stands above %s', (_, checkpoint, uidNext) => {
    // Verifies: H-10, H-21
    const none = { uidNext: 1, highestModSeq: null, known: UidSet.EMPTY, covered: UidSet.EMPTY }
    const opened = { accountId: accountId('me'), uidValidity: uidValidity(5), checkpoint: { ...none, ...checkpoint } }
    expect(fenceOf(sampleMailbox(mailboxId(1), opened), []).uidNext).toBe(uidNext)
  })
})
