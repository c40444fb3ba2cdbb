/** Verifies: I-STORE-2, I-STORE-3, H-17 */

import {
  accountId,
  bodyId,
  boxEpoch,
  claimId,
  entrySeq,
  foldView,
  type LocalId,
  type LocalMessage,
  mailboxId,
  type StoredTargets,
  type Targets,
  UidPairs,
  UidSet,
} from '@tidemail/core'
import { describe, expect, it } from 'vitest'
import { effectsOf } from './effects-of.ts'
import type { Entry, ParkReason, Progress, TargetState } from './entry.ts'
import type { Operation } from './operation.ts'
import { withProgress } from './progress-groups.ts'

const INBOX = { mailboxId: mailboxId(1), box: boxEpoch(11) }
const ARCHIVE = { mailboxId: mailboxId(2), box: boxEpoch(12) }
const ON: StoredTargets = { kind: 'stored', ...INBOX, uids: UidSet.parse('1:4') }
const PLACED = new UidPairs([{ from: 1, to: 101, length: 4 }])

function group(state: TargetState, text: string, more: Partial<Progress> = {}): Progress {
  const uids = UidSet.parse(text)
  return { state, targets: { ...ON, uids }, claimId: null, parkedFor: null, placed: PLACED.restrict(uids), ...more }
}

function entry(operation: Operation, ...progress: Progress[]): Entry {
  const rest = { placed: UidPairs.EMPTY, progress: [], settled: [], rejections: 0, notBefore: 0, conflicts: [] }
  return withProgress({ seq: entrySeq(1), accountId: accountId('a'), revision: 1, acceptedAt: 0, operation, ...rest }, progress)
}

const move: Operation = { kind: 'move', targets: ON, to: ARCHIVE.mailboxId }

/** What shows in the two mailboxes: UIDs of INBOX that stay, and locals of Archive. */
function view(log: Entry): { readonly stays: string; readonly comes: string } {
  const effects = effectsOf(log)
  const locals = foldView(ARCHIVE, effects).placed.map(({ local }) => local)
  return { stays: ON.uids.difference(foldView(INBOX, effects).hidden).toString(), comes: UidSet.from(locals).toString() }
}

describe('effectsOf', () => {
  it.each<TargetState>(['queued', 'sending', 'unknown', 'recovering', 'parked'])(
    'shows a move as done while it is %s',
    (state) => {
      expect(view(entry(move, group(state, '1:4')))).toEqual({ stays: '', comes: '101:104' })
    },
  )

  it('shows no local for a half-done move, whose copy is server state, in whatever state its removal is', () => {
    const proved = { placed: UidPairs.EMPTY }
    expect(view(entry(move, group('copied', '1', proved), group('queued', '2:4')))).toEqual({ stays: '', comes: '102:104' })
    expect(view(entry(move, group('sending', '1', { ...proved, claimId: claimId('c') })))).toEqual({ stays: '2:4', comes: '' })
  })

  it('makes one effect a place, however many states its targets are in', () => {
    const log = entry(
      move,
      group('queued', '1'),
      group('sending', '2', { claimId: claimId('c') }),
      group('unknown', '3'),
      group('parked', '4'),
    )
    expect(effectsOf(log)).toEqual([
      { kind: 'place', mailboxId: 2, from: { kind: 'stored', ...INBOX }, pairs: PLACED },
      { kind: 'hide', on: ON },
    ])
  })

  it('shows what was to go to a mailbox that is gone where it was, rather than nowhere', () => {
    expect(view(entry(move, group('parked', '1:2', { parkedFor: 'mailbox-gone' }), group('queued', '3:4')))).toEqual({
      stays: '1:2',
      comes: '103:104',
    })
  })

  it('has no effect on the UIDs of a box that is gone', () => {
    expect(effectsOf(entry(move, group('parked', '1:4', { parkedFor: 'uidvalidity-changed' })))).toEqual([])
  })

  it('copies without hiding, and hides without copying', () => {
    expect(
      effectsOf(entry({ kind: 'copy', targets: ON, to: ARCHIVE.mailboxId }, group('queued', '1:4'))).map(({ kind }) => kind),
    ).toEqual(['place'])
    expect(effectsOf(entry({ kind: 'expunge', targets: ON }, group('queued', '1:4', { placed: UidPairs.EMPTY })))).toEqual([
      { kind: 'hide', on: ON },
    ])
  })

  it('changes flags on what remains only', () => {
    const log = entry(
      { kind: 'flag', targets: ON, add: ['\\Seen'], remove: ['later'] },
      group('queued', '2', { placed: UidPairs.EMPTY }),
    )
    const on: Targets = { ...ON, uids: UidSet.of(2) }
    expect(effectsOf(log)).toEqual([{ kind: 'flags', on, delta: { add: ['\\Seen'], remove: ['later'] } }])
  })

  it.each<ParkReason>(['uncertain', 'mailbox-gone', 'over-quota', 'rejected-repeatedly'])(
    'keeps a message made here visible when parked: %s',
    (parkedFor) => {
      const nobody = { from: [], sender: [], replyTo: [], to: [], cc: [], bcc: [] }
      const envelope = { subject: null, date: null, inReplyTo: null, messageId: null, ...nobody }
      const message: LocalMessage = {
        local: 7 as LocalId,
        bodyId: bodyId('b'),
        flags: [],
        internalDate: 0,
        sizeBytes: 1,
        envelope,
        parts: [],
        emailId: null,
      }
      const targets: Targets = { kind: 'local', mailboxId: mailboxId(2), locals: UidSet.of(7) }
      const parked = group('parked', '1', { targets, parkedFor, placed: UidPairs.EMPTY })
      const append: Operation = { kind: 'append', to: mailboxId(2), message, digest: 'd' }
      expect(effectsOf(entry(append, parked))).toEqual([{ kind: 'new', mailboxId: 2, message }])
      expect(effectsOf(entry(append))).toEqual([])
    },
  )
})
