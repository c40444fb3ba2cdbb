import { connect, createServer, type Server, type Socket } from 'node:net'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { FaultProxy, type FaultProxyOptions } from './fault-proxy.ts'
import type { CutHow } from './fault-proxy-fault.ts'
import { ImapLineSplitter, type Piece } from './imap-line-splitter.ts'
import { RawImap } from './raw-imap.ts'

/** What the scripted server heard on one connection, and how the connection ended. */
interface Heard {
  bytes: string
  lines: string[]
  end: 'open' | 'fin' | 'rst'
}

type Script = (line: string, socket: Socket) => string

const OPENED: (() => Promise<void> | void)[] = []
const ok = (line: string): string => (line === '' ? '' : `${line.split(' ', 1)[0]} OK done\r\n`)

afterEach(async () => {
  for (const close of OPENED.splice(0).reverse()) await close()
})

/** Answers each complete line (literals are skipped as a server would) with what the script says. */
async function scriptedServer(script: Script): Promise<{ readonly port: number; readonly heard: Heard[] }> {
  const heard: Heard[] = []
  const sockets = new Set<Socket>()
  const server: Server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    const hears: Heard = { bytes: '', lines: [], end: 'open' }
    heard.push(hears)
    let unread = ''
    let skip = 0
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      hears.bytes += chunk
      unread += chunk
      for (;;) {
        const literal = Math.min(skip, unread.length)
        unread = unread.slice(literal)
        skip -= literal
        const end = unread.indexOf('\r\n')
        if (skip > 0 || end === -1) return
        const line = unread.slice(0, end)
        unread = unread.slice(end + 2)
        const size = /\{(\d+)(\+?)\}$/.exec(line)
        hears.lines.push(line)
        const answer = script(line, socket)
        // A script that refuses a literal answers with a tag, and the literal does not come.
        if (size !== null && (size[2] === '+' || answer.startsWith('+'))) skip = Number(size[1])
        if (answer !== '') socket.write(answer, 'latin1')
      }
    })
    socket.on('end', () => {
      hears.end = 'fin'
    })
    socket.on('error', () => {
      hears.end = 'rst'
    })
    socket.write('* OK [CAPABILITY IMAP4rev1 LITERAL+ MOVE IDLE AUTH=PLAIN STARTTLS] hello\r\n')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  OPENED.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { port: address.port, heard }
}

async function proxied(script: Script, options: Omit<FaultProxyOptions, 'host' | 'port'> = {}) {
  const server = await scriptedServer(script)
  const proxy = await FaultProxy.start({ host: '127.0.0.1', port: server.port, ...options })
  OPENED.push(() => proxy.close())
  return { proxy, heard: server.heard }
}

async function rawClient(proxy: FaultProxy): Promise<RawImap> {
  const client = await RawImap.connect({ host: '127.0.0.1', port: proxy.port, silenceMs: 5_000 })
  OPENED.push(() => client.close())
  return client
}

/** A bare socket that says all it received once the connection has ended. */
function bareClient(proxy: FaultProxy): {
  readonly socket: Socket
  readonly ended: Promise<{ text: string; how: 'fin' | 'rst' }>
} {
  const socket = connect({ host: '127.0.0.1', port: proxy.port, noDelay: true })
  OPENED.push(() => {
    socket.destroy()
  })
  let text = ''
  socket.setEncoding('latin1')
  socket.on('data', (chunk: string) => {
    text += chunk
  })
  const ended = new Promise<{ text: string; how: 'fin' | 'rst' }>((resolve) => {
    socket.on('end', () => resolve({ text, how: 'fin' }))
    socket.on('error', () => resolve({ text, how: 'rst' }))
  })
  return { socket, ended }
}

const GREETING = '* OK [CAPABILITY IMAP4rev1 LITERAL+ MOVE IDLE AUTH=PLAIN STARTTLS] hello\r\n'

