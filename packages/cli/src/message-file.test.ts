import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkMessageFiles, MESSAGE_BYTES_MAX, readMessageFile, readMessageFrom } from './message-file.ts'

let folder: string
const never = new AbortController().signal

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemail-message-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function file(text: string): Promise<string> {
  const path = join(folder, 'message.eml')
  await writeFile(path, text)
  return path
}

describe('readMessageFile', () => {
  it('gives the bytes as they are', async () => {
    expect(Buffer.from(await readMessageFile(await file('Subject: x\n\nä'))).toString()).toBe('Subject: x\n\nä')
  })

  it.each([
    ['nothing', ''],
    ['NUL', 'Subject: x\n\na\0b'],
    ['no header field', 'hello there\n'],
    ['an empty line first', '\nSubject: x\n'],
  ])('refuses %s', async (_what, text) => {
    await expect(readMessageFile(await file(text))).rejects.toMatchObject({ code: 'input.bad-message' })
  })

  it('refuses what is not there, and folders', async () => {
    await expect(readMessageFile(join(folder, 'none'))).rejects.toMatchObject({ code: 'input.file-missing' })
    await expect(readMessageFile(folder)).rejects.toMatchObject({
      code: 'input.file-missing',
      message: expect.stringContaining('folder'),
    })
  })

  it('refuses a message over the limit, and stops reading what has no end', async () => {
    const path = await file('Subject: x\n')
    await truncate(path, MESSAGE_BYTES_MAX + 1)
    await expect(readMessageFile(path)).rejects.toMatchObject({ code: 'input.message-too-large' })
    await expect(readMessageFile('/dev/zero')).rejects.toMatchObject({ code: 'input.message-too-large' })
  })
})

describe('checkMessageFiles', () => {
  it('keeps what can be read only once, and nothing else', async () => {
    const pipe = join(folder, 'pipe')
    execFileSync('mkfifo', [pipe])
    const writing = writeFile(pipe, 'Subject: piped\n\nx')
    const path = await file('Subject: x\n')
    const held = await checkMessageFiles([path, pipe, pipe])
    await writing
    expect([...held].map(([name, bytes]) => [name, Buffer.from(bytes).toString()])).toEqual([[pipe, 'Subject: piped\n\nx']])
  })

  it('refuses all when one is no message', async () => {
    const bad = join(folder, 'bad.eml')
    await writeFile(bad, 'hello\n')
    await expect(checkMessageFiles([await file('Subject: x\n'), bad])).rejects.toMatchObject({ code: 'input.bad-message' })
  })
})

describe('readMessageFrom', () => {
  it('gathers the input', async () => {
    const bytes = await readMessageFrom(Readable.from([Buffer.from('Subject: x\n'), Buffer.from('\ny')]), never)
    expect(Buffer.from(bytes).toString()).toBe('Subject: x\n\ny')
  })

  it('ends when it is interrupted, however long the input lasts', async () => {
    const interruption = new AbortController()
    const reading = readMessageFrom(new Readable({ read() {} }), interruption.signal)
    interruption.abort()
    await expect(reading).rejects.toMatchObject({ code: 'engine.aborted' })
  })
})
