/** The contract of the message store, part five: whatever is written, it reads like the memory store (I-STORE-3). */

import {
  type Change,
  type EntryRecord,
  type LocalId,
  type MailboxId,
  type MessageReference,
  type MessageStore,
  modSeq,
  type PageCursor,
  type ServerMessage,
  type Targets,
  type Uid,
  UidPairs,
  UidSet,
  type ViewEffect,
  type Write,
} from '@tidemail/core'
import fc from 'fast-check'
import { MemoryMessageStore } from '../../memory-message-store.ts'
import { assertEqual, type Harness } from '../harness.ts'
import { ADA, account, bytesOf, changeOf, draft, mailbox, message, stored } from './sample.ts'

/** Runs of the model; more with a greater `runs`. */
const MODEL_RUNS = 25
const MODEL_STEPS_MAX = 25
const MAILBOXES = [1, 2, 3] as MailboxId[]
/** On both sides of a chunk's edge. */
const UIDS = [1, 2, 3, 254, 255, 256, 257, 600, 4_294_967_295]

export function describeModel({ it }: Harness, open: () => Promise<MessageStore>, runs: number = MODEL_RUNS): void {
  it('reads like the memory store after every commit (Verifies: I-STORE-3)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: MODEL_STEPS_MAX }), async (steps) => {
        const model = new MemoryMessageStore()
        const subject = await open()
        try {
          await startWith(model)
          await startWith(subject)
          const entries: EntryRecord[] = []
          for (const next of steps) {
            await takeStep({ model, subject, entries }, next)
            await compare(model, subject, entries)
          }
        } finally {
          await subject.close()
        }
      }),
      { numRuns: runs },
    )
  })
}

interface Pair {
  readonly model: MessageStore
  readonly subject: MessageStore
  readonly entries: EntryRecord[]
}

type Step =
  | { readonly kind: 'write'; readonly write: (entries: readonly EntryRecord[]) => Write | null }
  | {
      readonly kind: 'accept'
      readonly verb: 'flag' | 'move' | 'copy' | 'hide' | 'draft'
      readonly on: Choice
      readonly to: MailboxId
    }

/** Picked targets: UIDs of a mailbox, or locals. */
interface Choice {
  readonly mailboxId: MailboxId
  readonly uids: UidSet
  readonly locals: UidSet
  readonly isLocal: boolean
}

const mailboxOf = fc.constantFrom(...MAILBOXES)
const uids = fc.oneof(
  fc.subarray(UIDS, { minLength: 1 }).map((values) => UidSet.from(values)),
  fc.constant(UidSet.ALL),
)
const flags = fc.subarray(['\\Seen', '\\Flagged', '\\Deleted', 'work', 'Work', '$Junk'])
const delta = fc.record({ add: flags, remove: flags })
const modSeqs = fc.option(fc.constantFrom(1n, 5n, 2n ** 63n - 1n).map(modSeq))
const section = fc.constantFrom('', '1', '2')
const text = fc.constantFrom('one', 'two', 'three').map(bytesOf)
const uid = fc.constantFrom(...UIDS).map((value) => value as Uid)
const pairs = fc.subarray([0, 1, 2, 3, 4]).map((picks) => {
  return new UidPairs(picks.map((pick) => ({ from: UIDS[pick] as number, to: 700 + pick * 3, length: 1 })))
})
const locals = fc.subarray([1, 2, 3, 4, 5], { minLength: 1 }).map((values) => UidSet.from(values))
const choice: fc.Arbitrary<Choice> = fc.record({ mailboxId: mailboxOf, uids, locals, isLocal: fc.boolean() })

