/** A process that commits without end to the store in a folder, and says after each commit that it was acknowledged. */

import { writeSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import type { AccountId, BodyId, BoxEpoch, EntrySeq, MailboxId, MessageStore, Uid, Write } from '@tidemail/core'
import { UidSet } from '@tidemail/core'
import { openNodeMessageStore } from '@tidemail/store/node'
import { sampleEnvelope } from '@tidemail/testing/simulated'

export const ADA: AccountId = 'ada' as AccountId
export const INBOX: MailboxId = 1 as MailboxId
export const BOX: BoxEpoch = 1 as BoxEpoch
/** Rows that each commit adds. */
export const ROWS_PER_COMMIT = 3

/** Everything that commit `n` writes says `n`: rows, a part, a receipt, flags of the commit before, and the account. */
export function writesOf(n: number): Write[] {
  const uids = [1, 2, 3].map((i) => ((n - 1) * ROWS_PER_COMMIT + i) as Uid)
  const first = uids[0] as Uid
  return [
    {
      kind: 'put-account',
      account: { id: ADA, host: 'mail.example', user: 'ada', settings: { commits: n }, server: null, syncedAt: n },
    },
    {
      kind: 'put-messages',
      mailboxId: INBOX,
      messages: uids.map((uid) => ({
        uid,
        flags: [`n${n % 20}`],
        modSeq: BigInt(n) as never,
        internalDate: n,
        sizeBytes: n,
        envelope: sampleEnvelope({ subject: `commit ${n}` }),
        parts: [],
        emailId: null,
      })),
    },
    { kind: 'put-part', mailboxId: INBOX, uid: first, section: '1', bytes: new TextEncoder().encode(`part ${n}`) },
    ...(n === 1
      ? []
      : [
          {
            kind: 'infer-flags' as const,
            mailboxId: INBOX,
            uids: UidSet.of(first - ROWS_PER_COMMIT),
            delta: { add: ['\\Seen'], remove: [] },
          },
        ]),
    { kind: 'put-receipt', receipt: { seq: n as EntrySeq, accountId: ADA, bytes: new TextEncoder().encode(`receipt ${n}`) } },
  ]
}

export async function setUp(store: MessageStore): Promise<void> {
  const writes: Write[] = [
    { kind: 'put-account', account: { id: ADA, host: '', user: '', settings: { commits: 0 }, server: null, syncedAt: null } },
    {
      kind: 'put-mailbox',
      mailbox: {
        id: INBOX,
        accountId: ADA,
        path: 'INBOX',
        delimiter: '/',
        role: 'inbox',
        isSelectable: true,
        isSubscribed: true,
        objectId: null,
        box: BOX,
        uidValidity: null,
        checkpoint: null,
        permanentFlags: [],
        isOnServer: true,
        isReadOnly: false,
        partsHeldFor: null,
        tierLimit: null,
        formerBox: null,
      },
    },
  ]
  await store.commit({ reason: 'to begin with', expect: {}, writes })
}

/** How many commits a store says it holds; null before it was set up. */
export async function commitsIn(store: MessageStore): Promise<number | null> {
  const [account] = await store.planning.accounts()
  return account === undefined ? null : (account.settings as { commits: number }).commits
}

async function writeWithoutEnd(directory: string): Promise<never> {
  const store = await openNodeMessageStore({ directory })
  if ((await commitsIn(store)) === null) await setUp(store)
  for (let n = ((await commitsIn(store)) ?? 0) + 1; ; n += 1) {
    const bytes = new TextEncoder().encode(`draft ${n}`)
    await store.accept({
      accountId: ADA,
      targets: [],
      bodies: [{ bodyId: `draft-${n}` as BodyId, bytes }],
      build: ({ seq }) => ({ bytes, effects: [], localsUsed: seq > 0 ? 1 : 0 }),
    })
    const result = await store.commit({ reason: `commit ${n}`, expect: {}, writes: writesOf(n) })
    if (result.kind === 'conflict') throw new Error(result.what)
    writeSync(1, `${n}\n`)
  }
}

const [, script, directory] = process.argv
if (script !== undefined && directory !== undefined && import.meta.url === pathToFileURL(script).href) {
  await writeWithoutEnd(directory)
}
