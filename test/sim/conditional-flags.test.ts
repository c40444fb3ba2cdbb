import { type EntrySeq, type MessageReference, type Step, type StoreStep, UidSet } from '@tidemail/core'
import type { FlagChange, MailEngine } from '@tidemail/engine'
import type { StepFault } from '@tidemail/testing/simulated'
import { describe, expect, it } from 'vitest'
import { ReviewWorld, refused } from './review/review-world.ts'

/** The message that the tests act on, the newest; there is another one before it. */
const OURS = UidSet.of(2)

interface Lab {
  readonly world: ReviewWorld
  readonly engine: MailEngine
  /** Conditional STOREs that were sent. */
  readonly sent: StoreStep[]
}

async function lab(): Promise<Lab> {
  const world = new ReviewWorld()
  world.arrive('INBOX', 2)
  const engine = await world.open()
  expect(await world.settle(engine)).toBe('done')
  const sent: StoreStep[] = []
  world.bend = { beforeStep: (step) => void (isConditional(step) && sent.push(step)) }
  return { world, engine, sent }
}

function isConditional(step: Step): step is StoreStep {
  return step.kind === 'store' && step.unchangedSince !== undefined
}

async function change({ world, engine }: Lab, flags: FlagChange, count = 1): Promise<void> {
  const messages = await world.messages(engine, 'INBOX')
  await engine.flag(
    messages.slice(0, count).map(({ reference }) => reference),
    flags,
  ).accepted
}

function rivalAdds({ world }: Lab, ...flags: readonly string[]): void {
  world.account.inbox.store(OURS, { direction: 'add', flags })
}

function flagsOf({ world }: Lab, path = 'INBOX'): string {
  return world.account.open(path).messages.at(-1)?.flags.toSorted().join(' ') ?? 'gone'
}

async function outcomes({ engine }: Lab): Promise<string[]> {
  return (await engine.receipts()).flatMap((receipt) =>
    receipt.outcomes.map(({ outcome, evidence }) => `${outcome} (${evidence.kind})`),
  )
}

async function nothingWaits({ world, engine }: Lab): Promise<void> {
  expect(await world.settle(engine, 12)).toBe('done')
  expect(await world.waiting(engine)).toEqual([])
}

