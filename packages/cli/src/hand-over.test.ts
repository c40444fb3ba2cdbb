import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SyncError } from '@tidemail/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { connectOwner, isOwnerListening } from './hand-over.ts'
import { decodeRequest, encodeRequest } from './hand-over-codec.ts'
import type { OperationRequest } from './operation-request.ts'
import { type Accept, listenAsOwner } from './owner-socket.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemail-owner-'))
})
afterEach(() => rm(folder, { recursive: true }))

const EXPUNGE: OperationRequest = { verb: 'expunge', mailbox: 'INBOX', messages: '1' }

async function owned(accept: Accept, use: () => Promise<void>, directory = folder): Promise<void> {
  const owner = await listenAsOwner(directory, accept)
  expect(owner).not.toBeNull()
  try {
    await use()
  } finally {
    await owner?.close()
  }
}

describe('an operation handed over', () => {
  it.each<OperationRequest>([
    { verb: 'flag', mailbox: 'INBOX', messages: '1:3', add: ['\\Seen', '$Work'], remove: [], when: 'whatever' as const },
    { verb: 'move', mailbox: 'INBOX', messages: 'local:3', target: 'Årkiv "x"\n' },
    { verb: 'copy', mailbox: 'INBOX', messages: '1', target: '\\Trash' },
    EXPUNGE,
    { verb: 'append', mailbox: 'INBOX', flags: [], internalDate: -5, bytes: Buffer.from([0x41, 0xff, 0x0a, 0x0d]) },
    { verb: 'append', mailbox: 'INBOX', flags: [], internalDate: null, bytes: Buffer.from('x') },
    { verb: 'mailbox', action: 'create', mailbox: 'Projects/Ünï' },
    { verb: 'mailbox', action: 'rename', mailbox: '\\Archive', path: 'Old' },
    { verb: 'mailbox', action: 'unsubscribe', mailbox: 'Old' },
    { verb: 'delete', mailbox: 'INBOX', messages: '1', trash: null },
    { verb: 'delete', mailbox: 'INBOX', messages: '1', trash: '\\Archive' },
    { verb: 'draft', mailbox: null, replaces: null, bytes: Buffer.from([0x41, 0xff, 0x0a]) },
    { verb: 'draft', mailbox: 'Drafts', replaces: 'local:3', bytes: Buffer.from('x') },
    { verb: 'undo', seq: 7 },
    { verb: 'retry', seq: 7 },
    { verb: 'discard', seq: 7 },
    { verb: 'retarget', seq: 7, mailbox: 'Årkiv' },
  ])('is understood as it was meant: $verb', (request) => {
    expect(encodeRequest(request)).not.toContain('\n')
    expect(decodeRequest(encodeRequest(request))).toEqual(request)
  })

  it.each([
    '',
    'x',
    '{}',
    '[]',
    '{"v":2,"verb":"undo","seq":1}',
    '{"v":1,"verb":"sync"}',
    '{"v":1,"verb":"undo","seq":"1"}',
    '{"v":1,"verb":"expunge"}',
    '{"v":1,"verb":"delete","mailbox":"A","messages":"1"}',
    '{"v":1,"verb":"retarget","seq":1}',
    '{"v":1,"verb":"mailbox","action":"rename","mailbox":"A"}',
    '{"v":1,"verb":"mailbox","action":"burn","mailbox":"A"}',
  ])('is refused when it is %s', (line) => {
    expect(() => decodeRequest(line)).toThrow(expect.objectContaining({ code: 'store.in-use' }))
  })

  it('is accepted by the owner, in order', async () => {
    const seen: number[] = []
    const accept: Accept = async (request) => {
      if (request.verb === 'undo') seen.push(request.seq)
      return [{ seq: seen.length, description: 'done' }]
    }
    await owned(accept, async () => {
      const connection = await connectOwner(folder)
      const answers = [await connection?.accept({ verb: 'undo', seq: 5 }), await connection?.accept({ verb: 'undo', seq: 6 })]
      connection?.close()
      expect(answers).toEqual([[{ seq: 1, description: 'done' }], [{ seq: 2, description: 'done' }]])
    })
    expect(seen).toEqual([5, 6])
  })

  it('is refused with the code, the message and the hint of the owner', async () => {
    const accept: Accept = async () => {
      throw new SyncError('input.unknown-mailbox', 'There is none.', { hint: 'Look.' })
    }
    await owned(accept, async () => {
      const connection = await connectOwner(folder)
      await expect(connection?.accept(EXPUNGE)).rejects.toMatchObject({
        code: 'input.unknown-mailbox',
        message: 'There is none.',
        hint: 'Look.',
      })
      connection?.close()
    })
  })

  it('finds nobody where nobody listens, or a dead process left its socket', async () => {
    expect(await connectOwner(folder)).toBeNull()
    await writeFile(join(folder, 'owner.sock'), '')
    expect(await isOwnerListening(folder)).toBe(false)
    await owned(
      async () => [],
      async () => expect(await isOwnerListening(folder)).toBe(true),
    )
    expect(await isOwnerListening(folder)).toBe(false)
  })

  it('goes over a socket that is open to its user only', async () => {
    await chmod(folder, 0o755)
    await owned(
      async () => [],
      async () => expect((await stat(join(folder, 'owner.sock'))).mode & 0o777).toBe(0o600),
    )
  })

  it('is answered before the owner goes, however slow that is', async () => {
    let release = (): void => undefined
    const isReleased = new Promise<void>((resolve) => {
      release = resolve
    })
    let begun = (): void => undefined
    const isBegun = new Promise<void>((resolve) => {
      begun = resolve
    })
    const owner = await listenAsOwner(folder, async () => {
      begun()
      await isReleased
      return [{ seq: 1, description: 'late' }]
    })
    const connection = await connectOwner(folder)
    const answer = connection?.accept(EXPUNGE)
    await isBegun
    const isClosed = owner?.close()
    release()
    expect(await answer).toEqual([{ seq: 1, description: 'late' }])
    await isClosed
  })

  it('ends with the store in use when the owner dies before it answers', async () => {
    const accept: Accept = () => new Promise(() => undefined)
    const server = await listenAsOwner(folder, accept)
    expect(server).not.toBeNull()
    const connection = await connectOwner(folder)
    const answer = connection?.accept(EXPUNGE)
    connection?.close()
    await expect(answer).rejects.toMatchObject({ code: 'store.in-use' })
  })

  it('reaches an owner whose folder lies deeper than the path of a socket may be long', async () => {
    const deep = join(folder, ...Array.from({ length: 12 }, () => 'a-rather-long-name'))
    await mkdir(deep, { recursive: true })
    await owned(
      async () => [],
      async () => expect(await isOwnerListening(deep)).toBe(true),
      deep,
    )
  })

  it('does not disturb the owner when it is garbage or breaks off', async () => {
    await owned(
      async () => [{ seq: 1, description: 'fine' }],
      async () => {
        for (const text of ['garbage\n\n', '{"v":1']) {
          await new Promise<void>((resolve) => {
            const socket = createConnection(join(folder, 'owner.sock'), () => socket.end(text))
            socket.resume().once('close', () => resolve())
          })
        }
        const connection = await connectOwner(folder)
        expect(await connection?.accept(EXPUNGE)).toEqual([{ seq: 1, description: 'fine' }])
        connection?.close()
      },
    )
  })
})
