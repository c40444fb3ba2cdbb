import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeFolder } from './make-folder.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemail-folder-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('makeFolder', () => {
  it('makes every level, for its user only, and is content with what is there', async () => {
    const deep = join(folder, 'a', 'b', 'c')
    await makeFolder(deep)
    await makeFolder(deep)
    expect((await stat(deep)).mode & 0o777).toBe(0o700)
  })

  it.runIf(process.platform === 'linux')('ends where the system lets nobody make a folder', async () => {
    await expect(makeFolder('/proc/tidemail/store')).rejects.toMatchObject({ code: 'store.read-only' })
  })

  it('refuses what lies below a file', async () => {
    const file = join(folder, 'file')
    await writeFile(file, '')
    await expect(makeFolder(join(file, 'store'))).rejects.toMatchObject({ code: 'input.no-store' })
  })
})
