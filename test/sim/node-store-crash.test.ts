/** Kills a process in the middle of its commits, again and again, and looks at what is left. */

import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { type MessageStore, type Uid, UidSet } from '@tidemail/core'
import { openNodeMessageStore } from '@tidemail/store/node'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ADA, BOX, commitsIn, INBOX, ROWS_PER_COMMIT } from './node-store-writer.ts'

/** Kills in one run; more with TIDEMAIL_STORE_KILLS. */
const KILLS = Number(process.env['TIDEMAIL_STORE_KILLS'] ?? 8)
const COMMITS_BEFORE_KILL_MAX = 40
const KILL_DELAY_MS_MAX = 12
const RUN_MS_MAX = 15_000
const WRITER = fileURLToPath(new URL('./node-store-writer.ts', import.meta.url))

let root: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'tidemail-crash-'))
})

afterEach(async () => {
  await rm(root, { recursive: true })
})

describe('a process that is killed while it commits (Verifies: I-LOG-1, I-STORE-1, H-19)', () => {
  it(
    `has kept every acknowledged commit and no half of one, ${KILLS} times over`,
    async () => {
      const directory = join(root, 'store')
      let least = 0
      for (let kill = 0; kill < KILLS; kill += 1) {
        const seed = Math.floor(Math.random() * 2 ** 31)
        least = Math.max(least, await runUntilKilled(directory, least, seed))
        const store = await openNodeMessageStore({ directory, create: false })
        try {
          const commits = (await commitsIn(store)) ?? 0
          expect(commits, `commits after the kill with seed ${seed}`).toBeGreaterThanOrEqual(least)
          await expectWhole(store, commits)
          least = commits
        } finally {
          await store.close()
        }
      }
      expect(least).toBeGreaterThan(KILLS)
    },
    KILLS * RUN_MS_MAX,
  )
})

/** Answers the last commit that was acknowledged. */
async function runUntilKilled(directory: string, before: number, seed: number): Promise<number> {
  const last = before + 1 + (seed % COMMITS_BEFORE_KILL_MAX)
  const child = spawn(process.execPath, ['-C', '@tidemail/source', '--import', 'tsx', WRITER, directory], {
    stdio: ['ignore', 'pipe', 'pipe'],
  }) as ChildProcessByStdio<null, Readable, Readable>
  const errors: string[] = []
  child.stderr.on('data', (text: Buffer) => errors.push(text.toString()))
  const exited = once(child, 'exit')
  let acknowledged = before
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged = Number(line)
    if (acknowledged === last) setTimeout(() => child.kill('SIGKILL'), (seed % 1000) % KILL_DELAY_MS_MAX)
  }
  const [, signal] = await exited
  if (signal !== 'SIGKILL') throw new Error(`The writer ended by itself: ${errors.join('')}`)
  return acknowledged
}

/** Everything that the commits wrote is there, and nothing else. */
async function expectWhole(store: MessageStore, commits: number): Promise<void> {
  const rows = await store.planning.flags(INBOX, UidSet.ALL)
  expect(rows.length).toBe(commits * ROWS_PER_COMMIT)
  const [mailbox] = await store.view.mailboxes(ADA)
  expect(mailbox).toMatchObject({ total: rows.length, unread: rows.length - Math.max(0, commits - 1) })
  const receipts = await store.planning.receipts(ADA, { limit: commits + 10 })
  expect(receipts.map(({ seq }) => Number(seq))).toEqual(Array.from({ length: commits }, (_, i) => commits - i))
  for (let n = 1; n <= commits; n += 1) {
    const uid = ((n - 1) * ROWS_PER_COMMIT + 1) as Uid
    expect(rows[uid - 1]?.flags).toEqual(n < commits ? ['\\Seen', `n${n % 20}`] : [`n${n % 20}`])
    const bytes = await store.view.part({ kind: 'stored', mailboxId: INBOX, box: BOX, uid }, '1')
    expect(new TextDecoder().decode(bytes ?? new Uint8Array())).toBe(`part ${n}`)
  }
  const entries = await store.planning.entries(ADA)
  expect(entries.length).toBeGreaterThanOrEqual(commits)
  expect(entries.length).toBeLessThanOrEqual(commits + KILLS)
  expect(new Set(entries.map(({ seq }) => seq)).size).toBe(entries.length)
}
