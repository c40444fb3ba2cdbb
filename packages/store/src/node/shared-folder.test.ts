/** Several owners want one folder at the same moment: each finds it whole or in use, never damaged. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openNodeMessageStore } from './node-message-store.ts'

const OWNERS = 8
const TURNS_EACH = 6

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidemail-shared-'))
})

afterEach(() => rm(directory, { recursive: true }))

describe('a folder that many want at once', () => {
  // LevelDB puts a new list of its files in the place of the old one each time it opens.
  it('is in use or whole, never damaged, while another owner is opening it', async () => {
    await (await openNodeMessageStore({ directory })).close()
    const codes = new Set<string>()
    let turns = 0
    const own = async (): Promise<void> => {
      for (let turn = 0; turn < TURNS_EACH; ) {
        try {
          await (await openNodeMessageStore({ directory, create: false })).close()
          turn += 1
          turns += 1
        } catch (error) {
          codes.add((error as { code: string }).code)
        }
      }
    }
    await Promise.all(Array.from({ length: OWNERS }, own))
    expect(turns).toBe(OWNERS * TURNS_EACH)
    expect([...codes]).toEqual(['store.in-use'])
  })
})
