/** A folded log leaves the server as the same operations sent one by one do (I-LOG-4). */

import type { MessageReference } from '@tidemail/core'
import type { MailEngine } from '@tidemail/engine'
import type { Extension } from '@tidemail/testing/simulated'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { messagesOf } from './engine-lab.ts'
import { ReviewWorld } from './review/review-world.ts'

const MAILBOXES = ['INBOX', 'Archive', 'Work'] as const
type Path = (typeof MAILBOXES)[number]

interface Deed {
  readonly kind: 'flag' | 'unflag' | 'move' | 'copy' | 'expunge' | 'append'
  /** Names the message; all of them, where there are copies. */
  readonly number: number
  readonly from: Path
  readonly to: Path
  readonly flag: string
}

const path = fc.constantFrom(...MAILBOXES)
const deed: fc.Arbitrary<Deed> = fc.record({
  kind: fc.constantFrom('flag', 'unflag', 'move', 'move', 'copy', 'expunge', 'append'),
  number: fc.integer({ min: 1, max: 5 }),
  from: path,
  to: path,
  flag: fc.constantFrom('\\Seen', '\\Flagged', '$Work'),
})

const SERVERS: Readonly<Record<string, readonly Extension[]>> = {
  everything: [],
  'no MOVE': ['MOVE'],
  'no UIDPLUS': ['UIDPLUS'],
  'no mod-sequences': ['CONDSTORE'],
}

describe.each(Object.entries(SERVERS))('%s', (_, without) => {
  it('leaves the same server, folded and one by one', async () => {
    // Verifies: I-LOG-4, I-STORE-3, H-20, DC-4549-5.3-2, DC-4549-5.4
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { maxLength: 14 }), async (deeds) => {
        const folded = await outcomeOf(deeds, without, { syncsBetween: false })
        const raw = await outcomeOf(deeds, without, { syncsBetween: true })
        expect(folded).toEqual(raw)
      }),
      { numRuns: process.env['TIDEMAIL_CAMPAIGN'] === undefined ? 60 : 2_000 },
    )
  }, 600_000)
})

/** Per mailbox what is in it, whatever its UID. */
async function outcomeOf(
  deeds: readonly Deed[],
  without: readonly Extension[],
  { syncsBetween }: { readonly syncsBetween: boolean },
): Promise<Record<string, readonly string[]>> {
  const world = new ReviewWorld({ without })
  world.arrive('INBOX', 4)
  const engine = await world.open()
  await engine.syncOnce()
  for (const [i, one] of deeds.entries()) {
    await carryOut(engine, one, i)
    if (syncsBetween) await world.settle(engine)
  }
  expect(await world.settle(engine)).toBe('done')
  expect(await engine.entries()).toEqual([])
  await engine.close()
  return Object.fromEntries(
    world.account.mailboxes.map((mailbox) => [
      mailbox.path,
      mailbox.messages
        .map(
          ({ bytes, flags }) => `${new TextDecoder().decode(bytes).match(/Subject: (\S+)/)?.[1]} ${[...flags].sort().join(' ')}`,
        )
        .sort(),
    ]),
  )
}

async function carryOut(engine: MailEngine, { kind, number, from, to, flag }: Deed, index: number): Promise<void> {
  const target = (await engine.mailbox(to)).id
  if (kind === 'append') {
    const bytes = new TextEncoder().encode(
      `From: a@b.example\r\nSubject: new${index}\r\nMessage-ID: <new${index}@b.example>\r\n\r\n`,
    )
    await engine.append({ to: target, bytes, internalDate: index * 1_000 }).accepted
    return
  }
  const selection: MessageReference[] = (await messagesOf(engine, from))
    .filter(({ envelope: { subject } }) => subject === `n${number}` || subject?.startsWith('new') === (number === 5))
    .map(({ reference }) => reference)
  if (selection.length === 0 || (kind === 'move' && from === to)) return
  switch (kind) {
    case 'flag':
      await engine.flag(selection, { add: [flag] }).accepted
      break
    case 'unflag':
      await engine.flag(selection, { remove: [flag] }).accepted
      break
    case 'move':
      await engine.move(selection, target).accepted
      break
    case 'copy':
      await engine.copy(selection, target).accepted
      break
    case 'expunge':
      await engine.expunge(selection).accepted
  }
}
