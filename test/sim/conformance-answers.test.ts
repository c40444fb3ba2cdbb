/** What the engine makes of answers as the RFCs allow them: half done, refused, without evidence, of another mailbox than was meant. */

import type { MailboxId, MessageView, Observation, Step } from '@tidemail/core'
import { UidPairs, UidSet, uid, uidValidity } from '@tidemail/core'
import type { MailEngine } from '@tidemail/engine'
import { type Extension, ModelAccount, sampleEnvelope } from '@tidemail/testing/simulated'
import { describe, expect, it } from 'vitest'
import { ME } from './engine-lab.ts'
import { serverForm, storeForm } from './equality.ts'
import { flagsOf, ReviewWorld, refused } from './review/review-world.ts'

type References = readonly MessageView['reference'][]

async function synchronised(world: ReviewWorld): Promise<MailEngine> {
  const engine = await world.open()
  expect(await world.settle(engine)).toBe('done')
  return engine
}

/** Oldest first. */
async function referencesIn(world: ReviewWorld, engine: MailEngine, path: string): Promise<References> {
  return (await world.messages(engine, path)).map(({ reference }) => reference).toReversed()
}

async function idOf(engine: MailEngine, path: string): Promise<MailboxId> {
  return (await engine.mailbox(path)).id
}

async function expectEqual(world: ReviewWorld): Promise<void> {
  expect(await storeForm(world.store(), ME.id)).toEqual(serverForm(world.account))
}

async function outcomesOf(engine: MailEngine): Promise<readonly string[]> {
  return (await engine.receipts()).flatMap(({ outcomes }) => outcomes.map(({ outcome }) => outcome))
}

/** What is written when a UID of the target is believed. */
const NAMING: readonly string[] = ['land-local', 'carry-messages', 'forward']

describe('a UIDVALIDITY that is not the one we knew', () => {
  // Verifies: DC-4549-4.1.2
  it.each([
    ['APPENDUID', 'append'],
    ['COPYUID', 'move'],
  ] as const)('in %s names no message of the mailbox that was', async (_, kind) => {
    const world = new ReviewWorld()
    world.arrive('INBOX', 2)
    world.arrive('Work', 2)
    const engine = await synchronised(world)
    const work = await idOf(engine, 'Work')
    if (kind === 'append') await engine.append({ to: work, bytes: world.message() }).accepted
    else await engine.move((await referencesIn(world, engine, 'INBOX')).slice(0, 1), work).accepted
    let isDue = true
    world.bend = {
      beforeStep: (step) => {
        if (step.kind !== kind || !isDue) return
        isDue = false
        world.account.delete('Work')
        world.account.create('Work')
      },
    }
    const named: string[] = []
    world.beforeCommit = ({ writes }) =>
      void named.push(...writes.map((write) => write.kind).filter((what) => NAMING.includes(what)))
    expect(await world.settle(engine)).toBe('done')
    expect(isDue).toBe(false)
    expect(named).toEqual([])
    expect(world.account.open('Work').messages).toHaveLength(1)
    expect(await outcomesOf(engine)).toEqual(['applied'])
    await expectEqual(world)
  })

  it('in STATUS empties the cache of that mailbox', async () => {
    // Verifies: DC-4549-4.1.2, DC-4549-4.1.1
    const world = new ReviewWorld()
    world.arrive('Work', 2)
    const engine = await synchronised(world)
    world.account.delete('Work')
    world.account.create('Work')
    world.arrive('Work', 2)
    expect(await world.settle(engine)).toBe('done')
    await expectEqual(world)
    expect((await world.messages(engine, 'Work')).map(({ envelope }) => envelope.subject)).toEqual(['n4', 'n3'])
  })
})

describe('a copy without COPYUID', () => {
  it('is not taken for any of several messages with its Message-ID', async () => {
    // Verifies: DC-4549-4.2.2b, H-9
    const world = new ReviewWorld({ without: ['UIDPLUS', 'OBJECTID'] })
    world.arrive('INBOX', 1)
    const engine = await synchronised(world)
    await engine.copy(await referencesIn(world, engine, 'INBOX'), await idOf(engine, 'Archive')).accepted
    const [original] = world.account.inbox.messages
    const text = new TextDecoder().decode(original?.bytes)
    world.remote.fault = (step) => (step.kind === 'copy' ? 'lose-request' : 'pass')
    await engine.syncOnce().catch(() => {})
    world.remote.fault = () => 'pass'
    for (const more of ['one', 'two, longer']) {
      const bytes = new TextEncoder().encode(`${text}${more}\r\n`)
      world.account.open('Archive').append([{ bytes, flags: [], internalDate: original?.internalDate ?? 0 }])
    }
    await world.settle(engine)
    expect(await world.waiting(engine)).toEqual(['copy parked (uncertain)'])
    expect(world.account.open('Archive').messages).toHaveLength(2)
  })
})

