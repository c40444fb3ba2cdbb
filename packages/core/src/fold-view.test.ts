/** Holds the fold of effects, made of ranges, against a naive one that keeps every message in a Map. Verifies: I-STORE-3, H-17 */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyFlagDelta, type Flag, normaliseFlags } from './flags.ts'
import { foldView, type PlacedMessage, placeOfLocal } from './fold-view.ts'
import { type BoxEpoch, bodyId, boxEpoch, type LocalId, type MailboxId, mailboxId } from './ids.ts'
import { UidPairs } from './uid-pairs.ts'
import { UidSet } from './uid-set.ts'
import type { LocalMessage, Targets, ViewEffect } from './view-effect.ts'

const UIDS = [1, 2, 3, 4, 5, 6, 7, 8]
const FLAGS = ['\\Seen', '\\Flagged', '\\Deleted', '$Work', 'later']
/** Mailbox 1 has had two boxes; the effects on box 10 are of the dead one. */
const BOXES: readonly { mailboxId: MailboxId; box: BoxEpoch; isAlive: boolean }[] = [
  { mailboxId: mailboxId(1), box: boxEpoch(10), isAlive: false },
  { mailboxId: mailboxId(1), box: boxEpoch(11), isAlive: true },
  { mailboxId: mailboxId(2), box: boxEpoch(12), isAlive: true },
  { mailboxId: mailboxId(3), box: boxEpoch(13), isAlive: true },
]
const MAILBOXES = [1, 2, 3].map(mailboxId)

interface Shown {
  readonly root: string
  readonly mailboxId: MailboxId
  flags: readonly Flag[]
  isHidden: boolean
  isPending: boolean
}

/** The definition: every message of every box and every local, one at a time. */
function naiveView(effects: readonly ViewEffect[]): Map<string, Shown> {
  const shown = new Map<string, Shown>()
  for (const { mailboxId, box } of BOXES) {
    for (const uid of UIDS) {
      const name = `stored ${box} ${uid}`
      shown.set(name, { root: name, mailboxId, flags: baseFlags(uid), isHidden: false, isPending: false })
    }
  }
  const named = (on: Targets): Shown[] =>
    (on.kind === 'stored' ? [...on.uids.values()].map((uid) => `stored ${on.box} ${uid}`) : [...on.locals.values()].map(asLocal))
      .map((name) => shown.get(name))
      .filter((item) => item !== undefined)
  for (const effect of effects) {
    if (effect.kind === 'flags') {
      for (const item of named(effect.on))
        Object.assign(item, { flags: applyFlagDelta(item.flags, effect.delta), isPending: true })
    } else if (effect.kind === 'hide') {
      for (const item of named(effect.on)) item.isHidden = true
    } else if (effect.kind === 'new') {
      const { local, flags } = effect.message
      const { mailboxId } = effect
      shown.set(asLocal(local), {
        root: `new ${local}`,
        mailboxId,
        flags: normaliseFlags(flags),
        isHidden: false,
        isPending: true,
      })
    } else if (effect.kind === 'place') {
      for (const from of effect.pairs.sources.values()) {
        const origin = shown.get(effect.from.kind === 'stored' ? `stored ${effect.from.box} ${from}` : asLocal(from))
        if (origin === undefined) continue
        origin.isPending = true
        const copy = { ...origin, mailboxId: effect.mailboxId, isHidden: false, isPending: true }
        shown.set(asLocal(effect.pairs.get(from) ?? 0), copy)
      }
    }
  }
  return shown
}

function asLocal(local: number): string {
  return `local ${local}`
}

function baseFlags(uid: number): Flag[] {
  return normaliseFlags(FLAGS.filter((_, i) => (uid >> (i % 3)) & 1))
}

function message(local: number, flags: readonly Flag[]): LocalMessage {
  const nobody = { from: [], sender: [], replyTo: [], to: [], cc: [], bcc: [] }
  const envelope = { subject: null, date: null, inReplyTo: null, messageId: null, ...nobody }
  return {
    local: local as LocalId,
    bodyId: bodyId('b'),
    flags,
    internalDate: 0,
    sizeBytes: 1,
    envelope,
    parts: [],
    emailId: null,
  }
}