describe('counting', () => {
  it('counts bytes, commands and turns exactly and leaves the greeting out of the turns', async () => {
    const { proxy } = await proxied(ok)
    const client = await rawClient(proxy)
    await client.ok('NOOP')
    await client.ok('NOOP')
    const sent = 'r1 NOOP\r\nr2 NOOP\r\n'.length
    const received = GREETING.length + 'r1 OK done\r\nr2 OK done\r\n'.length
    expect(proxy.counts()).toEqual({ connections: 1, bytesUp: sent, bytesDown: received, commands: 2, turns: 2, faults: 0 })
    proxy.reset()
    expect(proxy.counts().commands).toBe(0)
    expect(proxy.commands).toEqual([])
  })

  it('counts commands sent together as one turn', async () => {
    const { proxy } = await proxied(ok, { pace: { delayMs: { down: 30 } } })
    const { socket } = bareClient(proxy)
    await new Promise((resolve) => socket.once('data', resolve))
    socket.write('a NOOP\r\nb NOOP\r\nc NOOP\r\n')
    await new Promise((resolve) => socket.once('data', resolve))
    expect(proxy.counts()).toMatchObject({ commands: 3, turns: 1 })
  })

  it('records command names and lines without literals and without secrets', async () => {
    const challenge: Script = (line) =>
      line.includes('AUTHENTICATE') ? '+ \r\n' : line === 'c2VjcmV0' ? 'b OK in\r\n' : ok(line)
    const { proxy } = await proxied(challenge)
    const { socket } = bareClient(proxy)
    socket.write('a LOGIN ada {6+}\r\nsecret {3+}\r\nxyz\r\n')
    socket.write('b AUTHENTICATE PLAIN\r\nc2VjcmV0\r\n')
    socket.write('c UID FETCH 1:* FLAGS\r\nd APPEND INBOX {12+}\r\ne NOOP\r\nabcd\r\nf IDLE\r\nDONE\r\n')
    await until(() => proxy.counts().commands === 5)
    expect(proxy.commands.map(({ name, line }) => [name, line])).toEqual([
      ['LOGIN', 'a LOGIN ***'],
      ['AUTHENTICATE', 'b AUTHENTICATE ***'],
      ['UID FETCH', 'c UID FETCH 1:* FLAGS'],
      ['APPEND', 'd APPEND INBOX {12+}'],
      ['IDLE', 'f IDLE'],
    ])
  })

  it('reads the next command after a refused synchronising literal', async () => {
    const { proxy } = await proxied((line) => (line.includes('APPEND') ? 'r1 NO [OVERQUOTA] full\r\n' : ok(line)))
    const client = await rawClient(proxy)
    const answer = await client.command(['APPEND INBOX ', Buffer.alloc(40, 'x')])
    expect(answer.status).toBe('NO')
    await client.ok('NOOP')
    expect(proxy.commands.map((command) => command.line)).toEqual(['r1 APPEND INBOX {40}', 'r2 NOOP'])
  })
})

