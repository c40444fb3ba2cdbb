import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readSecret } from './secret.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemail-secret-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function file(text: string): Promise<{ readonly kind: 'file'; readonly path: string }> {
  const path = join(folder, 'password')
  await writeFile(path, text)
  return { kind: 'file', path }
}

describe('readSecret', () => {
  it('takes the line break at the end of a file off, and nothing else', async () => {
    expect(await readSecret(await file(' p w \n'), {})).toBe(' p w ')
    expect(await readSecret(await file('pw\r\n'), {})).toBe('pw')
    expect(await readSecret(await file('pw\n\n'), {})).toBe('pw\n')
    expect(await readSecret(await file('pw'), {})).toBe('pw')
  })

  it('takes what a command prints, and a variable', async () => {
    expect(await readSecret({ kind: 'command', command: "printf 'p w\\n'" }, {})).toBe('p w')
    expect(await readSecret({ kind: 'variable', name: 'X' }, { X: 'pw' })).toBe('pw')
  })

  it('says that there is none', async () => {
    await expect(readSecret(null, {})).rejects.toMatchObject({ code: 'account.missing-secret' })
    await expect(readSecret(await file('\n'), {})).rejects.toMatchObject({ code: 'account.missing-secret' })
    await expect(readSecret({ kind: 'variable', name: 'X' }, {})).rejects.toMatchObject({ code: 'account.missing-secret' })
  })

  it('says that the file is missing', async () => {
    await expect(readSecret({ kind: 'file', path: join(folder, 'none') }, {})).rejects.toMatchObject({
      code: 'input.file-missing',
    })
  })

  // Verifies: I-SEC-1
  it('tells of a command that failed without what it printed', async () => {
    const error: unknown = await readSecret({ kind: 'command', command: 'echo geheim; echo geheim >&2; exit 3' }, {}).catch(
      (e: unknown) => e,
    )
    expect(error).toMatchObject({ code: 'account.missing-secret', message: 'The password command failed with status 3.' })
    expect(error).not.toHaveProperty('cause')
  })

  it('tells how a command ended that gave no password', async () => {
    const command = (text: string): Promise<string> => readSecret({ kind: 'command', command: text }, {})
    await expect(command('kill -TERM $$')).rejects.toThrow('The password command was killed by SIGTERM.')
    await expect(command('kill -KILL $$')).rejects.toThrow('The password command was killed by SIGKILL.')
    await expect(command('head -c 70000 /dev/zero')).rejects.toThrow('The password command printed more than 65536 octets.')
    await expect(command('no-such-command-here')).rejects.toThrow('The password command failed with status 127.')
  })
})