type Draft =
  | {
      readonly kind: 'flags' | 'hide'
      readonly where: number
      readonly picks: readonly number[]
      readonly add: Flag[]
      readonly remove: Flag[]
    }
  | { readonly kind: 'place'; readonly where: number; readonly picks: readonly number[]; readonly to: number }
  | { readonly kind: 'new'; readonly to: number; readonly flags: Flag[] }

const flags = fc.subarray(FLAGS)
const where = fc.nat(BOXES.length)
const picks = fc.array(fc.nat(20), { maxLength: 6 })
const draft: fc.Arbitrary<Draft> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('flags' as const, 'flags' as const, 'hide' as const),
    where,
    picks,
    add: flags,
    remove: flags,
  }),
  fc.record({ kind: fc.constant('place' as const), where, picks, to: fc.nat(2) }),
  fc.record({ kind: fc.constant('new' as const), to: fc.nat(2), flags }),
)

/** Effects as a log makes them: each local is made once, before anything is done to it. `where` past the boxes means locals. */
const effectsOfLog: fc.Arbitrary<ViewEffect[]> = fc.array(draft, { maxLength: 14 }).map((drafts) => {
  let locals = 0
  return drafts.flatMap((item): ViewEffect[] => {
    if (item.kind === 'new') {
      locals += 1
      return [{ kind: 'new', mailboxId: MAILBOXES[item.to] as MailboxId, message: message(locals, item.flags) }]
    }
    const box = BOXES[item.where]
    const numbers =
      box === undefined
        ? item.picks.filter((pick) => pick >= 1 && pick <= locals)
        : item.picks.map((pick) => UIDS[pick % 8] as number)
    const set = UidSet.from(numbers)
    if (item.kind === 'place') {
      const pairs = [...set.values()].map((from, i) => ({ from, to: locals + i + 1, length: 1 }))
      locals += pairs.length
      const from =
        box === undefined ? { kind: 'local' as const } : { kind: 'stored' as const, mailboxId: box.mailboxId, box: box.box }
      return [{ kind: 'place', mailboxId: MAILBOXES[item.to] as MailboxId, from, pairs: joinRuns(pairs) }]
    }
    const on: Targets =
      box === undefined
        ? { kind: 'local', mailboxId: mailboxId(1), locals: set }
        : { kind: 'stored', mailboxId: box.mailboxId, box: box.box, uids: set }
    return [item.kind === 'hide' ? { kind: 'hide', on } : { kind: 'flags', on, delta: { add: item.add, remove: item.remove } }]
  })
})

/** Consecutive pairs as one range, so that ranges longer than one are tried as well. */
function joinRuns(pairs: readonly { from: number; to: number; length: number }[]): UidPairs {
  const runs: { from: number; to: number; length: number }[] = []
  for (const pair of pairs) {
    const open = runs.at(-1)
    if (open !== undefined && open.from + open.length === pair.from) open.length += 1
    else runs.push({ ...pair })
  }
  return new UidPairs(runs)
}

function rootOf({ origin }: PlacedMessage): string {
  return origin.kind === 'new' ? `new ${origin.message.local}` : `stored ${origin.box} ${origin.uid}`
}

function baseOf({ origin }: PlacedMessage): readonly Flag[] {
  return origin.kind === 'new' ? origin.message.flags : baseFlags(origin.uid)
}