describe('cutting', () => {
  it.each<CutHow>(['rst', 'fin'])('hands on exactly N bytes downwards, then ends by %s on both sides', async (how) => {
    const { proxy, heard } = await proxied(ok)
    const { socket, ended } = bareClient(proxy)
    await new Promise((resolve) => socket.once('data', resolve))
    proxy.setFault({ kind: 'cut-after', direction: 'down', bytes: 7, how })
    socket.write('a NOOP\r\n')
    expect(await ended).toEqual({ text: `${GREETING}a OK do`, how })
    await until(() => heard[0]?.end === how)
    expect(proxy.counts().faults).toBe(1)
  })

  it('hands on exactly N bytes upwards, also in the middle of a literal', async () => {
    const { proxy, heard } = await proxied(ok)
    const { socket, ended } = bareClient(proxy)
    proxy.setFault({ kind: 'cut-after', direction: 'up', bytes: 30, how: 'fin' })
    socket.write(`a APPEND INBOX {20+}\r\n${'x'.repeat(20)}\r\n`)
    await ended
    await until(() => heard[0]?.end === 'fin')
    expect(heard[0]?.bytes).toBe(`a APPEND INBOX {20+}\r\n${'x'.repeat(8)}`)
  })

  it('falls silent without closing when told to stall', async () => {
    const { proxy, heard } = await proxied(ok)
    const client = await RawImap.connect({ host: '127.0.0.1', port: proxy.port, silenceMs: 150 })
    OPENED.push(() => client.close())
    proxy.setFault({ kind: 'cut-after', direction: 'down', bytes: 3, how: 'stall' })
    await expect(client.command('NOOP')).rejects.toThrow('silent')
    expect(heard[0]?.lines).toEqual(['r1 NOOP'])
  })

  it('counts from a command on, when told to: its own octets, or what follows the answers before it', async () => {
    for (const direction of ['up', 'down'] as const) {
      const { proxy, heard } = await proxied(ok)
      const { socket, ended } = bareClient(proxy)
      await new Promise((resolve) => socket.once('data', resolve))
      proxy.setFault({ kind: 'cut-after', direction, bytes: 4, how: 'fin', from: 'NOOP', nth: 2 })
      socket.write('a NOOP\r\nb CHECK\r\n')
      await until(() => heard[0]?.lines.length === 2)
      socket.write('c NOOP\r\nd CHECK\r\n')
      const { text } = await ended
      await until(() => heard[0]?.end === 'fin')
      if (direction === 'up') expect(heard[0]?.bytes).toBe('a NOOP\r\nb CHECK\r\nc NO')
      else expect(text).toMatch(/^\* OK [\s\S]*\r\na OK done\r\nb OK done\r\nc OK$/)
    }
  })

  it('ends a silent connection when told to cut after all', async () => {
    const { proxy, heard } = await proxied(ok)
    const { socket, ended } = bareClient(proxy)
    await new Promise((resolve) => socket.once('data', resolve))
    const struck = proxy.nextFault()
    proxy.setFault({ kind: 'cut-after', direction: 'up', bytes: 3, how: 'stall' })
    socket.write('a NOOP\r\n')
    await struck
    proxy.cut('rst')
    expect((await ended).how).toBe('rst')
    await until(() => heard[0]?.end === 'rst')
  })

  it('strikes once: the next connection is whole', async () => {
    const { proxy } = await proxied(ok)
    const first = await rawClient(proxy)
    const struck = proxy.nextFault()
    proxy.setFault({ kind: 'cut-after', direction: 'down', bytes: 0, how: 'rst' })
    await expect(first.command('NOOP')).rejects.toThrow()
    await struck
    await expect((await rawClient(proxy)).ok('NOOP')).resolves.toMatchObject({ status: 'OK' })
  })

  it('refuses connections until told otherwise', async () => {
    const { proxy, heard } = await proxied(ok)
    proxy.setFault({ kind: 'refuse-connections' })
    await expect(rawClient(proxy)).rejects.toThrow()
    await expect(rawClient(proxy)).rejects.toThrow()
    expect(heard).toEqual([])
    proxy.setFault(null)
    expect((await rawClient(proxy)).greeting).toContain('OK')
  })
})

