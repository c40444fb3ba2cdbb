/** Whatever is taken back in the opposite order leaves what was there before, on the screen and on the server, sent or not (H-3). */

import { readFile } from 'node:fs/promises'
import { type Flag, type MessageReference, type MessageView, normaliseFlags, type Step, SyncError, UidSet } from '@tidemail/core'
import type { MailEngine, OperationHandle } from '@tidemail/engine'
import type { Extension, StepFault } from '@tidemail/testing/simulated'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ReviewWorld } from './review/review-world.ts'

const PATHS = ['INBOX', 'Archive', 'Work'] as const
const FLAGS: readonly Flag[] = ['\\Seen', '\\Flagged', '$Work']
const BUSY: StepFault = { kind: 'reject', rejection: { status: 'NO', code: 'INUSE', text: 'Busy.' } }
/** What changes a server; of these some are refused for now. */
const MUTATING: readonly Step['kind'][] = ['store', 'copy', 'move', 'expunge', 'append', 'replace']

interface Pause {
  readonly kind: 'sync' | 'take back'
}

type Deed =
  | {
      readonly kind: 'flag'
      readonly on: number
      readonly add: readonly Flag[]
      readonly remove: readonly Flag[]
      readonly isBound: boolean
    }
  | { readonly kind: 'move' | 'copy'; readonly on: number; readonly to: (typeof PATHS)[number] }
  | { readonly kind: 'expunge'; readonly on: number }
  | { readonly kind: 'draft' }
  | Pause

/** Which of the messages in view, bit by bit. */
const on = fc.integer({ min: 1, max: 63 })
const flags = fc.subarray([...FLAGS], { maxLength: 2 })
const flag = fc
  .record({ on, add: flags, remove: flags, isBound: fc.boolean() })
  .map(({ add, remove, ...rest }): Deed => ({ kind: 'flag', add, remove: remove.filter((one) => !add.includes(one)), ...rest }))
const transfer = fc.record({ kind: fc.constantFrom('move', 'copy'), on, to: fc.constantFrom(...PATHS) })
const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 5, arbitrary: flag },
  { weight: 3, arbitrary: transfer },
  { weight: 1, arbitrary: on.map((chosen): Deed => ({ kind: 'expunge', on: chosen })) },
  { weight: 2, arbitrary: fc.constantFrom<Deed>({ kind: 'draft' }, { kind: 'draft' }, { kind: 'sync' }, { kind: 'sync' }) },
  { weight: 3, arbitrary: fc.constant<Deed>({ kind: 'take back' }) },
)

interface History {
  readonly flags: readonly (readonly Flag[])[]
  readonly deeds: readonly Deed[]
  /** Which of the steps that change the server are refused for now, by number. */
  readonly refused: readonly number[]
}

const history: fc.Arbitrary<History> = fc.record({
  flags: fc.array(flags, { minLength: 3, maxLength: 3 }),
  deeds: fc.array(deed, { minLength: 1, maxLength: 9 }),
  refused: fc.uniqueArray(fc.integer({ min: 0, max: 12 }), { maxLength: 2 }),
})

const SERVERS: Readonly<Record<string, readonly Extension[]>> = {
  everything: [],
  'no MOVE': ['MOVE', 'REPLACE'],
  'no mod-sequences': ['CONDSTORE'],
}

/** Histories that once went wrong. */
const EXAMPLES = JSON.parse(
  await readFile(new URL('../../fixtures/sim/taken-back.json', import.meta.url), 'utf8'),
) as readonly History[]

describe.each(Object.entries(SERVERS))('%s', (_, without) => {
  it('leaves what was there before', async () => {
    // Verifies: H-3, H-20
    const numRuns = process.env['TIDEMAIL_CAMPAIGN'] === undefined ? 150 : 20_000
    await fc.assert(
      fc.asyncProperty(history, (one) => live(one, without)),
      {
        numRuns,
        examples: EXAMPLES.map((one) => [one]),
      },
    )
  }, 1_800_000)
})

interface Done {
  readonly handle: OperationHandle
  readonly before: readonly string[]
}