describe('messages that others expunge while we act on them', () => {
  it.each([
    ['EXPUNGEISSUED', 'EXPUNGEISSUED'],
    ['no code', null],
  ])('are left out of a copy that was refused because of them, with %s: the others are copied', async (_, code) => {
    // Verifies: DC-2180-4.4, DC-4549-5.1-5
    const world = new ReviewWorld()
    world.arrive('INBOX', 3)
    const engine = await synchronised(world)
    const references = await referencesIn(world, engine, 'INBOX')
    await engine.copy(references, await idOf(engine, 'Archive')).accepted
    let isDue = true
    world.bend = {
      answer: (step) => {
        if (step.kind !== 'copy' || !isDue) return null
        isDue = false
        world.account.inbox.remove(UidSet.of(2))
        return refused(step, code)
      },
    }
    expect(await world.settle(engine, 12)).toBe('done')
    expect(isDue).toBe(false)
    expect(world.account.open('Archive').messages).toHaveLength(2)
    expect(await world.waiting(engine)).toEqual([])
    expect((await outcomesOf(engine)).toSorted()).toEqual(['applied', 'skipped'])
    await expectEqual(world)
  })

  it.each([
    ['tells NO, having changed the rest', (step: Step) => refused(step, 'EXPUNGEISSUED')],
    ['tells NO without a code, having changed the rest', (step: Step) => refused(step)],
    [
      'tells OK, and nothing of the expunge',
      (step: Step): readonly Observation[] => [{ kind: 'done', id: step.id, outcome: 'ok', rejection: null, exists: null }],
    ],
  ] as const)('cost a STORE nothing but themselves where the server %s', async (_, answer) => {
    // Verifies: DC-2180-4.2, DC-4549-5.1-5
    const world = new ReviewWorld()
    world.arrive('INBOX', 3)
    const engine = await synchronised(world)
    await engine.flag(await referencesIn(world, engine, 'INBOX'), { add: ['\\Flagged'] }).accepted
    let isDue = true
    world.bend = {
      answer: (step) => {
        if (step.kind !== 'store' || !isDue) return null
        isDue = false
        world.account.inbox.store(UidSet.of(1, 3), { direction: 'add', flags: ['\\Flagged'] })
        world.account.inbox.remove(UidSet.of(2))
        return answer(step)
      },
    }
    expect(await world.settle(engine, 12)).toBe('done')
    expect(isDue).toBe(false)
    expect(flagsOf(world.account, 'INBOX')).toEqual(['\\Flagged', '\\Flagged'])
    expect(await world.waiting(engine)).toEqual([])
    await expectEqual(world)
  })

  it('cost a FETCH that is refused, or answered with NIL, nothing of what is held', async () => {
    // Verifies: DC-2180-4.1, I-SYNC-2
    const world = new ReviewWorld()
    world.arrive('INBOX', 2)
    const engine = await world.open({ policy: { bodies: 'all' } })
    await world.settle(engine)
    const [held] = await world.messages(engine, 'INBOX')
    world.arrive('INBOX', 1)
    const wrong = new Set(['summary', 'body'])
    const empty = sampleEnvelope()
    world.bend = {
      answer: (step) => (step.kind === 'fetch' && step.items === 'summary' && wrong.delete('summary') ? refused(step) : null),
      // As if the rows of what is held came once more, emptied; and no octets of the body of what is new.
      hear: (item) => {
        if (item.kind === 'row' && item.summary !== null) {
          const nil = {
            ...item,
            uid: uid(2),
            summary: { ...item.summary, sizeBytes: 0, envelope: empty, parts: [] },
          }
          return [nil, item]
        }
        return item.kind === 'body' && wrong.delete('body') ? [{ ...item, bytes: null }] : [item]
      },
    }
    await world.settle(engine)
    expect([...wrong]).toEqual([])
    world.bend = {}
    expect(await world.settle(engine)).toBe('done')
    const messages = await world.messages(engine, 'INBOX')
    expect(messages.map(({ envelope }) => envelope.subject)).toEqual(['n3', 'n2', 'n1'])
    expect(messages[1]).toEqual(held)
    const reference = held?.reference
    if (reference !== undefined) expect(await engine.part(reference, held?.parts[0]?.section ?? '')).not.toBeNull()
  })
})