describe('losing a command', () => {
  const moving: Script = (line) => (line.includes('MOVE') ? '* OK [COPYUID 1 2 3] moved\r\n* 1 EXPUNGE\r\n' : '') + ok(line)

  it('lets the server carry the command out and keeps the tagged reply from the client', async () => {
    const { proxy, heard } = await proxied(moving)
    const { socket, ended } = bareClient(proxy)
    proxy.setFault({ kind: 'lose-answer', command: 'UID MOVE', how: 'rst' })
    socket.write('a NOOP\r\nb UID MOVE 1 T\r\n')
    expect((await ended).text).toBe(`${GREETING}a OK done\r\n* OK [COPYUID 1 2 3] moved\r\n* 1 EXPUNGE\r\n`)
    expect(heard[0]?.lines).toEqual(['a NOOP', 'b UID MOVE 1 T'])
  })

  it('keeps the untagged answers back too when everything is to be lost', async () => {
    const { proxy, heard } = await proxied(moving)
    const { socket, ended } = bareClient(proxy)
    proxy.setFault({ kind: 'lose-answer', command: 'UID MOVE', how: 'fin', loses: 'everything' })
    socket.write('a NOOP\r\nb UID MOVE 1 T\r\n')
    expect((await ended).text).toBe(`${GREETING}a OK done\r\n`)
    expect(heard[0]?.lines).toEqual(['a NOOP', 'b UID MOVE 1 T'])
  })

  it('loses the answer of an APPEND although its go-ahead passed', async () => {
    const appending: Script = (line) => (line.endsWith('}') ? '+ go\r\n' : line === '' ? 'r1 OK [APPENDUID 1 9] done\r\n' : '')
    const { proxy, heard } = await proxied(appending)
    const client = await rawClient(proxy)
    proxy.setFault({ kind: 'lose-answer', command: 'append', how: 'rst', loses: 'everything' })
    await expect(client.command(['APPEND INBOX ', Buffer.from('hello')])).rejects.toThrow()
    expect(heard[0]?.bytes).toBe('r1 APPEND INBOX {5}\r\nhello\r\n')
  })

  it('never forwards a lost request, and answers what came before it', async () => {
    const { proxy, heard } = await proxied(moving)
    const { socket, ended } = bareClient(proxy)
    proxy.setFault({ kind: 'lose-request', command: 'UID MOVE', nth: 2, how: 'fin' })
    socket.write('a UID MOVE 1 T\r\nb NOOP\r\nc UID MOVE 2 T\r\nd NOOP\r\n')
    expect((await ended).text).toMatch(/a OK done\r\nb OK done\r\n$/)
    expect(heard[0]?.lines).toEqual(['a UID MOVE 1 T', 'b NOOP'])
  })
})

describe('somebody who acts meanwhile', () => {
  /** What the server heard, and who acted, in the order in which it happened. */
  async function session(at: 'request' | 'reply') {
    const seen: string[] = []
    const { proxy } = await proxied((line) => {
      seen.push(line)
      return ok(line)
    })
    const client = await rawClient(proxy)
    const act = async (): Promise<void> => {
      seen.push('begins')
      // Through the same proxy, with the same command: it waits for nobody.
      const other = await rawClient(proxy)
      other.send('o1 UID FETCH 9 (FLAGS)\r\n')
      await other.nextResponse()
      seen.push('ends')
    }
    proxy.setInterludes([{ command: 'UID FETCH', at, act }])
    client.send('a1 SELECT INBOX\r\na2 UID FETCH 1 (FLAGS)\r\na3 UID FETCH 2 (FLAGS)\r\n')
    const replies = []
    for (let i = 0; i < 3; i += 1) replies.push((await client.nextResponse()).text.split(' ', 1)[0])
    expect(replies).toEqual(['a1', 'a2', 'a3'])
    return seen
  }

  it('does so once, when all before the command is answered and it has not been heard', async () => {
    const acts = ['begins', 'o1 UID FETCH 9 (FLAGS)', 'ends']
    expect(await session('request')).toEqual(['a1 SELECT INBOX', ...acts, 'a2 UID FETCH 1 (FLAGS)', 'a3 UID FETCH 2 (FLAGS)'])
  })

  it('does so once, when the server has carried the command out and its reply is on the way', async () => {
    const seen = await session('reply')
    expect(seen.filter((one) => one === 'begins')).toHaveLength(1)
    expect(seen.indexOf('begins')).toBeGreaterThan(seen.indexOf('a2 UID FETCH 1 (FLAGS)'))
  })

  it('lets the session go on when he fails', async () => {
    const { proxy } = await proxied(ok)
    const client = await rawClient(proxy)
    proxy.setInterludes([{ command: 'NOOP', at: 'request', act: () => Promise.reject(new Error('no')) }])
    expect((await client.command('NOOP')).status).toBe('OK')
  })
})