async function live({ deeds, flags: first, refused }: History, without: readonly Extension[]): Promise<void> {
  const world = new ReviewWorld({ without })
  world.arrive('INBOX', first.length)
  for (const [i, some] of first.entries()) world.account.open('INBOX').store(UidSet.of(i + 1), { direction: 'add', flags: some })
  const engine = await world.open()
  await world.settle(engine)
  let sent = -1
  world.remote.fault = ({ kind }) => {
    if (MUTATING.includes(kind)) sent += 1
    return MUTATING.includes(kind) && refused.includes(sent) ? BUSY : 'pass'
  }
  const done: Done[] = []
  let draft: MessageReference | null = null
  for (const one of deeds) {
    const before = await shown(engine)
    if (isPause(one)) {
      if (one.kind === 'sync') {
        await engine.syncOnce()
        continue
      }
      const last = done.pop()
      if (last === undefined) continue
      const isBack = await last.handle.undo().then(() => true, passExpected)
      const isOne = (await last.handle.accepted).length === 1
      if (!isBack) done.length = 0
      if (isBack || isOne) expect(await shown(engine)).toEqual(isBack ? last.before : before)
    } else {
      const handle = await begin(engine, one, draft, world)
      const isAccepted = handle === null ? false : await handle.accepted.then(() => true, passExpected)
      if (handle === null || !isAccepted) continue
      done.push({ handle, before })
      if ('message' in handle) draft = await (handle.message as Promise<MessageReference>)
    }
  }
  const wanted = await shown(engine)
  expect(await world.settle(engine, 12)).toBe('done')
  expect(await world.waiting(engine)).toEqual([])
  expect(onServer(world)).toEqual(wanted)
  expect(await shown(engine)).toEqual(wanted)
  await engine.close()
}

function isPause(one: Deed): one is Pause {
  return one.kind === 'sync' || one.kind === 'take back'
}

async function begin(
  engine: MailEngine,
  one: Exclude<Deed, Pause>,
  draft: MessageReference | null,
  world: ReviewWorld,
): Promise<OperationHandle | null> {
  if (one.kind === 'draft')
    return engine.saveDraft({
      bytes: world.message(),
      to: (await engine.mailbox('Work')).id,
      ...(draft === null ? {} : { replaces: draft }),
    })
  const messages = (await inView(engine)).filter((__, i) => ((one.on >> i) & 1) === 1)
  if (one.kind === 'flag') {
    const condition = one.isBound ? { when: 'unchanged' as const } : {}
    return messages.length === 0
      ? null
      : engine.flag(messages.map(referenceOf), { add: one.add, remove: one.remove, ...condition })
  }
  if (one.kind === 'expunge') return messages.length === 0 ? null : engine.expunge(messages.map(referenceOf))
  const { id } = await engine.mailbox(one.to)
  const elsewhere = messages.filter(({ mailboxId }) => mailboxId !== id)
  return elsewhere.length === 0 ? null : engine[one.kind](elsewhere.map(referenceOf), id)
}

function referenceOf({ reference }: MessageView): MessageReference {
  return reference
}

async function inView(engine: MailEngine): Promise<readonly MessageView[]> {
  const pages = await Promise.all(
    PATHS.map(async (path) => engine.page({ mailboxId: (await engine.mailbox(path)).id, limit: 100 })),
  )
  return pages.flatMap(({ messages }) => messages)
}

/** A line a message: `Archive <n1@b.example> \Seen`. */
async function shown(engine: MailEngine): Promise<string[]> {
  const pages = await Promise.all(
    PATHS.map(async (path) => {
      const { messages } = await engine.page({ mailboxId: (await engine.mailbox(path)).id, limit: 100 })
      return messages.map(({ envelope, flags: some }) => line(path, envelope.messageId ?? '', some))
    }),
  )
  return pages.flat().sort()
}

function onServer({ account }: ReviewWorld): string[] {
  const idIn = (bytes: Uint8Array): string => /^Message-ID: (.*)\r$/m.exec(new TextDecoder().decode(bytes))?.[1] ?? ''
  return account.mailboxes.flatMap(({ messages, path }) => messages.map((one) => line(path, idIn(one.bytes), one.flags))).sort()
}

/** Without marks: that of a removal which is taken back comes off when the next pass has told the server (ADR 12). */
function line(path: string, id: string, some: readonly Flag[]): string {
  return [path, id, ...normaliseFlags(some.filter((one) => one !== '\\Deleted' && one !== '\\Recent')).toSorted()].join(' ')
}

/** What cannot be taken back, or done, says so. */
function passExpected(error: unknown): false {
  if (error instanceof SyncError && error.code.startsWith('input.')) return false
  throw error
}