describe('a MOVE', () => {
  it('takes no notice of messages that others expunge in the middle of it', async () => {
    // Verifies: DC-6851-3.3b, DC-4549-5.1-5
    const world = new ReviewWorld()
    world.arrive('INBOX', 4)
    const engine = await synchronised(world)
    const references = await referencesIn(world, engine, 'INBOX')
    await engine.move(references.slice(0, 2), await idOf(engine, 'Archive')).accepted
    let isDue = true
    world.bend = {
      beforeStep: (step) => {
        if (step.kind !== 'move' || !isDue) return
        isDue = false
        // One of those that are moved, and one that is not.
        world.account.inbox.remove(UidSet.of(2, 4))
      },
    }
    expect(await world.settle(engine)).toBe('done')
    expect(isDue).toBe(false)
    expect((await outcomesOf(engine)).toSorted()).toEqual(['applied', 'skipped'])
    expect(world.account.inbox.messages.map((message) => message.uid)).toEqual([3])
    await expectEqual(world)
  })
})

describe('a mailbox that others have open', () => {
  it.each([
    ['is refused', 'reject'],
    ['is refused with NEWNAME', { kind: 'reject', rejection: { status: 'NO', code: 'NEWNAME', text: 'Work Elsewhere' } }],
    ['ends our connection', 'lose-answer'],
  ] as const)('is deleted or renamed in the end where that %s at first', async (_, fault) => {
    // Verifies: DC-2180-3
    const world = new ReviewWorld({ mailboxes: ['Archive', 'Work', 'Old'] })
    world.arrive('Work', 1)
    const engine = await synchronised(world)
    await engine.deleteMailbox(await idOf(engine, 'Old')).accepted
    await engine.renameMailbox(await idOf(engine, 'Work'), 'New').accepted
    world.remote.fault = (step) => (step.kind === 'delete' || step.kind === 'rename' ? fault : 'pass')
    await engine.syncOnce().catch(() => {})
    world.remote.fault = () => 'pass'
    expect(await world.settle(engine, 12)).toBe('done')
    await expectEqual(world)
    expect(await world.waiting(engine)).toEqual([])
    expect((await engine.mailboxes()).map(({ path }) => path).toSorted()).toEqual(['Archive', 'INBOX', 'New'])
  })
})

describe('keywords', () => {
  it.each([
    ['where it keeps any', ['\\Seen', '\\*'], ['$Forwarded'], 'applied'],
    ['and are refused where it would forget them', ['\\Seen'], [''], 'rejected'],
  ] as const)('go to the server %s', async (_, permanentFlags, flags, outcome) => {
    // Verifies: DC-4549-4.2.3c, H-14
    const account = new ModelAccount({ mailboxes: {} })
    account.inbox.permanentFlags = permanentFlags
    const world = new ReviewWorld({ account })
    world.arrive('INBOX', 1)
    const engine = await synchronised(world)
    await engine.flag(await referencesIn(world, engine, 'INBOX'), { add: ['$Forwarded'] }).accepted
    expect(await world.settle(engine)).toBe('done')
    expect(flagsOf(world.account, 'INBOX')).toEqual(flags)
    expect(await outcomesOf(engine)).toEqual([outcome])
    await expectEqual(world)
  })
})

