/** The scenarios of which fixtures/wire keeps one session for each server, and the servers that stand for others. */

import type { RealServerName } from '@tidemail/testing'
import { expect } from 'vitest'
import { numbered } from '../e2e/numbered-mail.ts'
import type { RealAccount } from '../e2e/real-account.ts'
import { type Line, local, log, reopen, reopenWith, rival, server, sync } from '../e2e/scenario-lines.ts'
import { columnsOf, type ResyncColumn } from '../server/resync-columns.ts'

export interface TranscriptScenario {
  /** Of the file, without its ending. */
  readonly name: string
  readonly lines: readonly Line[]
  /** What has no lines; store and server need not be equal after it. */
  readonly act?: (account: RealAccount) => Promise<void>
  /** Which session of the scenario is kept. */
  readonly keep: 'first' | 'last'
  /** Also in the tiers of a server below its best. */
  readonly isForEachTier?: true
}

const CHANGES: readonly Line[] = [
  server`INBOX | 1 | 2 \Seen | 3..6 ; Work | 7`,
  rival`flags 1 +\Flagged ; expunge 3 ; expunge 5 ; append 8 -> INBOX ; append 9 -> Work \Seen`,
  reopen,
  sync,
  local`INBOX | 1 \Flagged | 2 \Seen | 4 | 6 | 8 ; Work | 7 | 9 \Seen`,
]

const TRANSCRIPT_SCENARIOS: readonly TranscriptScenario[] = [
  { name: 'first-sync', lines: [server`INBOX | 1 \Seen | 2 \Flagged | 3~html ; Work | 4`], keep: 'first' },
  { name: 'bodies', lines: [server`INBOX | 1 | 2~html`, reopenWith({ bodies: 'all' }), sync], keep: 'last' },
  { name: 'no-change', lines: [server`INBOX | 1 | 2 \Seen ; Work | 3`, reopen, sync], keep: 'last', isForEachTier: true },
  { name: 'changes', lines: CHANGES, keep: 'last', isForEachTier: true },
  {
    name: 'operations-on-messages',
    lines: [
      server`INBOX | 1..9 ; Work | 10`,
      log`flags 1 +\Seen ; flags 2 +\Flagged ; flags 2 -\Flagged ; move 3 -> Work ; copy 4 -> Work ; expunge 5`,
      log`flags 6 +\Answered ; move 6 -> Work ; flags 7 +\Flagged +\Seen`,
      reopen,
      sync,
    ],
    keep: 'last',
  },
  // Some servers tell another size of what was uploaded than it has.
  { name: 'uploads', lines: [server`INBOX | 1 ; Drafts |`], act: upload, keep: 'last' },
  {
    name: 'operations-on-mailboxes',
    lines: [
      server`INBOX | 1 | 2 ; Work | 3 ; Old | 4`,
      log`create Plans ; move 1 -> Plans ; rename Work -> Done ; subscribe Done ; delete Old`,
      reopen,
      sync,
    ],
    keep: 'last',
  },
  {
    name: 'new-uidvalidity',
    lines: [server`INBOX | 1 ; Work | 2 | 3`, rival`renew Work ; append 4 -> Work`, reopen, sync, local`INBOX | 1 ; Work | 2..4`],
    keep: 'last',
  },
]

/** Two messages, and a second version of a draft. */
async function upload(account: RealAccount): Promise<void> {
  const to = await account.mailboxId('Drafts')
  const draft = account.engine.saveDraft({ ...numbered(2), to, flags: ['\\Draft'] })
  await draft.accepted
  await account.sync()
  const next = { ...numbered(3), to, flags: ['\\Draft', '\\Seen'], replaces: await draft.message }
  await account.engine.saveDraft(next).accepted
  const inbox = await account.mailboxId('INBOX')
  for (const number of [4, 5]) await account.engine.append({ ...numbered(number), to: inbox }).accepted
  await account.reopen()
  expect((await account.sync()).outcome).toBe('done')
}

export interface TranscriptFolder {
  /** Below fixtures/wire. */
  readonly folder: string
  readonly column: ResyncColumn
}

/** `dovecot-2.3.19`, `dovecot-2.3.19-condstore`, and `gmail-by-dovecot-2.3.19` for a server that Dovecot stands in for. */
export function foldersOf(name: RealServerName, version: string): readonly TranscriptFolder[] {
  const [number = version] = /^[\d.]+/.exec(version) ?? []
  return columnsOf(name).map((column) => {
    const tier = column.isBest ? '' : `-${column.name.split(' ').at(-1)}`
    const folder = column.profile === null ? `${name}-${number}${tier}` : `${column.profile}-by-${name}-${number}`
    return { folder, column }
  })
}

export function scenariosIn({ isBest, profile }: ResyncColumn): readonly TranscriptScenario[] {
  return isBest || profile !== null
    ? TRANSCRIPT_SCENARIOS
    : TRANSCRIPT_SCENARIOS.filter(({ isForEachTier }) => isForEachTier === true)
}
