import { Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { streamOutput } from './output.ts'

describe('streamOutput', () => {
  it('writes lines in order and in few pieces', async () => {
    const pieces: string[] = []
    const output = streamOutput(
      new Writable({
        write(piece: Buffer, _encoding, done) {
          pieces.push(piece.toString())
          done()
        },
      }),
    )
    for (let i = 0; i < 10_000; i += 1) await output.line(String(i))
    await output.flush()
    expect(pieces.join('').split('\n').slice(0, -1)).toEqual(Array.from({ length: 10_000 }, (_, i) => String(i)))
    expect(pieces.length).toBeLessThan(10)
  })

  it('tells when nobody reads any more', async () => {
    const broken = new Writable({
      write: (_piece, _encoding, done) => done(Object.assign(new Error('EPIPE'), { code: 'EPIPE' })),
    })
    const output = streamOutput(broken)
    await output.line('x')
    await expect(output.flush()).rejects.toMatchObject({ code: 'output.closed' })
  })
})
