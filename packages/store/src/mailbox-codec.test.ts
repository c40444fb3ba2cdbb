import { accountId, mailboxId, modSeq, UidSet } from '@tidemail/core'
import { sampleMailbox } from '@tidemail/testing/simulated'
import { expect, it } from 'vitest'
import { decodeMailbox, encodeMailbox } from './mailbox-codec.ts'

const mailbox = sampleMailbox(mailboxId(1), { accountId: accountId('a') })
const limited = { ...mailbox, tierLimit: { tier: 'plain' as const, reason: 'it lied', expiresAt: 5 } }

const window = {
  ...{ hold: 'last-days:30', box: mailbox.box, from: 90, since: 1_767_000_000_000 },
  ...{ dated: UidSet.parse('7,20:4294967295'), backfilled: UidSet.EMPTY },
}
const windowed = { ...mailbox, window }

it('writes nothing of a window where there is none', () => {
  expect(encodeMailbox({ ...mailbox, window: null })).toEqual(encodeMailbox(mailbox))
})

const checkpoint = {
  ...{ uidNext: 9, highestModSeq: modSeq(31), known: UidSet.parse('1,4:5'), covered: UidSet.parse('4') },
  ...{ goneSince: UidSet.parse('2:3'), namedUpTo: 7, marked: UidSet.parse('4') },
}
const { goneSince: _gone, namedUpTo: _named, marked: _marked, ...whole } = checkpoint

it.each([mailbox, limited, windowed, { ...mailbox, checkpoint }, { ...mailbox, checkpoint: whole }])(
  'reads a mailbox as it was written',
  (record) => {
    expect(decodeMailbox(encodeMailbox(record))).toEqual(record)
  },
)

it('takes a limit that was written without its end for one that has ended', () => {
  const row = encodeMailbox(limited)
  const tierLimit = { tier: 'plain' as const, reason: 'it lied' }
  expect(decodeMailbox({ ...row, record: { ...row.record, tierLimit } }).tierLimit).toEqual({ ...tierLimit, expiresAt: 0 })
})
