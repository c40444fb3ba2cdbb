/** A folded log leaves the server as the same operations sent one by one do (I-LOG-4). */

import { type MessageReference, SyncError } from '@tidemail/core'
import type { MailEngine } from '@tidemail/engine'
import type { Extension } from '@tidemail/testing/simulated'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { messagesOf } from './engine-lab.ts'
import { ReviewWorld } from './review/review-world.ts'

const MAILBOXES = ['INBOX', 'Archive', 'Work'] as const
/** Mailboxes that the user makes and renames. */
const OWN = ['Own', 'Mine'] as const
type Path = (typeof MAILBOXES)[number] | (typeof OWN)[number]

const ON_MESSAGES = ['flag', 'unflag', 'move', 'move', 'copy', 'expunge', 'trash'] as const
const OTHERS = ['append', 'draft', 'draft', 'create', 'rename', 'subscribe', 'unsubscribe'] as const

interface Deed {
  readonly kind: (typeof ON_MESSAGES)[number] | (typeof OTHERS)[number]
  /** Names the message, with all its copies; 5: all that were uploaded; 6: all there are, but for drafts. */
  readonly number: number
  readonly from: Path
  readonly to: Path
  readonly flag: string
}

const path = fc.constantFrom<Path>(...MAILBOXES, ...MAILBOXES, ...OWN)
const deed: fc.Arbitrary<Deed> = fc.record({
  kind: fc.constantFrom<Deed['kind']>(...ON_MESSAGES, ...ON_MESSAGES, ...OTHERS),
  number: fc.integer({ min: 1, max: 6 }),
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

/** Per mailbox what is in it, whatever its UID, and whether it is subscribed to. */
async function outcomeOf(
  deeds: readonly Deed[],
  without: readonly Extension[],
  { syncsBetween }: { readonly syncsBetween: boolean },
): Promise<Record<string, readonly string[]>> {
  const world = new ReviewWorld({ without })
  world.arrive('INBOX', 4)
  const engine = await world.open()
  await engine.syncOnce()
  const drafts = new Map<number, MessageReference>()
  for (const [i, one] of deeds.entries()) {
    await carryOut({ engine, drafts }, one, i).catch(passRefusal)
    if (syncsBetween) await world.settle(engine)
  }
  expect(await world.settle(engine)).toBe('done')
  expect(await engine.entries()).toEqual([])
  await engine.close()
  return Object.fromEntries(
    world.account.mailboxes.map((mailbox) => [
      `${mailbox.path}${world.account.subscriptions.has(mailbox.path) ? ' (subscribed)' : ''}`,
      mailbox.messages
        .map(
          ({ bytes, flags }) => `${new TextDecoder().decode(bytes).match(/Subject: (\S+)/)?.[1]} ${[...flags].sort().join(' ')}`,
        )
        .sort(),
    ]),
  )
}

interface Scene {
  readonly engine: MailEngine
  /** The last version of each draft. */
  readonly drafts: Map<number, MessageReference>
}

async function carryOut(scene: Scene, deed: Deed, index: number): Promise<void> {
  const { engine } = scene
  const { kind, from, to } = deed
  switch (kind) {
    case 'create':
      await engine.createMailbox(OWN[index % 2] ?? 'Own').accepted
      return
    case 'rename': {
      const own = OWN.indexOf(from as (typeof OWN)[number])
      if (own >= 0) await engine.renameMailbox((await engine.mailbox(from)).id, OWN[1 - own] ?? 'Own').accepted
      return
    }
    case 'subscribe':
      await engine.subscribe((await engine.mailbox(to)).id).accepted
      return
    case 'unsubscribe':
      await engine.unsubscribe((await engine.mailbox(to)).id).accepted
      return
    case 'append':
      await engine.append({ to: (await engine.mailbox(to)).id, bytes: messageCalled(`new${index}`), internalDate: index * 1_000 })
        .accepted
      return
    case 'draft':
      await saveDraft(scene, deed, index)
      return
    default:
      await actOnMessages(engine, { ...deed, kind })
  }
}

async function saveDraft({ engine, drafts }: Scene, { number, to }: Deed, index: number): Promise<void> {
  const before = drafts.get(number % 2)
  const replaces = before === undefined ? {} : { replaces: before }
  const bytes = messageCalled(`draft${number % 2}-${index}`)
  const handle = engine.saveDraft({ to: (await engine.mailbox(to)).id, bytes, internalDate: index * 1_000, ...replaces })
  await handle.accepted
  drafts.set(number % 2, await handle.message)
}

function messageCalled(name: string): Uint8Array {
  return new TextEncoder().encode(`From: a@b.example\r\nSubject: ${name}\r\nMessage-ID: <${name}@b.example>\r\n\r\n`)
}

interface DeedOnMessages extends Deed {
  readonly kind: (typeof ON_MESSAGES)[number]
}

async function actOnMessages(engine: MailEngine, { kind, number, from, to, flag }: DeedOnMessages): Promise<void> {
  const target = (await engine.mailbox(to)).id
  const selection: MessageReference[] = (await messagesOf(engine, from))
    .filter(
      ({ envelope: { subject } }) =>
        subject === `n${number}` ||
        (number === 5 && subject?.startsWith('new')) ||
        (number === 6 && !subject?.startsWith('draft')),
    )
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
      break
    case 'trash':
      await engine.delete(selection, { to: target }).accepted
  }
}

/** Of a mailbox that is not there, or is there already: both ways it is refused. */
function passRefusal(error: unknown): void {
  if (!(error instanceof SyncError) || !['input.unknown-mailbox', 'input.mailbox-exists'].includes(error.code)) throw error
}
