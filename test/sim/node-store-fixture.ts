/** Makes the store that is kept in fixtures/store: `tsx -C @tidemail/source test/sim/node-store-fixture.ts` when there is a new format, never for an old one. */

import { pathToFileURL } from 'node:url'
import {
  type BodyId,
  type ClaimId,
  type EntrySeq,
  type LocalMessage,
  type MessageStore,
  type Uid,
  UidPairs,
  UidSet,
  type Write,
} from '@tidemail/core'
import { openNodeMessageStore } from '@tidemail/store/node'
import { ADA, BOX, INBOX, setUp, writesOf } from './node-store-writer.ts'

export const FIXTURE_DIRECTORY: URL = new URL('../../fixtures/store/format-1/', import.meta.url)

const BODY = 'a3b0c4e1' as BodyId
const bytes = new TextEncoder().encode('Subject: draft\r\n\r\nLater.\r\n')

/** Something in every table. */
async function fill(store: MessageStore): Promise<void> {
  await setUp(store)
  const [mailbox] = await store.planning.mailboxes(ADA)
  if (mailbox === undefined) return
  const known = UidSet.parse('1:9,4294967295')
  const checkpoint = { uidNext: 10, highestModSeq: 9_223_372_036_854_775_807n as never, known, covered: UidSet.parse('1:3') }
  const writes: Write[] = [
    { kind: 'put-mailbox', mailbox: { ...mailbox, checkpoint } },
    ...writesOf(1),
    ...writesOf(2),
    {
      kind: 'infer-flags',
      mailboxId: INBOX,
      uids: UidSet.of(2),
      delta: { add: Array.from({ length: 30 }, (_, i) => `k${i}`), remove: [] },
    },
    { kind: 'put-claim', claim: { id: 'claim-1' as ClaimId, accountId: ADA, bytes } },
    {
      kind: 'forward',
      accountId: ADA,
      from: { kind: 'stored', box: BOX },
      to: { mailboxId: INBOX, box: BOX },
      pairs: new UidPairs([{ from: 100, to: 4, length: 2 }]),
    },
  ]
  await store.commit({ reason: 'the fixture', expect: {}, writes })
  await store.lead(ADA)
  await store.accept({
    accountId: ADA,
    targets: [{ kind: 'stored', mailboxId: INBOX, box: BOX, uids: UidSet.of(1, 100) }],
    bodies: [{ bodyId: BODY, bytes }],
    build: ({ targets, firstLocal }) => ({
      bytes,
      localsUsed: 1,
      effects: [
        ...targets.map((on) => ({ kind: 'flags' as const, on, delta: { add: ['\\Flagged'], remove: ['\\Seen'] } })),
        { kind: 'new', mailboxId: INBOX, message: draftOf(firstLocal) },
      ],
    }),
  })
}

function draftOf(local: LocalMessage['local']): LocalMessage {
  const [, rows] = writesOf(3)
  const [row] = rows?.kind === 'put-messages' ? rows.messages : []
  if (row === undefined) throw new Error('There is nothing to make a draft of.')
  const { internalDate, sizeBytes, envelope, parts, emailId } = row
  return { internalDate, sizeBytes, envelope, parts, emailId, local, bodyId: BODY, flags: ['\\Draft'] }
}

/** What can be read of the fixture, as plain text. */
export async function readFixture(store: MessageStore): Promise<Record<string, unknown>> {
  const [mailbox] = await store.planning.mailboxes(ADA)
  const { messages } = await store.view.page({ mailboxId: INBOX, limit: 99 })
  const text = (content: Uint8Array | null | undefined): string => new TextDecoder().decode(content ?? undefined)
  const forwarded = await store.view.message({ kind: 'stored', mailboxId: INBOX, box: BOX, uid: 101 as Uid })
  return {
    accounts: JSON.stringify(await store.planning.accounts()),
    checkpoint: `${mailbox?.checkpoint?.known} ${mailbox?.checkpoint?.covered} ${mailbox?.checkpoint?.highestModSeq}`,
    counts: JSON.stringify(await store.view.mailboxes(ADA)),
    page: messages.map(({ reference, flags, envelope, heldSections }) => {
      const name = reference.kind === 'local' ? `local:${reference.local}` : reference.uid
      return `${name} [${flags.join(' ')}] ${envelope.subject} ${JSON.stringify(heldSections)}`
    }),
    part: text(await store.view.part({ kind: 'stored', mailboxId: INBOX, box: BOX, uid: 4 as Uid }, '1')),
    body: text(await store.planning.body(BODY)),
    forwarded: JSON.stringify(forwarded?.reference),
    entries: (await store.planning.entries(ADA)).map(({ seq, revision, effects }) => `${seq} ${revision} ${effects.length}`),
    claims: (await store.planning.claims(ADA)).map(({ id }) => id),
    receipt: text((await store.planning.receipt(ADA, 2 as EntrySeq))?.bytes),
  }
}

const [, script] = process.argv
if (script !== undefined && import.meta.url === pathToFileURL(script).href) {
  const store = await openNodeMessageStore({ directory: FIXTURE_DIRECTORY.pathname })
  await fill(store)
  await store.close()
}
