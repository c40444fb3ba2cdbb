/** Verifies: I-LOG-1, H-18, DC-4549-4.2.3b */

import {
  type AcceptContext,
  accountId,
  bodyId,
  boxEpoch,
  entrySeq,
  type LocalId,
  type MailboxId,
  mailboxId,
  SyncError,
  splitTargets,
  type Targets,
  UID_MAX,
  UidPairs,
  UidSet,
} from '@tidemail/core'
import { sampleEnvelope } from '@tidemail/testing/simulated'
import { describe, expect, it } from 'vitest'
import { acceptOperation } from './accept-operation.ts'
import { decodeEntry } from './codec.ts'

const INBOX: Targets = { kind: 'stored', mailboxId: mailboxId(1), box: boxEpoch(11), uids: UidSet.parse('3:5,9') }
const LOCALS: Targets = { kind: 'local', mailboxId: mailboxId(1), locals: UidSet.of(3) }
const TERMS = { accountId: accountId('a'), now: 77 }

function context(...targets: Targets[]): AcceptContext {
  return { seq: entrySeq(6), firstLocal: 20 as LocalId, targets }
}

describe('acceptOperation', () => {
  it('keeps how its mailboxes are called, for they may go while it waits', () => {
    const paths = new Map([
      [mailboxId(1), 'INBOX'],
      [mailboxId(2), 'Archive'],
    ])
    const terms = { ...TERMS, pathOf: (id: MailboxId) => paths.get(id) }
    const names = [...paths].map(([id, path]) => ({ id, path }))
    expect(acceptOperation({ kind: 'move', to: mailboxId(2) }, context(INBOX), terms).entry.operation).toMatchObject({ names })
    expect(acceptOperation({ kind: 'expunge' }, context(INBOX), terms).entry.operation).toMatchObject({
      names: names.slice(0, 1),
    })
    expect(acceptOperation({ kind: 'copy', to: mailboxId(7) }, context(INBOX), terms).entry.operation).toMatchObject({
      names: names.slice(0, 1),
    })
  })

  it('gives each message of a move a local, in ranges', () => {
    const { entry, effects, localsUsed } = acceptOperation({ kind: 'move', to: mailboxId(2) }, context(INBOX), TERMS)
    const pairs = new UidPairs([
      { from: 3, to: 20, length: 3 },
      { from: 9, to: 23, length: 1 },
    ])
    expect(localsUsed).toBe(4)
    expect(entry).toMatchObject({
      seq: 6,
      acceptedAt: 77,
      revision: 1,
      operation: { kind: 'move', targets: INBOX, to: 2 },
      placed: pairs,
    })
    expect(effects).toEqual([
      { kind: 'place', mailboxId: 2, from: { kind: 'stored', mailboxId: 1, box: 11 }, pairs },
      { kind: 'hide', on: INBOX },
    ])
  })

  it('writes bytes from which the same entry is read', () => {
    const { entry, bytes, effects } = acceptOperation({ kind: 'copy', to: mailboxId(2) }, context(LOCALS), TERMS)
    expect(decodeEntry({ seq: entry.seq, accountId: entry.accountId, revision: 1, bytes, effects })).toEqual(entry)
  })

  it('takes no locals for flags, and brings flags into one spelling', () => {
    const { entry, localsUsed } = acceptOperation(
      { kind: 'flag', add: ['\\SEEN', '\\Seen'], remove: ['later'] },
      context(INBOX),
      TERMS,
    )
    expect(localsUsed).toBe(0)
    expect(entry.operation).toMatchObject({ add: ['\\Seen'], remove: ['later'] })
  })

  it('numbers an appended message, which is then its own target', () => {
    const envelope = sampleEnvelope({ subject: 's' })
    const message = { bodyId: bodyId('b'), flags: [], internalDate: 5, sizeBytes: 9, envelope, parts: [], emailId: null }
    const { entry, effects, localsUsed } = acceptOperation(
      { kind: 'append', to: mailboxId(2), message, digest: 'd' },
      context(),
      TERMS,
    )
    expect(localsUsed).toBe(1)
    expect(entry.progress).toMatchObject([{ state: 'queued', targets: { kind: 'local', mailboxId: 2, locals: UidSet.of(20) } }])
    expect(effects).toEqual([{ kind: 'new', mailboxId: 2, message: { ...message, local: 20 } }])
  })

  it('refuses when every message is gone', () => {
    const gone = (): unknown => acceptOperation({ kind: 'expunge' }, context(), TERMS)
    expect(gone).toThrow(expect.objectContaining({ code: 'input.unknown-message' }))
  })

  it('refuses several groups, unless it is told what they were when the app named them', () => {
    const elsewhere: Targets = { ...INBOX, mailboxId: mailboxId(3), box: boxEpoch(13), uids: UidSet.of(3) }
    const request = { kind: 'move', to: mailboxId(2) } as const
    expect(() => acceptOperation(request, context(INBOX, elsewhere), TERMS)).toThrow(
      expect.objectContaining({ code: 'engine.bug' }),
    )
    const { entry, effects, localsUsed } = acceptOperation(request, context(INBOX, elsewhere), { ...TERMS, asked: INBOX })
    expect(entry.operation).toMatchObject({ targets: INBOX })
    expect(localsUsed).toBe(5)
    expect(entry.progress.map(({ placed }) => placed.destinations.toString())).toEqual(['20:23', '24'])
    expect(effects.map(({ kind }) => kind)).toEqual(['place', 'hide', 'place', 'hide'])
  })

  it('refuses more messages than there are local numbers', () => {
    const all: Targets = { ...INBOX, uids: UidSet.range(1, UID_MAX) }
    expect(() => acceptOperation({ kind: 'copy', to: mailboxId(2) }, context(all), TERMS)).toThrow(SyncError)
  })
})

describe('splitTargets', () => {
  it('makes one group a mailbox, box and kind, without empty ones', () => {
    const dead: Targets = { ...INBOX, box: boxEpoch(10), uids: UidSet.of(1) }
    const groups = splitTargets([
      LOCALS,
      INBOX,
      { ...INBOX, uids: UidSet.of(6) },
      { ...INBOX, uids: UidSet.EMPTY },
      dead,
      { ...LOCALS, locals: UidSet.of(4) },
    ])
    expect(groups).toEqual([dead, { ...INBOX, uids: UidSet.parse('3:6,9') }, { ...LOCALS, locals: UidSet.parse('3:4') }])
  })
})
