import { bodyId, boxEpoch, type LocalId, mailboxId, type Targets, UidSet } from '@tidemail/core'
import { sampleEnvelope } from '@tidemail/testing/simulated'
import { describe, expect, it } from 'vitest'
import { describeOperation } from './describe-operation.ts'
import type { Operation } from './operation.ts'

const NAMES = new Map([
  [mailboxId(1), 'INBOX'],
  [mailboxId(2), 'Archive'],
])
const three: Targets = { kind: 'stored', mailboxId: mailboxId(1), box: boxEpoch(11), uids: UidSet.parse('3:5') }
const one: Targets = { kind: 'local', mailboxId: mailboxId(1), locals: UidSet.of(3) }
const envelope = sampleEnvelope({ subject: 'Salary' })
const message = {
  local: 3 as LocalId,
  bodyId: bodyId('b'),
  flags: [],
  internalDate: 0,
  sizeBytes: 1,
  envelope,
  parts: [],
  emailId: null,
}

describe('describeOperation', () => {
  it.each<[Operation, string]>([
    [{ kind: 'move', targets: three, to: mailboxId(2) }, 'move 3 messages from INBOX to Archive'],
    [{ kind: 'copy', targets: one, to: mailboxId(9) }, 'copy 1 message from INBOX to a mailbox that is gone'],
    [{ kind: 'expunge', targets: one }, 'remove 1 message from INBOX for good'],
    [{ kind: 'flag', targets: three, add: ['\\Seen'], remove: [] }, 'add \\Seen to 3 messages in INBOX'],
    [{ kind: 'flag', targets: one, add: [], remove: ['a', 'b', 'c'] }, 'remove a, b and c from 1 message in INBOX'],
    [{ kind: 'flag', targets: one, add: ['a'], remove: ['b'] }, 'add a to and remove b from 1 message in INBOX'],
    [{ kind: 'append', to: mailboxId(2), message, digest: 'd' }, 'upload a message to Archive'],
  ])('says what %o does, and nothing of the content', (operation, sentence) => {
    expect(describeOperation(operation, (id) => NAMES.get(id))).toBe(sentence)
  })

  it('calls a mailbox that is gone as it was called', () => {
    const names = [
      { id: mailboxId(1), path: 'Old' },
      { id: mailboxId(9), path: 'Work/2026' },
    ]
    const copy: Operation = { kind: 'copy', targets: one, to: mailboxId(9), names }
    expect(describeOperation(copy, (id) => NAMES.get(id))).toBe('copy 1 message from INBOX to Work/2026 (gone)')
  })
})