describe('pace', () => {
  it('delays by flight time, however many chunks the answer has', async () => {
    const inChunks: Script = (line, socket) => {
      for (let count = 0; count < 20; count += 1) socket.write('* 1 EXISTS\r\n')
      return ok(line)
    }
    const { proxy } = await proxied(inChunks, { pace: { delayMs: { up: 40, down: 40 } } })
    const client = await rawClient(proxy)
    const start = performance.now()
    await client.ok('NOOP')
    const tookMs = performance.now() - start
    expect(tookMs).toBeGreaterThanOrEqual(78)
    expect(tookMs).toBeLessThan(300)
  })

  it('throttles to the rate given', async () => {
    const big = `* 1 FETCH (BODY[] {100000}\r\n${'x'.repeat(100_000)})\r\n`
    const { proxy } = await proxied((line) => big + ok(line), { pace: { bytesPerSecond: { down: 500_000 } } })
    const client = await rawClient(proxy)
    const start = performance.now()
    const { lines } = await client.ok('FETCH 1 BODY[]')
    const tookMs = performance.now() - start
    expect(lines[0]?.literals[0]?.length).toBe(100_000)
    expect(tookMs).toBeGreaterThanOrEqual(195)
    expect(tookMs).toBeLessThan(600)
  })
})

describe('rewriting and masks', () => {
  it('rewrites and drops lines, and leaves literals that look like lines alone', async () => {
    const body = '* OK [X] no line\r\n'
    const answering: Script = (line) =>
      `* 1 FETCH (BODY[] {${body.length}}\r\n${body} UID 7)\r\n* 2 EXISTS\r\n* 3 RECENT\r\n${ok(line)}`
    const { proxy } = await proxied(answering, {
      rewriteLine: (line) => (line.includes('RECENT') ? null : line.replace('UID 7', 'UID 8').replace('no line', 'CHANGED')),
    })
    const { lines } = await (await rawClient(proxy)).ok('NOOP')
    expect(lines.map((line) => line.text)).toEqual([`* 1 FETCH (BODY[] {${body.length}} UID 8)`, '* 2 EXISTS'])
    expect(lines[0]?.literals[0]?.toString()).toBe(body)
  })

  it('rewrites commands, but neither literals nor what follows them, and remembers what the client sent', async () => {
    const { proxy, heard } = await proxied(ok, {
      mask: { capabilities: ['LITERAL+'] },
      rewriteCommand: (line) => line.replace('OLD', 'NEW').replace('UID FETCH 1 (X)', 'UID FETCH 1 (MODSEQ)'),
    })
    const client = await rawClient(proxy)
    await client.ok('APPEND OLD {5+}\r\nOLD\r\n')
    await client.ok('APPEND OLD {3+}\r\nOLD OLD')
    // The mask judges what the client says, and would not let pass what is made of it.
    await client.ok('UID FETCH 1 (X)')
    expect(heard[0]?.lines).toEqual(['r1 APPEND NEW {5+}', '', 'r2 APPEND NEW {3+}', ' OLD', 'r3 UID FETCH 1 (MODSEQ)'])
    expect(proxy.commands.map(({ line }) => line)).toEqual(['r1 APPEND OLD {5+}', 'r2 APPEND OLD {3+} OLD', 'r3 UID FETCH 1 (X)'])
  })

  it('answers refused commands itself, literals and all', async () => {
    const { proxy, heard } = await proxied(ok, { refuse: ['append', 'UID MOVE'] })
    const client = await rawClient(proxy)
    expect((await client.command(['APPEND INBOX ', Buffer.from('abc')])).status).toBe('BAD')
    expect((await client.command('APPEND INBOX {3+}\r\nabc')).status).toBe('BAD')
    expect((await client.command('UID MOVE 1 T')).status).toBe('BAD')
    await client.ok('MOVE 1 T')
    expect(heard[0]?.lines).toEqual(['r4 MOVE 1 T'])
  })

  it('hides capabilities, response codes and mod-sequences, and does not know hidden commands', async () => {
    const rich: Script = (line) => {
      if (line.includes('LOGIN')) return 'r1 OK [CAPABILITY IMAP4rev1 UIDPLUS ENABLE CONDSTORE QRESYNC MOVE] in\r\n'
      if (line.includes('SELECT'))
        return '* OK [HIGHESTMODSEQ 9] x\r\n* OK [PERMANENTFLAGS (\\Seen \\*)] y\r\nr3 OK [READ-WRITE] s\r\n'
      if (line.includes('FETCH'))
        return '* 1 FETCH (UID 4 MODSEQ (12) FLAGS ())\r\n* 2 FETCH (MODSEQ (13) UID 5)\r\nr4 OK [HIGHESTMODSEQ 9] f\r\n'
      if (line.includes('COPY')) return 'r5 OK [COPYUID 1 2 3] copied\r\n'
      return ok(line)
    }
    const mask = { capabilities: ['ENABLE'], claims: ['XYM'], strip: ['HIGHESTMODSEQ', 'MODSEQ', 'COPYUID', 'CUSTOM-KEYWORDS'] }
    const { proxy, heard } = await proxied(rich, { mask })
    const client = await rawClient(proxy)
    expect(client.greeting).toBe('* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN XYM] hello')
    expect((await client.ok('LOGIN a b')).text).toBe('[CAPABILITY IMAP4rev1 ENABLE XYM] in')
    await client.ok('ENABLE QRESYNC CONDSTORE')
    expect((await client.ok('SELECT INBOX')).lines.map((line) => line.text)).toEqual(['* OK [PERMANENTFLAGS (\\Seen)] y'])
    const fetched = await client.ok('UID FETCH 1:* FLAGS')
    expect([...fetched.lines.map((line) => line.text), fetched.text]).toEqual([
      '* 1 FETCH (UID 4 FLAGS ())',
      '* 2 FETCH (UID 5)',
      'f',
    ])
    expect((await client.ok('UID COPY 2 T')).text).toBe('copied')
    for (const hidden of [
      'UID MOVE 1 T',
      'UID EXPUNGE 1',
      'SELECT INBOX (QRESYNC (1 2))',
      'UID FETCH 1:* (FLAGS) (CHANGEDSINCE 3)',
      'IDLE',
    ]) {
      expect((await client.command(hidden)).status).toBe('BAD')
    }
    expect(heard[0]?.lines).toEqual([
      'r1 LOGIN a b',
      'r2 ENABLE X-NOTHING',
      'r3 SELECT INBOX',
      'r4 UID FETCH 1:* FLAGS',
      'r5 UID COPY 2 T',
    ])
  })

  it('passes bytes on unread after STARTTLS', async () => {
    const { proxy } = await proxied((line) => (line.startsWith('b') ? '\x16\x03garbage without a line end' : ok(line)))
    const { socket } = bareClient(proxy)
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.write('a STARTTLS\r\n')
    await until(() => text.includes('a OK'))
    socket.write('b hello\r\n')
    await until(() => text.endsWith('line end'))
    expect(proxy.counts().commands).toBe(1)
  })
})