describe('a change of flags on the condition that nobody made another', () => {
  it.each(['lose-answer', 'lose-tail', 'lose-request', 'ghost'] as const)(
    'is applied once, and no conflict with itself, when its answer was lost (%s); and can be taken back',
    async (fault) => {
      // Verifies: DC-7162-3.1.3a, I-LOG-3
      const all = await lab()
      await change(all, { add: ['flagged'], remove: [], when: 'unchanged' })
      let count = 0
      all.world.remote.fault = (step) => (step.kind === 'store' && count++ === 0 ? fault : 'pass')
      await nothingWaits(all)
      expect(flagsOf(all)).toBe('\\Flagged')
      expect(await outcomes(all)).toEqual(['applied (flags-seen)'])
      await all.engine.undo((await all.engine.receipts())[0]?.seq as never)
      await nothingWaits(all)
      expect(flagsOf(all)).toBe('')
    },
  )

  it.each(['lose-answer', 'lose-tail'] as const)(
    'may add and remove at once, whatever of it was done before the answer was lost (%s)',
    async (fault) => {
      for (const at of [0, 1]) {
        const all = await lab()
        rivalAdds(all, '\\Seen')
        await nothingWaits(all)
        await change(all, { add: ['flagged'], remove: ['seen'], when: 'unchanged' })
        let count = 0
        all.world.remote.fault = (step) => (step.kind === 'store' && count++ === at ? fault : 'pass')
        await nothingWaits(all)
        expect(flagsOf(all)).toBe('\\Flagged')
      }
    },
  )

  it('is no conflict with what we changed ourselves before, in the same pass or one that was cut short', async () => {
    // Verifies: DC-7162-3.1.3a
    for (const fault of ['pass', 'lose-request', 'lose-answer'] as const) {
      const all = await lab()
      await change(all, { add: ['seen'] })
      await change(all, { add: ['flagged'], when: 'unchanged' })
      await change(all, { remove: ['seen'] })
      let isFirst = true
      all.world.remote.fault = (step) => {
        if (!isConditional(step) || !isFirst) return 'pass'
        isFirst = false
        return fault
      }
      await nothingWaits(all)
      expect(flagsOf(all)).toBe('\\Flagged')
      expect(all.sent.length).toBeLessThanOrEqual(3)
    }
  })

  it('is no conflict with the mark of a removal that the server then refused, which comes off when the removal is taken back', async () => {
    // Verifies: DC-7162-3.1.3a, I-STORE-2
    const all = await lab()
    const [newest] = await all.world.messages(all.engine, 'INBOX')
    await change(all, { add: ['flagged'], when: 'unchanged' })
    const [seq] = await all.engine.expunge([newest?.reference as MessageReference]).accepted
    all.world.bend = { ...all.world.bend, answer: (step) => (step.kind === 'expunge' ? refused(step, 'INUSE') : null) }
    await all.engine.syncOnce()
    expect(flagsOf(all)).toBe('\\Deleted \\Flagged')
    expect(await all.world.waiting(all.engine)).toEqual(['expunge queued'])
    expect((await all.engine.undo(seq as EntrySeq)).kind).toBe('undone')
    await nothingWaits(all)
    expect(flagsOf(all)).toBe('\\Flagged')
  })

  it('is no conflict with our taking off the mark of a removal that was taken back', async () => {
    // Verifies: DC-7162-3.1.3a, I-STORE-2
    const all = await lab()
    const [newest] = await all.world.messages(all.engine, 'INBOX')
    const [seq] = await all.engine.expunge([newest?.reference as MessageReference]).accepted
    all.world.bend = { ...all.world.bend, answer: (step) => (step.kind === 'expunge' ? refused(step, 'INUSE') : null) }
    await all.engine.syncOnce()
    await all.engine.undo(seq as EntrySeq)
    await change(all, { add: ['flagged'], when: 'unchanged' })
    await nothingWaits(all)
    expect(flagsOf(all)).toBe('\\Flagged')
  })

  it('is done before what was asked after it on the same message, and after what was asked before', async () => {
    // Verifies: I-LOG-4
    const all = await lab()
    await change(all, { add: ['seen'] })
    await change(all, { remove: ['seen'], when: 'unchanged' })
    await change(all, { add: ['seen'] })
    await nothingWaits(all)
    expect(flagsOf(all)).toBe('\\Seen')
    const copied = await lab()
    await change(copied, { add: ['seen'] })
    await change(copied, { add: ['flagged'], when: 'unchanged' })
    const [message] = await copied.world.messages(copied.engine, 'INBOX')
    await copied.engine.copy(message?.reference as never, (await copied.engine.mailbox('Work')).id).accepted
    await nothingWaits(copied)
    expect(flagsOf(copied, 'Work')).toBe('\\Flagged \\Seen')
  })

  it('is applied once for several changes whose messages overlap, without the user being asked', async () => {
    const all = await lab()
    all.world.arrive('INBOX', 4)
    await nothingWaits(all)
    for (const [i, flag] of ['seen', 'flagged', 'answered', 'draft', '$one', '$two'].entries()) {
      await change(all, { add: [flag], when: 'unchanged' }, i + 1)
    }
    await nothingWaits(all)
    expect(flagsOf(all)).toBe('$one $two \\Answered \\Draft \\Flagged \\Seen')
  })

  it('is done where a rival has done just that; taking it back leaves it to the rival', async () => {
    const all = await lab()
    await change(all, { add: ['flagged'], when: 'unchanged' })
    // After the mailbox was brought forward, so that nothing but MODIFIED tells of it.
    all.world.bend = { beforeStep: (step) => void (isConditional(step) && rivalAdds(all, '\\Flagged')) }
    await nothingWaits(all)
    expect(await outcomes(all)).toEqual(['applied (flags-seen)'])
    const [message] = await all.world.messages(all.engine, 'INBOX')
    expect(message?.flags).toEqual(['\\Flagged'])
    const [receipt] = await all.engine.receipts()
    await all.engine.undo(receipt?.seq as never).then(
      () => {},
      () => {},
    )
    await nothingWaits(all)
    expect(flagsOf(all)).toBe('\\Flagged')
  })

  it('is sent again when the server is wrong about a change, and shown when it goes on being wrong', async () => {
    // Verifies: DC-7162-3.1.3a, DC-7162-3.1.3b
    for (const [lies, waiting] of [
      [1, []],
      [2, []],
      [99, ['flag parked (conflict)']],
    ] as const) {
      const all = await lab()
      await change(all, { add: ['flagged'], when: 'unchanged' })
      let count = 0
      all.world.bend = {
        answer: (step) => {
          if (!isConditional(step) || ++count > lies) return null
          const { id, mailbox, uids } = step
          return [
            { kind: 'modified', id, mailbox, uids },
            { kind: 'done', id, outcome: 'ok', rejection: null, exists: 2 },
          ]
        },
      }
      expect(await all.world.settle(all.engine, 12)).toBe('done')
      expect(await all.world.waiting(all.engine)).toEqual(waiting)
      expect(flagsOf(all)).toBe(waiting.length === 0 ? '\\Flagged' : '')
      expect(count).toBeLessThanOrEqual(3)
    }
  })

  it('is done as far as it was, when a refusal names what it left alone', async () => {
    // Verifies: DC-7162-3.1.3b, DC-7162-3.1.3c
    for (const rival of ['\\Flagged', '\\Answered']) {
      const all = await lab()
      await change(all, { add: ['flagged'], when: 'unchanged' }, 2)
      let refusals = 0
      all.world.bend = {
        answer: (step) => {
          if (!isConditional(step) || refusals++ > 0) return null
          rivalAdds(all, rival)
          const { id, mailbox, uids, direction, flags } = step
          all.world.account.inbox.store(uids.difference(OURS), { direction, flags })
          const rejection = { status: 'NO', code: 'MODIFIED', text: 'Some were changed.' } as const
          return [
            { kind: 'modified', id, mailbox, uids: OURS },
            { kind: 'done', id, outcome: 'rejected', rejection, exists: 2 },
          ]
        },
      }
      await all.world.settle(all.engine)
      expect(all.world.account.inbox.messages.map(({ flags }) => flags.join(' '))).toEqual(['\\Flagged', rival])
      const isConflict = rival !== '\\Flagged'
      expect(await all.world.waiting(all.engine)).toEqual(isConflict ? ['flag parked (conflict)'] : [])
      expect(refusals).toBe(1)
    }
  })

  it('waits for the next connection when the look behind it got no answer', async () => {
    const all = await lab()
    await change(all, { add: ['seen'] })
    await change(all, { add: ['flagged'], when: 'unchanged' })
    let wasStored = false
    let cuts = 0
    all.world.remote.fault = (step) => {
      if (wasStored && step.kind === 'fetch' && cuts++ === 0) return 'cut'
      wasStored = isConditional(step)
      return 'pass'
    }
    await nothingWaits(all)
    expect(cuts).toBeGreaterThan(0)
    expect(flagsOf(all)).toBe('\\Flagged \\Seen')
  })

  it('is shown with both sides when somebody made another, and is made all the same when the user says so', async () => {
    // Verifies: DC-7162-3.1.3a
    const all = await lab()
    rivalAdds(all, '\\Answered')
    await nothingWaits(all)
    await change(all, { add: ['seen'] })
    await change(all, { add: ['flagged'], when: 'unchanged' })
    rivalAdds(all, '$Forwarded')
    await all.world.settle(all.engine)
    expect(await all.world.waiting(all.engine)).toEqual(['flag parked (conflict)'])
    const [entry] = await all.engine.entries()
    expect(entry?.conflicts).toEqual([{ uid: 2, base: ['\\Answered', '\\Seen'], theirs: expect.arrayContaining(['$Forwarded']) }])
    expect(flagsOf(all)).toBe('$Forwarded \\Answered \\Seen')
    await all.engine.retry(entry?.seq as never)
    await nothingWaits(all)
    expect(flagsOf(all)).toBe('$Forwarded \\Answered \\Flagged \\Seen')
  })

  it.each(['lose-answer', 'ghost'] as const)(
    'is no conflict with itself when it is sent again with a later one (%s)',
    async (fault) => {
      // Verifies: DC-7162-3.1.3a, I-LOG-3
      const all = await lab()
      rivalAdds(all, '\\Flagged')
      await nothingWaits(all)
      let stores = 0
      all.world.remote.fault = (step) => (step.kind === 'store' && stores++ === 0 ? fault : 'pass')
      await change(all, { add: ['seen'], remove: ['flagged'], when: 'unchanged' })
      await all.engine.syncOnce().catch(() => null)
      await change(all, { remove: ['seen'], when: 'unchanged' })
      await nothingWaits(all)
      expect(flagsOf(all)).toBe('')
    },
  )

  it('is no conflict with one that was lost, when it is sent again behind another', async () => {
    // Verifies: DC-7162-3.1.3a, I-LOG-3
    const all = await lab()
    let stores = 0
    all.world.remote.fault = (step) => (step.kind === 'store' && stores++ === 0 ? 'lose-answer' : 'pass')
    await change(all, { add: ['$Work'], when: 'unchanged' })
    await all.engine.syncOnce().catch(() => null)
    await change(all, { add: ['seen'], when: 'unchanged' }, 2)
    await change(all, { remove: ['$Work'], when: 'unchanged' })
    await nothingWaits(all)
    expect(flagsOf(all)).toBe('\\Seen')
  })

  it('is not counted as refused for what an attempt of ours had done whose answer was lost', async () => {
    // Verifies: DC-7162-3.1.3a, I-LOG-3
    const world = new ReviewWorld()
    world.arrive('INBOX', 4)
    world.account.inbox.store(UidSet.of(3), { direction: 'add', flags: ['\\Flagged'] })
    const engine = await world.open()
    await world.settle(engine)
    const messages = (await world.messages(engine, 'INBOX')).map(({ reference }) => reference).toReversed()
    await engine.flag(messages.slice(0, 3), { add: ['flagged'], when: 'unchanged' }).accepted
    await engine.flag(messages.slice(2), { remove: ['flagged'], when: 'unchanged' }).accepted
    await engine.flag(messages.slice(0, 1), { add: ['$Work'], when: 'unchanged' }).accepted
    const busy: StepFault = { kind: 'reject', rejection: { status: 'NO', code: 'INUSE', text: 'Busy.' } }
    const faults = new Map<number, StepFault>([
      [1, 'lose-answer'],
      [2, busy],
      [7, busy],
    ])
    let stores = -1
    world.remote.fault = (step) => {
      if (step.kind === 'store') stores += 1
      return step.kind === 'store' ? (faults.get(stores) ?? 'pass') : 'pass'
    }
    expect(await world.settle(engine, 12)).toBe('done')
    expect(await world.waiting(engine)).toEqual([])
    expect(world.account.inbox.messages.map(({ flags }) => flags.toSorted().join(' '))).toEqual([
      '$Work \\Flagged',
      '\\Flagged',
      '',
      '',
    ])
  })

  it('waits for the user, and is not sent without end, where the server does not tell what the messages are like', async () => {
    // Verifies: DC-7162-3.1.3a, I-SYNC-1
    const all = await lab()
    await change(all, { add: ['seen'] })
    await change(all, { add: ['flagged'], when: 'unchanged' })
    all.world.bend = {
      ...all.world.bend,
      answer: (step) => (step.reason.startsWith('see what others made') ? refused(step) : null),
    }
    await all.world.settle(all.engine, 12)
    expect(all.sent.length).toBeLessThan(5)
    expect(await all.world.waiting(all.engine)).toEqual(['flag parked (conflict)'])
  })

  it('waits for the user when a part of it is refused again and again', async () => {
    // Verifies: DC-5530-3
    const all = await lab()
    rivalAdds(all, '\\Seen', '\\Flagged')
    await nothingWaits(all)
    all.world.bend = { answer: (step) => (isConditional(step) && step.direction === 'remove' ? refused(step) : null) }
    await change(all, { add: ['seen'], remove: ['flagged'], when: 'unchanged' })
    await all.world.settle(all.engine, 12)
    expect(await all.world.waiting(all.engine)).toEqual(['flag parked (rejected-repeatedly)'])
  })

  it('is made all the same of those messages alone of which the user has seen what others did', async () => {
    // Verifies: DC-7162-3.1.3a
    const all = await lab()
    const { inbox } = all.world.account
    let stores = 0
    all.world.bend = {
      answer: (step) => {
        if (!isConditional(step)) return null
        stores += 1
        if (stores > 1) return refused(step, 'INUSE')
        rivalAdds(all, '$Forwarded')
        // The server says of the other one, falsely, that it has changed, too.
        const done = { kind: 'done', id: step.id, outcome: 'ok', rejection: null, exists: null } as const
        return [{ kind: 'modified', id: step.id, mailbox: step.mailbox, uids: inbox.uids }, done]
      },
    }
    await change(all, { add: ['flagged'], when: 'unchanged' }, 2)
    await all.engine.syncOnce()
    expect((await all.world.waiting(all.engine)).toSorted()).toEqual(['flag parked (conflict)', 'flag queued'])
    all.world.bend = {}
    inbox.store(UidSet.of(1), { direction: 'add', flags: ['$Junk'] })
    for (const { seq } of await all.engine.entries()) await all.engine.retry(seq)
    await all.world.settle(all.engine)
    expect(await all.world.waiting(all.engine)).toEqual(['flag parked (conflict)'])
    expect(inbox.messages.map(({ flags }) => flags.toSorted().join(' '))).toEqual(['$Junk', '$Forwarded \\Flagged'])
  })

  it('goes by the flags alone when the mailbox has new UIDs, for mod-sequences of the former say nothing', async () => {
    // Verifies: DC-4549-4.1.1
    for (const rival of [[], ['\\Answered']]) {
      const all = await lab()
      await change(all, { add: ['flagged'], when: 'unchanged' })
      const { inbox } = all.world.account
      inbox.remove(UidSet.of(1))
      inbox.bumpUidValidity()
      inbox.store(inbox.uids, { direction: 'add', flags: rival })
      await all.world.settle(all.engine, 12)
      expect(await all.world.waiting(all.engine)).toEqual(rival.length === 0 ? [] : ['flag parked (conflict)'])
      expect(flagsOf(all)).toBe(rival.length === 0 ? '\\Flagged' : '\\Answered')
    }
  })
})

describe('a change of flags whose answer was lost', () => {
  it('can be taken back, though the row showed it when it was sent again', async () => {
    // Verifies: H-3
    const all = await lab()
    await change(all, { add: ['flagged'] })
    let count = 0
    all.world.remote.fault = (step) => (step.kind === 'store' && count++ === 0 ? 'lose-answer' : 'pass')
    await nothingWaits(all)
    const [receipt] = await all.engine.receipts()
    await all.engine.undo(receipt?.seq as never)
    await nothingWaits(all)
    expect(flagsOf(all)).toBe('')
  })
})