describe('foldView', () => {
  it('shows what the naive fold shows, for stored messages', () => {
    fc.assert(
      fc.property(effectsOfLog, (effects) => {
        const naive = naiveView(effects)
        for (const { mailboxId, box, isAlive } of BOXES) {
          if (!isAlive) continue
          const overlay = foldView({ mailboxId, box }, effects)
          for (const uid of UIDS) {
            const expected = naive.get(`stored ${box} ${uid}`) as Shown
            expect(overlay.hidden.has(uid)).toBe(expected.isHidden)
            expect(overlay.touched.has(uid)).toBe(expected.isPending && !expected.isHidden)
            expect(overlay.flagsOf(uid, baseFlags(uid))).toEqual(expected.flags)
          }
        }
      }),
      { numRuns: 1_000 },
    )
  })

  it('shows what the naive fold shows, for locals', () => {
    fc.assert(
      fc.property(effectsOfLog, (effects) => {
        const naive = naiveView(effects)
        const expected = [...naive].filter(([name, item]) => name.startsWith('local ') && !item.isHidden)
        const shown = BOXES.filter((box) => box.isAlive).flatMap((box) =>
          foldView(box, effects).placed.map((placed) => [
            asLocal(placed.local),
            rootOf(placed),
            box.mailboxId,
            placed.flagsOf(baseOf(placed)),
          ]),
        )
        const wanted = expected.map(([name, item]) => [name, item.root, item.mailboxId, item.flags])
        expect(new Set(shown.map(asText))).toEqual(new Set(wanted.map(asText)))
        expect(shown).toHaveLength(wanted.length)
      }),
      { numRuns: 1_000 },
    )
  })

  it('lists locals in ascending order', () => {
    fc.assert(
      fc.property(effectsOfLog, (effects) => {
        const locals = foldView({ mailboxId: mailboxId(1), box: boxEpoch(11) }, effects).placed.map(({ local }) => local)
        expect(locals).toEqual([...locals].sort((a, b) => a - b))
      }),
    )
  })

  it('copies the flags of the moment of placing: later changes of the origin do not reach the copy', () => {
    const from = { kind: 'stored' as const, mailboxId: mailboxId(1), box: boxEpoch(11) }
    const on: Targets = { ...from, uids: UidSet.of(5) }
    const copy: Targets = { kind: 'local', mailboxId: mailboxId(2), locals: UidSet.of(1) }
    const effects: ViewEffect[] = [
      { kind: 'flags', on, delta: { add: ['\\Seen'], remove: [] } },
      { kind: 'place', mailboxId: mailboxId(2), from, pairs: new UidPairs([{ from: 5, to: 1, length: 1 }]) },
      { kind: 'flags', on, delta: { add: ['\\Flagged'], remove: [] } },
      { kind: 'flags', on: copy, delta: { add: ['later'], remove: [] } },
    ]
    const [placed] = foldView({ mailboxId: mailboxId(2), box: boxEpoch(12) }, effects).placed
    expect(placed?.flagsOf(['$Work'])).toEqual(['$Work', '\\Seen', 'later'])
    expect(foldView(from, effects).flagsOf(5, [])).toEqual(['\\Flagged', '\\Seen'])
  })

  it('handles every UID there can be as one range', () => {
    const on: Targets = { kind: 'stored', mailboxId: mailboxId(1), box: boxEpoch(11), uids: UidSet.ALL }
    const overlay = foldView({ mailboxId: mailboxId(1), box: boxEpoch(11) }, [
      { kind: 'flags', on, delta: { add: ['\\Seen'], remove: [] } },
      { kind: 'hide', on: { ...on, uids: UidSet.of(7) } },
    ])
    expect(overlay.touched.ranges).toHaveLength(2)
    expect(overlay.flagsOf(4_294_967_295, [])).toEqual(['\\Seen'])
  })
})

describe('placeOfLocal', () => {
  it('agrees with the overlay of the mailbox that shows it, and is null where none does', () => {
    fc.assert(
      fc.property(effectsOfLog, fc.integer({ min: 1, max: 30 }), (effects, number) => {
        const expected = naiveView(effects).get(asLocal(number))
        const place = placeOfLocal(number as LocalId, effects)
        expect(place?.mailboxId ?? null).toBe(expected === undefined || expected.isHidden ? null : expected.mailboxId)
        if (place !== null) expect([rootOf(place), place.flagsOf(baseOf(place))]).toEqual([expected?.root, expected?.flags])
      }),
      { numRuns: 500 },
    )
  })

  it('shows nothing for a local whose origin was never made', () => {
    const pairs = new UidPairs([{ from: 1, to: 2, length: 1 }])
    expect(placeOfLocal(2 as LocalId, [{ kind: 'place', mailboxId: mailboxId(1), from: { kind: 'local' }, pairs }])).toBeNull()
  })
})

function asText(value: unknown): string {
  return JSON.stringify(value)
}
