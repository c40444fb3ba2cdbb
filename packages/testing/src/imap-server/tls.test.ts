import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { connect as connectTcp, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RawImap } from '../raw-imap.ts'
import { makeCertificate } from '../servers/certificate.ts'
import { ImapServer } from './imap-server.ts'

describe('ImapServer over TLS', () => {
  let folder: string
  let tls: { key: string; cert: string }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tidemail-tls-'))
    const { keyFile, certFile } = await makeCertificate(folder)
    tls = { key: await readFile(keyFile, 'utf8'), cert: await readFile(certFile, 'utf8') }
  })

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  const next = (socket: Socket): Promise<string> =>
    new Promise((resolve) => socket.once('data', (chunk: Buffer) => resolve(chunk.toString('latin1'))))

  it('speaks TLS from the start', async () => {
    const server = await ImapServer.start({ users: { alice: 'secret' }, tls, implicitTls: true })
    const client = await RawImap.connect({ host: server.host, port: server.port, ca: tls.cert })
    expect(client.greeting).not.toContain('STARTTLS')
    await client.login({ name: 'alice', password: 'secret' })
    await client.ok('SELECT INBOX')
    client.close()
    await server.close()
  })

  it('changes over by STARTTLS, and forgets what was sent in clear behind it', async () => {
    const server = await ImapServer.start({ users: { alice: 'secret' }, tls })
    const clear = connectTcp(server.port, server.host)
    expect(await next(clear)).toContain('STARTTLS')
    clear.write('a STARTTLS\r\nb LOGIN alice secret\r\n')
    expect(await next(clear)).toMatch(/^a OK/)
    const secure = connectTls({ socket: clear, ca: tls.cert, servername: 'localhost' })
    secure.write('c CAPABILITY\r\n')
    const answer = await next(secure)
    expect(answer).toMatch(/^\* CAPABILITY /)
    expect(answer).not.toContain('STARTTLS')
    expect(answer).not.toMatch(/^b OK/m)
    secure.write('d SELECT INBOX\r\n')
    expect(await next(secure)).toMatch(/^d BAD/)
    secure.write('e LOGIN alice secret\r\n')
    expect(await next(secure)).toMatch(/^e OK/)
    expect(server.commands).toEqual(['a STARTTLS', 'c CAPABILITY', 'd SELECT INBOX', 'e LOGIN ***'])
    secure.destroy()
    await server.close()
  })
})
