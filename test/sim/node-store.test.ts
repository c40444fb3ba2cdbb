/** Opens what earlier versions wrote, and fills a small disk. */

import { execFileSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { EntrySeq } from '@tidemail/core'
import { openNodeMessageStore } from '@tidemail/store/node'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FIXTURE_DIRECTORY, readFixture } from './node-store-fixture.ts'
import { ADA, commitsIn, setUp, writesOf } from './node-store-writer.ts'

let root: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'tidemail-node-store-'))
})

afterEach(async () => {
  await rm(root, { recursive: true })
})

describe('a store of an earlier version', () => {
  it('of format 1 opens with everything in it', async () => {
    const directory = join(root, 'store')
    await cp(fileURLToPath(FIXTURE_DIRECTORY), directory, { recursive: true })
    const store = await openNodeMessageStore({ directory, create: false })
    try {
      expect(await readFixture(store)).toMatchInlineSnapshot(`
        {
          "accounts": "[{"id":"ada","host":"mail.example","user":"ada","settings":{"commits":2},"server":null,"syncedAt":2}]",
          "body": "Subject: draft

        Later.
        ",
          "checkpoint": "1:9,4294967295 1:3 9223372036854775807",
          "claims": [
            "claim-1",
          ],
          "counts": "[{"id":1,"path":"INBOX","delimiter":"/","role":"inbox","namespace":"personal","isSelectable":true,"isSubscribed":true,"total":7,"unread":7,"toFetch":4,"leftOut":0,"isPending":false}]",
          "entries": [
            "1 1 2",
          ],
          "forwarded": "{"kind":"stored","mailboxId":1,"box":1,"uid":5}",
          "page": [
            "local:1 [\\Draft] commit 3 [""]",
            "6 [n2] commit 2 []",
            "5 [n2] commit 2 []",
            "4 [\\Flagged n2] commit 2 ["1"]",
            "3 [n1] commit 1 []",
            "2 [k0 k1 k10 k11 k12 k13 k14 k15 k16 k17 k18 k19 k2 k20 k21 k22 k23 k24 k25 k26 k27 k28 k29 k3 k4 k5 k6 k7 k8 k9 n1] commit 1 []",
            "1 [\\Flagged n1] commit 1 ["1"]",
          ],
          "part": "part 2",
          "receipt": "receipt 2",
        }
      `)
    } finally {
      await store.close()
    }
  })
})

const SMALL_DISK_BYTES = 3 * 1024 * 1024
const FILLING_SEQ = 1_000_000

/** Only the superuser may make a small disk; the failing disk of the unit tests is there for everybody. */
describe.runIf(process.getuid?.() === 0)('a disk that is full (Verifies: H-19)', () => {
  it('fails the commit with store.full, and has kept every one before it', async () => {
    const disk = join(root, 'disk')
    await mkdir(disk)
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SMALL_DISK_BYTES}`, 'tmpfs', disk])
    try {
      const directory = join(disk, 'store')
      const store = await openNodeMessageStore({ directory })
      await setUp(store)
      let acknowledged = 0
      const failure = await (async () => {
        for (let n = 1; ; n += 1) {
          const receipt = { seq: (FILLING_SEQ + n) as EntrySeq, accountId: ADA, bytes: noise(n) }
          try {
            await store.commit({ reason: `commit ${n}`, expect: {}, writes: [...writesOf(n), { kind: 'put-receipt', receipt }] })
            acknowledged = n
          } catch (error) {
            return error
          }
        }
      })()
      expect(failure).toMatchObject({ code: 'store.full' })
      await expect(store.planning.accounts()).rejects.toMatchObject({ code: 'store.poisoned' })
      await store.close()
      execFileSync('mount', ['-o', `remount,size=${4 * SMALL_DISK_BYTES}`, disk])
      const again = await openNodeMessageStore({ directory, create: false })
      expect(await commitsIn(again)).toBe(acknowledged)
      expect(acknowledged).toBeGreaterThan(3)
      await again.close()
    } finally {
      execFileSync('umount', [disk])
    }
  })
})

function noise(seed: number): Uint8Array {
  let state = seed
  return Uint8Array.from({ length: 64 * 1024 }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return state >>> 24
  })
}
