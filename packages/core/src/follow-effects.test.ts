/** Verifies: H-18, I-STORE-3 */

import { describe, expect, it } from 'vitest'
import { followEffects, followReference } from './follow-effects.ts'
import { accountId, type BodyId, boxEpoch, localId, mailboxId, uid } from './ids.ts'
import { UidPairs } from './uid-pairs.ts'
import { UidSet } from './uid-set.ts'
import type { LocalMessage, Targets, ViewEffect } from './view-effect.ts'

const INBOX = mailboxId(1)
const ARCHIVE = mailboxId(2)
const ME = accountId('me')
const inInbox = (uids: string): Targets => ({ kind: 'stored', mailboxId: INBOX, box: boxEpoch(11), uids: UidSet.parse(uids) })
const locals = (set: string, at = ARCHIVE): Targets => ({ kind: 'local', mailboxId: at, locals: UidSet.parse(set) })

/** Places them as locals from `first` on. */
function copied(on: Targets, to: typeof INBOX, first: number): ViewEffect {
  const numbers = on.kind === 'stored' ? on.uids : on.locals
  const from = on.kind === 'stored' ? { kind: on.kind, mailboxId: on.mailboxId, box: on.box } : { kind: on.kind }
  const pairs = new UidPairs([...numbers.values()].map((number, i) => ({ from: number, to: first + i, length: 1 })))
  return { kind: 'place', mailboxId: to, from, pairs }
}

const hidden = (on: Targets): ViewEffect => ({ kind: 'hide', on })
const moved = (on: Targets, to: typeof INBOX, first: number): ViewEffect[] => [copied(on, to, first), hidden(on)]
const draft = (local: number): ViewEffect => {
  const nobody = { subject: null, date: null, from: [], sender: [], replyTo: [], to: [], cc: [], bcc: [] }
  const envelope = { ...nobody, inReplyTo: null, messageId: null }
  const fixed = { flags: [], internalDate: 0, sizeBytes: 1, envelope, parts: [], emailId: null }
  const message: LocalMessage = { ...fixed, local: localId(local), bodyId: 'b' as BodyId }
  return { kind: 'new', mailboxId: ARCHIVE, message }
}

describe('followEffects', () => {
  const cases: readonly [string, readonly Targets[], readonly (readonly ViewEffect[])[], readonly Targets[]][] = [
    ['what nothing befell', [inInbox('1:3')], [[copied(inInbox('2'), ARCHIVE, 1)]], [inInbox('1:3')]],
    ['a move', [inInbox('1:3')], [moved(inInbox('2:3'), ARCHIVE, 5)], [inInbox('1'), locals('5:6')]],
    ['a chain of moves', [inInbox('1')], [moved(inInbox('1'), ARCHIVE, 5), moved(locals('5'), INBOX, 7)], [locals('7', INBOX)]],
    [
      'a local that moved on',
      [locals('5')],
      [moved(inInbox('1'), ARCHIVE, 5), moved(locals('5'), INBOX, 7)],
      [locals('7', INBOX)],
    ],
    ['a removal', [inInbox('1:2')], [[hidden(inInbox('2'))]], [inInbox('1')]],
    ['a removal of what was copied before', [inInbox('2')], [[copied(inInbox('2'), ARCHIVE, 5)], [hidden(inInbox('2'))]], []],
    ['a draft that another one replaces', [inInbox('4')], [[draft(9), hidden(inInbox('4'))]], [locals('9')]],
    [
      'another life of the mailbox',
      [{ ...inInbox('1'), box: boxEpoch(12) } as Targets],
      [moved(inInbox('1'), ARCHIVE, 5)],
      [{ ...inInbox('1'), box: boxEpoch(12) } as Targets],
    ],
  ]
  it.each(cases)('follows %s', (_, targets, log, shown) => {
    expect(followEffects(targets, log)).toEqual(shown)
  })
})

describe('followReference', () => {
  const old = { kind: 'stored', mailboxId: INBOX, box: boxEpoch(11), uid: uid(1) } as const

  it('is the same where nothing befell the message', () => {
    expect(followReference(old, ME, [])).toBe(old)
    const local = { kind: 'local', local: localId(5), accountId: ME } as const
    expect(followReference(local, ME, [])).toEqual(local)
  })

  it('leads to the local that a move made, and nowhere after a removal', () => {
    expect(followReference(old, ME, [moved(inInbox('1'), ARCHIVE, 5)])).toEqual({ kind: 'local', local: 5, accountId: ME })
    expect(followReference(old, ME, [[hidden(inInbox('1'))]])).toBeNull()
  })
})
