import type { MailEngineOptions } from '@tidemail/engine'
import { describe, expect, it } from 'vitest'
import { ReviewWorld } from './review/review-world.ts'

const KINDS = ['move', 'copy', 'append'] as const
type Kind = (typeof KINDS)[number]
type Missing = NonNullable<NonNullable<MailEngineOptions['policy']>['missingMailbox']>

/** A mailbox that a rival deletes when the engine is about to send something there: the server answers [TRYCREATE]. */
async function refusedOnce(kind: Kind, missingMailbox: Missing) {
  const world = new ReviewWorld()
  world.arrive('INBOX', 2)
  const engine = await world.open({ policy: { bodies: 'none', missingMailbox } })
  expect(await world.settle(engine)).toBe('done')
  const to = (await engine.mailbox('Archive')).id
  const [message] = await world.messages(engine, 'INBOX')
  if (message === undefined) throw new Error('INBOX is empty.')
  if (kind === 'append') await engine.append({ to, bytes: world.message() }).accepted
  else await engine[kind](message.reference, to).accepted
  const codes: (string | null)[] = []
  let sent = 0
  world.bend = {
    beforeStep: (step) => {
      if (step.kind !== kind) return
      sent += 1
      if (sent === 1) world.account.delete('Archive')
    },
    hear: (item) => {
      if (item.kind === 'done' && item.outcome === 'rejected' && item.id.startsWith(kind))
        codes.push(item.rejection?.code ?? null)
      return [item]
    },
  }
  await engine.syncOnce()
  expect(codes).toEqual(['TRYCREATE'])
  return { world, engine, attempts: () => sent }
}

function counts({ account }: ReviewWorld): Readonly<Record<string, number>> {
  return Object.fromEntries(account.mailboxes.map(({ path, messages }) => [path, messages.length]))
}

// Verifies: DC-4549-2.3, DC-4549-5.1-2
describe.each(KINDS)('a %s to a mailbox that goes just before: [TRYCREATE]', (kind) => {
  const inbox = kind === 'move' ? 1 : 2

  it('waits for the user at once, and is sent no second time', async () => {
    const { world, engine, attempts } = await refusedOnce(kind, 'park')
    expect(await world.waiting(engine)).toEqual([`${kind} parked (mailbox-gone)`])
    await world.settle(engine, 12)
    expect(await world.waiting(engine)).toEqual([`${kind} parked (mailbox-gone)`])
    expect(counts(world)).toEqual({ INBOX: 2, Work: 0 })
    expect(attempts()).toBe(1)
  })

  it('makes it again', async () => {
    const { world, engine, attempts } = await refusedOnce(kind, 'create')
    await engine.syncOnce()
    expect(await world.waiting(engine)).toEqual([])
    expect(counts(world)).toEqual({ INBOX: inbox, Archive: 1, Work: 0 })
    expect(attempts()).toBe(2)
  })

  it('goes to another', async () => {
    const { world, engine, attempts } = await refusedOnce(kind, { other: 'Work' })
    await engine.syncOnce()
    expect(await world.waiting(engine)).toEqual([])
    expect(counts(world)).toEqual({ INBOX: inbox, Work: 1 })
    expect(attempts()).toBe(2)
  })

  // Verifies: I-STORE-2
  it('is passed over, but what the user made is not thrown away', async () => {
    const { world, engine, attempts } = await refusedOnce(kind, 'skip')
    await engine.syncOnce()
    expect(await world.waiting(engine)).toEqual(kind === 'append' ? ['append parked (mailbox-gone)'] : [])
    const outcomes = (await engine.receipts()).flatMap((receipt) => receipt.outcomes.map(({ outcome }) => outcome))
    expect(outcomes).toEqual(kind === 'append' ? [] : ['skipped'])
    expect(counts(world)).toEqual({ INBOX: 2, Work: 0 })
    expect(attempts()).toBe(1)
  })
})
