/** What parts cost on the wire, over whole sessions of the engine: octets of pieces after cuts, and bodies of messages in many mailboxes. */

import { type MessageReference, UidSet } from '@tidemail/core'
import { PART_PIECE_BYTES } from '@tidemail/planner'
import { afterEach, describe, expect, it } from 'vitest'
import { WireAccount, type WireAccountOptions } from './wire-account.ts'

const PIECES = 5
const SIZE = (PIECES - 1) * PART_PIECE_BYTES + 10_000
/** Of answers that are not the octets of the part: greetings, flags, structures. */
const OTHER_OCTETS_MAX = 20_000

let account: WireAccount

afterEach(() => account.close())

function film(): Uint8Array {
  const lines = Array.from({ length: Math.ceil(SIZE / 64) }, (_, i) => `${String(i).padStart(62, '0')}\r\n`)
  const head =
    'From: a@lab.example\r\nSubject: film\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n' +
    '--b\r\nContent-Type: text/plain\r\n\r\nText.\r\n--b\r\nContent-Type: video/mpeg\r\n\r\n'
  return new TextEncoder().encode(`${head}${lines.join('').slice(0, SIZE)}\r\n--b--\r\n`)
}

/** An account with the film in INBOX, synchronised without its parts. */
async function withFilm(options: WireAccountOptions = {}): Promise<MessageReference> {
  account = await WireAccount.open(options)
  account.model.inbox.append([{ bytes: film(), flags: [], internalDate: Date.UTC(2026, 0, 2) }])
  expect(await account.settle()).toBe('done')
  const [reference] = await account.references('INBOX')
  if (reference === undefined) throw new Error('There is no message.')
  return reference
}

/** The ranges that were asked for, in order, over all connections. */
function ranges(): readonly string[] {
  const sent = account.recorder.sessions.flat().filter(({ direction }) => direction === 'up')
  return sent.flatMap(({ text }) => /BODY\.PEEK\[2\](<[^>]*>)/.exec(text)?.[1] ?? [])
}

describe('a large part on the wire', () => {
  // Verifies: DC-4549-5.2-3a, DC-4549-4.6
  it('costs its octets once, whenever the connection was cut, and what was cut off once more', async () => {
    const reference = await withFilm()
    const { proxy } = account
    let octets = 0
    for (const cut of [1.5, 1.2, 0.7]) {
      proxy.reset()
      proxy.setFault({ kind: 'cut-after', direction: 'down', bytes: Math.floor(cut * PART_PIECE_BYTES), how: 'fin' })
      await expect(account.engine.fetchPart(reference, '2')).rejects.toMatchObject({ code: 'remote.disconnected' })
      octets += proxy.counts().bytesDown
      await account.reopen()
    }
    proxy.setFault(null)
    proxy.reset()
    const bytes = await account.engine.fetchPart(reference, '2')
    octets += proxy.counts().bytesDown
    expect(bytes).toHaveLength(SIZE)
    // The cuts came in the middle of a piece: half, two tenths and seven tenths of one were lost.
    const lost = 1.4 * PART_PIECE_BYTES
    expect(octets).toBeGreaterThan(SIZE)
    expect(octets).toBeLessThan(SIZE + lost + OTHER_OCTETS_MAX)
  })

  it('asks for each piece by itself, and for none that is here', async () => {
    const reference = await withFilm()
    await account.engine.fetchPart(reference, '2')
    await account.reopen()
    await account.engine.fetchPart(reference, '2')
    expect(ranges()).toEqual(Array.from({ length: PIECES }, (_, i) => `<${i * PART_PIECE_BYTES}.${PART_PIECE_BYTES}>`))
  })
})

describe.each([
  { server: 'with EMAILID', options: {} },
  { server: 'like Gmail', options: { without: ['OBJECTID', 'QRESYNC'], adds: ['X-GM-EXT-1'] } },
] as const)('a message in three mailboxes of a server $server', ({ options }) => {
  // Verifies: DC-8474-8.3b
  it('is downloaded once, and not again when a rival moves it', async () => {
    account = await WireAccount.open({ ...options, engine: { policy: { bodies: 'text' } } })
    account.arrive('INBOX')
    account.model.copy(account.model.inbox, UidSet.of(1), 'Archive')
    account.model.copy(account.model.inbox, UidSet.of(1), 'Work')
    expect(await account.settle()).toBe('done')
    expect(bodiesAsked()).toBe(1)
    account.model.move(account.model.inbox, UidSet.of(1), 'Trash')
    expect(await account.settle()).toBe('done')
    expect(bodiesAsked()).toBe(1)
    for (const path of ['Archive', 'Work', 'Trash']) {
      const [reference] = await account.references(path)
      if (reference === undefined) throw new Error(`There is no message in ${path}.`)
      expect(Buffer.from((await account.engine.part(reference, '1')) ?? []).toString()).toBe('Text.\r\n')
    }
  })

  function bodiesAsked(): number {
    const sent = account.recorder.sessions.flat().filter(({ direction }) => direction === 'up')
    return sent.filter(({ text }) => text.includes('BODY.PEEK[')).length
  }
})

it('asks for X-GM-MSGID only where the server has it and no EMAILID', async () => {
  account = await WireAccount.open({ adds: ['X-GM-EXT-1'] })
  account.arrive('INBOX')
  await account.settle()
  expect(JSON.stringify(account.recorder.sessions)).toContain('EMAILID')
  expect(JSON.stringify(account.recorder.sessions)).not.toContain('X-GM-MSGID')
})