describe('the splitter', () => {
  it('finds the same lines and literals wherever the bytes are cut', () => {
    const stream = Buffer.from(
      `* 1 FETCH (BODY[] {10}\r\na\r\nb {3}\r\n)\r\n* OK text ends {5}\r\n* LIST () "/" {0}\r\n\r\nt1 OK done {3}\r\n+ go {2}\r\n* 2 EXISTS\r\n`,
    )
    const expected = shape([stream])
    expect(expected.map(([kind]) => kind)).toEqual(['line', 'literal', 'line', 'line', 'line', 'line', 'line', 'line', 'line'])
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length)), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), stream.length]
        expect(shape(at.slice(1).map((end, index) => stream.subarray(at[index], end)))).toEqual(expected)
      }),
    )
  })
})

/** Kinds and texts, the parts of one literal put together. */
function shape(chunks: readonly Buffer[]): [string, string][] {
  const splitter = new ImapLineSplitter('server')
  const rows: [string, string][] = []
  for (const piece of chunks.flatMap((chunk): readonly Piece[] => splitter.push(chunk))) {
    const last = rows.at(-1)
    if (piece.kind === 'literal' && last?.[0] === 'literal') last[1] += piece.bytes.toString('latin1')
    else rows.push([piece.kind, piece.bytes.toString('latin1')])
  }
  return rows
}

/** Looks again on every turn of the event loop; the test's own deadline bounds it. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}