describe('a message that somebody marked for deletion', () => {
  it('shows until it is expunged, and what the user removes is gone at once although the mark of others comes and goes', async () => {
    // Verifies: DC-4549-5.3
    const world = new ReviewWorld({ mailboxes: [] })
    world.arrive('INBOX', 3)
    const engine = await synchronised(world)
    const [first, second] = await referencesIn(world, engine, 'INBOX')
    world.account.inbox.store(UidSet.of(1), { direction: 'add', flags: ['\\Deleted'] })
    await world.settle(engine)
    expect(await referencesIn(world, engine, 'INBOX')).toHaveLength(3)
    if (second !== undefined) await engine.expunge(second).accepted
    expect(await referencesIn(world, engine, 'INBOX')).not.toContainEqual(second)
    world.bend = { answer: (step) => (step.kind === 'expunge' ? refused(step, 'INUSE') : null) }
    await engine.syncOnce()
    // Marked on the server by us, and unmarked by a rival: it is no less hidden, and what is not hidden is not marked.
    world.account.inbox.store(UidSet.of(2), { direction: 'remove', flags: ['\\Deleted'] })
    await engine.syncOnce()
    expect(await referencesIn(world, engine, 'INBOX')).toEqual([first, expect.anything()])
    world.bend = {}
    expect(await world.settle(engine)).toBe('done')
    expect(flagsOf(world.account, 'INBOX')).toEqual(['\\Deleted', ''])
  })
})

describe('what the user did and the server has not confirmed', () => {
  it('outlives whatever the server reports', async () => {
    // Verifies: FIELD-14, I-STORE-2, I-STORE-3
    const world = new ReviewWorld()
    world.arrive('INBOX', 2)
    const engine = await synchronised(world)
    await engine.flag(await referencesIn(world, engine, 'INBOX'), { add: ['\\Flagged'] }).accepted
    await engine.append({ to: await idOf(engine, 'INBOX'), bytes: world.message() }).accepted
    world.bend = { answer: (step) => (step.kind === 'store' || step.kind === 'append' ? refused(step, 'INUSE') : null) }
    world.account.inbox.store(UidSet.of(1), { direction: 'add', flags: ['\\Seen'] })
    world.account.inbox.remove(UidSet.of(2))
    world.arrive('INBOX', 1)
    await engine.syncOnce()
    const shown = await world.messages(engine, 'INBOX')
    expect(shown.map(({ envelope, flags }) => `${envelope.subject} ${flags.join(' ')}`).toSorted()).toEqual([
      'n1 \\Flagged \\Seen',
      'n3 ',
      'n4 ',
    ])
    world.bend = {}
    expect(await world.settle(engine)).toBe('done')
    await expectEqual(world)
  })
})

describe('a mailbox that keeps mod-sequences no longer', () => {
  it('is looked at without them, and what they were is forgotten', async () => {
    // Verifies: DC-4549-6.1b, DC-7162-6f
    const first = new ReviewWorld({ mailboxes: [] })
    first.arrive('INBOX', 3)
    await (await synchronised(first)).close()
    const later = (without: readonly Extension[]): ReviewWorld => {
      const world = new ReviewWorld({ account: first.account, without })
      Object.assign(world, { disk: first.disk })
      return world
    }
    const second = later(['CONDSTORE'])
    first.account.inbox.store(UidSet.of(1), { direction: 'add', flags: ['\\Flagged'] })
    await (await synchronised(second)).close()
    const asksByModSeq = ({ step }: { readonly step: Step }): boolean =>
      (step.kind === 'open' && step.known !== undefined) || (step.kind === 'fetch' && step.changedSince !== undefined)
    expect(second.remote.sent.filter(asksByModSeq)).toEqual([])
    await expectEqual(second)
    const third = later([])
    first.account.inbox.store(UidSet.of(2), { direction: 'add', flags: ['\\Flagged'] })
    await synchronised(third)
    expect(third.remote.sent.filter(asksByModSeq)).toEqual([])
    await expectEqual(third)
  })
})

describe('evidence of a copy', () => {
  it('of which the UIDVALIDITY is another settles the operation, and names nothing', async () => {
    // Verifies: DC-4549-4.1.2, H-14
    const world = new ReviewWorld()
    world.arrive('INBOX', 1)
    const engine = await synchronised(world)
    await engine.copy(await referencesIn(world, engine, 'INBOX'), await idOf(engine, 'Archive')).accepted
    world.bend = {
      hear: (item) =>
        item.kind === 'copied'
          ? [
              {
                ...item,
                target: { ...item.target, uidValidity: uidValidity(99) },
                pairs: new UidPairs([{ from: 1, to: 77, length: 1 }]),
              },
            ]
          : [item],
    }
    expect(await world.settle(engine)).toBe('done')
    await expectEqual(world)
  })
})
