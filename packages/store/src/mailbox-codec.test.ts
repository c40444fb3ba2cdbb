import { accountId, mailboxId } from '@tidemail/core'
import { sampleMailbox } from '@tidemail/testing/simulated'
import { expect, it } from 'vitest'
import { decodeMailbox, encodeMailbox } from './mailbox-codec.ts'

const mailbox = sampleMailbox(mailboxId(1), { accountId: accountId('a') })
const limited = { ...mailbox, tierLimit: { tier: 'plain' as const, reason: 'it lied', expiresAt: 5 } }

it.each([mailbox, limited])('reads a mailbox as it was written', (record) => {
  expect(decodeMailbox(encodeMailbox(record))).toEqual(record)
})

it('takes a limit that was written without its end for one that has ended', () => {
  const row = encodeMailbox(limited)
  const tierLimit = { tier: 'plain' as const, reason: 'it lied' }
  expect(decodeMailbox({ ...row, record: { ...row.record, tierLimit } }).tierLimit).toEqual({ ...tierLimit, expiresAt: 0 })
})