const write: fc.Arbitrary<Write> = fc.oneof(
  fc
    .record({
      mailboxId: mailboxOf,
      uids: fc.subarray(UIDS, { minLength: 1 }),
      flags,
      modSeq: modSeqs,
      date: fc.nat(3),
      named: fc.boolean(),
    })
    .map(
      ({ mailboxId, uids: chosen, date, named, ...state }): Write => ({
        kind: 'put-messages',
        mailboxId,
        messages: chosen.map((value) =>
          message(value, { ...state, internalDate: date * 1500, ...(named ? sameContent(value) : {}) }),
        ),
      }),
    ),
  fc
    .record({ mailboxId: mailboxOf, states: fc.array(fc.record({ uid, flags, modSeq: modSeqs }), { maxLength: 4 }) })
    .map((fields): Write => ({ kind: 'put-flags', ...fields })),
  fc.record({ mailboxId: mailboxOf, uids, delta }).map((fields): Write => ({ kind: 'infer-flags', ...fields })),
  fc.record({ mailboxId: mailboxOf, uids }).map((fields): Write => ({ kind: 'remove-messages', ...fields })),
  fc.record({ mailboxId: mailboxOf, uids }).map((fields): Write => ({ kind: 'evict-messages', ...fields })),
  fc.record({ from: mailboxOf, to: mailboxOf, pairs }).map((fields): Write => ({ kind: 'carry-messages', ...fields })),
  fc.record({ mailboxId: mailboxOf, uid, section, bytes: text }).map((fields): Write => ({ kind: 'put-part', ...fields })),
  fc
    .record({ mailboxId: mailboxOf, uid, section, bytes: text, offset: fc.constantFrom(0, 3, 6), isLast: fc.boolean() })
    .map((fields): Write => ({ kind: 'put-part-piece', ...fields })),
  fc.record({ mailboxId: mailboxOf, uids }).map((fields): Write => ({ kind: 'link-parts', ...fields })),
  fc.constant<Write>({ kind: 'release-parts', accountId: ADA }),
  fc.record({ from: mailboxOf, to: mailboxOf, pairs }).map(
    ({ from, to, pairs: led }): Write => ({
      kind: 'forward',
      accountId: ADA,
      from: { kind: 'stored', box: boxOf(from) },
      to: { mailboxId: to, box: boxOf(to) },
      pairs: led,
    }),
  ),
  fc.record({ from: mailboxOf, numbers: uids }).map(
    ({ from, numbers }): Write => ({
      kind: 'end-forward',
      accountId: ADA,
      from: { kind: 'stored', box: boxOf(from) },
      numbers,
    }),
  ),
  fc.record({ id: mailboxOf, isRenewed: fc.boolean() }).map(
    ({ id, isRenewed }): Write => ({
      kind: 'put-mailbox',
      mailbox: mailbox(id, (isRenewed ? boxOf(id) + 100 : boxOf(id)) as never, {
        checkpoint: { uidNext: 9, highestModSeq: null, known: UidSet.range(1, 300), covered: UidSet.of(1) },
      }),
    }),
  ),
  fc.constantFrom(MAILBOXES[2] as MailboxId).map((id): Write => ({ kind: 'remove-mailbox', mailboxId: id })),
)

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: write.map((chosen): Step => ({ kind: 'write', write: () => chosen })) },
  {
    weight: 1,
    arbitrary: fc.nat(5).map(
      (pick): Step => ({
        kind: 'write',
        write: (entries) => {
          const entry = entries[pick]
          return entry === undefined ? null : { kind: 'remove-entry', seq: entry.seq }
        },
      }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.record({ pick: fc.nat(5), mailboxId: mailboxOf, uid }).map(
      ({ pick, mailboxId, uid: landed }): Step => ({
        kind: 'write',
        write: (entries) => {
          const entry = entries[pick]
          const made = entry?.effects.find((effect) => effect.kind === 'new')
          if (entry === undefined || made?.kind !== 'new') return null
          return { kind: 'land-local', local: made.message.local, entry: entry.seq, mailboxId, uid: landed }
        },
      }),
    ),
  },
  {
    weight: 6,
    arbitrary: fc
      .record({ verb: fc.constantFrom('flag', 'move', 'copy', 'hide', 'draft'), on: choice, to: mailboxOf })
      .map((fields): Step => ({ kind: 'accept', ...fields }) as Step),
  },
)

/** Two contents, each under many UIDs. */
function sameContent(uid: number): Pick<ServerMessage, 'emailId' | 'sizeBytes'> {
  return { emailId: `M${uid % 2}`, sizeBytes: 500 }
}

function boxOf(id: MailboxId): never {
  return (10 + id) as never
}

async function startWith(store: MessageStore): Promise<void> {
  const mailboxes = MAILBOXES.map((id): Write => ({ kind: 'put-mailbox', mailbox: mailbox(id, boxOf(id)) }))
  const first = UIDS.slice(0, 6).map((value) => message(value))
  const writes: Write[] = [
    { kind: 'put-account', account: account() },
    ...mailboxes,
    { kind: 'put-messages', mailboxId: 1 as MailboxId, messages: first },
  ]
  await store.commit(changeOf(writes))
}

async function takeStep({ model, subject, entries }: Pair, next: Step): Promise<void> {
  if (next.kind === 'write') {
    const chosen = next.write(entries)
    if (chosen === null) return
    const change = changeOf([chosen])
    assertEqual(await outcomeOf(subject, change), await outcomeOf(model, change), `outcome of ${chosen.kind}`)
    return
  }
  const expected = await acceptInto(model, next)
  assertEqual(await acceptInto(subject, next), expected, `entry of ${next.verb}`)
  entries.push(expected)
}

/** Errors count as outcomes: both stores must refuse the same. */
async function outcomeOf(store: MessageStore, change: Change): Promise<string> {
  return store.commit(change).then(
    ({ kind }) => kind,
    (error: unknown) => String(error),
  )
}

function acceptInto(store: MessageStore, { verb, on, to }: Extract<Step, { kind: 'accept' }>): Promise<EntryRecord> {
  const targets: Targets = on.isLocal
    ? { kind: 'local', mailboxId: on.mailboxId, locals: on.locals }
    : { kind: 'stored', mailboxId: on.mailboxId, box: boxOf(on.mailboxId), uids: on.uids }
  const bodyId = 'draft-body' as never
  return store.accept({
    accountId: ADA,
    targets: verb === 'draft' ? [] : [targets],
    bodies: verb === 'draft' ? [{ bodyId, bytes: bytesOf('draft') }] : [],
    build: ({ targets: resolved, firstLocal, seq }) => {
      if (verb === 'draft') {
        const effects: ViewEffect[] = [{ kind: 'new', mailboxId: to, message: draft(firstLocal, bodyId) }]
        return { bytes: bytesOf(`draft ${seq}`), effects, localsUsed: 1 }
      }
      const effects: ViewEffect[] = []
      let localsUsed = 0
      for (const group of resolved) {
        const numbers = group.kind === 'stored' ? group.uids : group.locals
        if (verb === 'flag') effects.push({ kind: 'flags', on: group, delta: { add: ['\\Seen', 'work'], remove: ['\\Flagged'] } })
        if (verb === 'hide' || verb === 'move') effects.push({ kind: 'hide', on: group })
        if (verb !== 'move' && verb !== 'copy') continue
        const ranges = numbers.ranges.map(({ first, last }) => {
          const range = { from: first, to: firstLocal + localsUsed, length: last - first + 1 }
          localsUsed += range.length
          return range
        })
        const from = group.kind === 'stored' ? { ...group, uids: undefined } : { kind: 'local' as const }
        effects.push({ kind: 'place', mailboxId: to, from: plainOrigin(from), pairs: new UidPairs(ranges) })
      }
      return { bytes: bytesOf(`${verb} ${seq}`), effects, localsUsed }
    },
  })
}

function plainOrigin(from: Extract<ViewEffect, { kind: 'place' }>['from']): Extract<ViewEffect, { kind: 'place' }>['from'] {
  return from.kind === 'local' ? { kind: 'local' } : { kind: 'stored', mailboxId: from.mailboxId, box: from.box }
}

async function compare(model: MessageStore, subject: MessageStore, entries: readonly EntryRecord[]): Promise<void> {
  for (const read of READS) assertEqual(await read(subject, entries), await read(model, entries), read.name)
}

type Read = (store: MessageStore, entries: readonly EntryRecord[]) => Promise<unknown>

const READS: readonly Read[] = [
  function mailboxes(store) {
    return store.planning.mailboxes(ADA)
  },
  function counted(store) {
    return store.view.mailboxes(ADA)
  },
  function log(store) {
    return store.planning.entries(ADA)
  },
  async function pages(store) {
    const views = await store.view.mailboxes(ADA)
    return Promise.all(views.map(({ id }) => pagesOf(store, id)))
  },
  function serverState(store) {
    return Promise.all(MAILBOXES.map((id) => store.planning.flags(id, UidSet.ALL)))
  },
  function identities(store) {
    return Promise.all(MAILBOXES.map((id) => store.planning.identities(id, UidSet.range(2, 600))))
  },
  function missing(store) {
    const wanted = { parts: 'all', messagesMax: 5, partBytesMax: 100, receivedSince: 3000 } as const
    return Promise.all(MAILBOXES.map((id) => store.planning.missingParts(id, wanted)))
  },
  function linkable(store) {
    return Promise.all(MAILBOXES.map((id) => store.planning.linkable(id, UidSet.ALL)))
  },
  function places(store) {
    return Promise.all(references().flatMap((reference) => ['', '1'].map((name) => store.view.partOnServer(reference, name))))
  },
  function single(store) {
    return Promise.all(references().map((reference) => store.view.message(reference)))
  },
  function bytes(store) {
    const reads = references().flatMap((reference) => ['', '1'].map((name) => store.view.part(reference, name)))
    return Promise.all(reads)
  },
]

function references(): MessageReference[] {
  const named = MAILBOXES.flatMap((id) => [1, 255, 256, 706].map((value) => stored(id, boxOf(id), value)))
  return [...named, ...[1, 2, 3, 9].map((id): MessageReference => ({ kind: 'local', local: id as LocalId, accountId: ADA }))]
}

async function pagesOf(store: MessageStore, id: MailboxId): Promise<unknown[]> {
  const all: unknown[] = []
  let after: PageCursor | null = null
  do {
    const page = await store.view.page({ mailboxId: id, limit: 4, ...(after === null ? {} : { after }) })
    all.push(...page.messages)
    after = page.next
  } while (after !== null)
  return all
}
