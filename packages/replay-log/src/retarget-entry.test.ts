import {
  accountId,
  boxEpoch,
  claimId,
  entrySeq,
  localId,
  mailboxId,
  type StoredTargets,
  type Targets,
  UidSet,
} from '@tidemail/core'
import { sampleLocalMessage } from '@tidemail/testing/simulated'
import { describe, expect, it } from 'vitest'
import { acceptOperation, type OperationRequest } from './accept-operation.ts'
import { effectsOf } from './effects-of.ts'
import type { Entry } from './entry.ts'
import { followLocals, retargetEntry } from './retarget-entry.ts'
import { transition } from './transition.ts'

const INBOX = mailboxId(1)
const ARCHIVE = mailboxId(2)
const WORK = { id: mailboxId(3), path: 'Work' }
const ON: StoredTargets = { kind: 'stored', mailboxId: INBOX, box: boxEpoch(11), uids: UidSet.parse('1:4') }

function accepted(request: OperationRequest, ...targets: readonly Targets[]): Entry {
  const context = { seq: entrySeq(3), firstLocal: localId(9), targets }
  return acceptOperation(request, context, { accountId: accountId('a'), now: 5 }).entry
}

function parked(entry: Entry, parkedFor: NonNullable<Entry['progress'][number]['parkedFor']>): Entry {
  return entry.progress.reduce((rest, { targets }) => transition(rest, targets, { kind: 'park', parkedFor }).entry, entry)
}

const UPLOAD = {
  to: ARCHIVE,
  digest: 'd',
  message: sampleLocalMessage(),
}
const move = accepted({ kind: 'move', to: ARCHIVE }, ON)

describe('retargetEntry', () => {
  it.each([
    ['move', move, UidSet.parse('9:12')],
    ['copy', accepted({ kind: 'copy', to: ARCHIVE }, ON), UidSet.parse('9:12')],
    ['append', accepted({ kind: 'append', ...UPLOAD }), UidSet.of(9)],
    ['draft', accepted({ kind: 'draft', ...UPLOAD }, ON), UidSet.of(9)],
    ['submit', accepted({ kind: 'submit', sender: 'a@b', recipients: ['c@d'], ...UPLOAD }), UidSet.of(9, 10)],
  ])('queues a parked %s again, for the other mailbox, where it shows at once', (_, entry, locals) => {
    const result = retargetEntry({ ...parked(entry, 'over-quota'), rejections: 2, notBefore: 99 }, WORK)
    if (result.kind !== 'retargeted') throw new Error(result.reason)
    expect(result.locals).toEqual(locals)
    expect(result.entry).toMatchObject({ operation: { to: WORK.id, names: [WORK] }, rejections: 0, notBefore: 0 })
    expect(result.entry.progress.map(({ state }) => state).every((state) => state === 'queued')).toBe(true)
    const shown = effectsOf(result.entry).flatMap((effect) => ('mailboxId' in effect ? [effect.mailboxId] : []))
    expect(shown).toEqual([WORK.id])
  })

  it('does so for what was never sent, and keeps what went elsewhere already', () => {
    expect(retargetEntry(move, WORK).kind).toBe('retargeted')
    const first = { ...ON, uids: UidSet.of(1) }
    const sending = transition(move, first, { kind: 'claim', claimId: claimId('c') }).entry
    const half = transition(sending, first, { kind: 'answered-ok', evidence: { kind: 'tagged-ok' } }).entry
    const result = retargetEntry(half, WORK)
    expect(result).toMatchObject({ kind: 'retargeted', entry: { settled: half.settled }, locals: UidSet.parse('10:12') })
  })

  it.each([
    ['no-destination', accepted({ kind: 'expunge' }, ON)],
    ['no-destination', accepted({ kind: 'submit', sender: 'a@b', recipients: ['c@d'], ...UPLOAD, to: null })],
    ['sent', transition(move, ON, { kind: 'claim', claimId: claimId('c') }).entry],
    ['sent', parked(move, 'uncertain')],
    ['dead-targets', parked(move, 'uidvalidity-changed')],
    ['same', accepted({ kind: 'move', to: ARCHIVE }, { ...ON, mailboxId: WORK.id })],
  ] as const)('refuses: %s', (reason, entry) => {
    expect(retargetEntry(entry, WORK)).toEqual({ kind: 'refused', reason })
  })
})

describe('followLocals', () => {
  const locals: Targets = { kind: 'local', mailboxId: ARCHIVE, locals: UidSet.parse('9:10') }

  it('takes what names the locals along, and queues again what waited for the old mailbox', () => {
    const flag = parked(accepted({ kind: 'flag', add: ['$Later'], remove: [] }, locals), 'mailbox-gone')
    const moved = followLocals(flag, UidSet.of(9), WORK.id)
    expect(moved.progress.map(({ state, targets }) => [state, targets.mailboxId])).toEqual([
      ['parked', ARCHIVE],
      ['queued', WORK.id],
    ])
  })

  it('leaves alone what names none of them', () => {
    const flag = accepted({ kind: 'flag', add: ['$Later'], remove: [] }, locals)
    expect(followLocals(flag, UidSet.of(11), WORK.id)).toBe(flag)
  })
})
