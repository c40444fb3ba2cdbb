/** Names of mailboxes travel in the octets in which the server wrote them: modified UTF-7, UTF-8, or what else it takes for a name (RFC 3501 §5.1.3, RFC 6855). */

import { bodyId, type RemoteSession, type Step } from '@tidemail/core'
import { afterEach, describe, expect, it } from 'vitest'
import { type Peer, type ScriptedServer, startScript } from './scripted-server.ts'
import {
  BODIES,
  closeScripted,
  collect,
  connectScripted,
  FAR_FUTURE,
  ofKind,
  outcomes,
  remoteOf,
  step,
} from './scripted-session.ts'

const servers: ScriptedServer[] = []

afterEach(async () => {
  await closeScripted()
  await Promise.all(servers.splice(0).map((server) => server.close()))
})

/** As the octets of UTF-8, a character each. */
const octets = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')
const create = (id: string, path: string) => ({ kind: 'create', id, path, reason: 'a test', notAfter: FAR_FUTURE }) as const
const UTF8_HEADER = 'Subject: Grüße\r\n\r\nhello\r\n'
const ASCII_HEADER = 'Subject: hi\r\n\r\nGrüße\r\n'
/** Of a message that is its own id. */
function append(id: string, text: string): Step {
  const message = { bodyId: bodyId(text), sizeBytes: Buffer.byteLength(text), flags: ['\\Seen' as const] }
  return step.append(id, 1, { target: 'Grüße', messages: [{ ...message, internalDate: Date.UTC(2026, 1, 5, 10, 11, 12) }] })
}
const pathsOf = (seen: readonly { readonly kind: string }[]): readonly string[] =>
  seen.flatMap((item) => ('path' in item && item.kind === 'mailbox' ? [String(item.path)] : []))

async function listRawNames(peer: Peer): Promise<void> {
  const rows = ['Données', 'R&D', 'INBOX'].map((name) => `* LIST (\\HasNoChildren) "/" "${octets(name)}"`)
  await peer.answer('LIST "" "*"', ...rows, '* LIST () "/" "Entw&APw-rfe"', 'OK listed')
  await peer.answer('LSUB "" "*"', 'OK listed')
}

async function openRawNames(peer: Peer): Promise<void> {
  for (const name of ['Données', 'R&D'])
    await peer.answer(`EXAMINE "${octets(name)}"`, '* 0 EXISTS', '* OK [UIDVALIDITY 7] valid', 'OK [READ-ONLY] done')
  await peer.answer('EXAMINE "Entw&APw-rfe"', '* 0 EXISTS', '* OK [UIDVALIDITY 7] valid', 'OK [READ-ONLY] done')
}

const openings = ['Données', 'R&D', 'Entwürfe'].map(
  (path, index) => ({ kind: 'open', id: `${index}`, path, access: 'examine', reason: 'a test' }) as const,
)

function run(session: RemoteSession): Promise<string> {
  return collect(session.run(openings, { bodies: BODIES, signal: new AbortController().signal })).then(outcomes)
}

describe('a name that is no modified UTF-7', () => {
  it('is given back in the octets in which LIST told it', async () => {
    const { run: runSteps, session } = await connectScripted('UTF8=ACCEPT', async (peer) => {
      await listRawNames(peer)
      await openRawNames(peer)
    })
    const listed = await runSteps(step.list('list'))
    expect(pathsOf(listed)).toEqual(['Données', 'R&D', 'INBOX', 'Entwürfe'])
    expect(await run(session)).toBe('0:ok 1:ok 2:ok')
  })

  it('is written so before LIST, in a session that is told of it', async () => {
    const first = await connectScripted('', listRawNames)
    await first.run(step.list('list'))
    const { oddNames } = first.session.server
    expect(oddNames).toEqual(['Données', 'R&D'])
    const server = await startScript(async (peer) => {
      await peer.login('')
      await openRawNames(peer)
    })
    servers.push(server)
    const session = await remoteOf(server.port).connect(new AbortController().signal, [], oddNames)
    expect(await run(session)).toBe('0:ok 1:ok 2:ok')
    expect(session.server.oddNames).toEqual(oddNames)
  })

  it('is modified UTF-7 again once the server writes it so', async () => {
    const { run: runSteps, session } = await connectScripted('', async (peer) => {
      await listRawNames(peer)
      await peer.answer('LIST "" "*"', '* LIST () "/" "Donn&AOk-es"', 'OK listed')
      await peer.answer('LSUB "" "*"', 'OK listed')
      await peer.answer('STATUS "Donn&AOk-es"', 'OK done')
    })
    await runSteps(step.list('list'))
    await runSteps(step.list('again'))
    await runSteps(step.status('status', 'Données'))
    expect(session.server.oddNames).toEqual(['R&D'])
  })
})

describe('a server that offers UTF8=ACCEPT', () => {
  it('is spoken to in modified UTF-7: UTF-8 is not enabled (RFC 6855 §3)', async () => {
    const { run: runSteps, session } = await connectScripted('ENABLE CONDSTORE UTF8=ACCEPT', (peer) =>
      peer.answer('CREATE "Entw&APw-rfe"', 'OK made'),
    )
    expect(session.server.enabled).toEqual(['CONDSTORE'])
    expect(outcomes(await runSteps(create('create', 'Entwürfe')))).toBe('create:ok')
  })
})

describe('a server that takes UTF-8 only', () => {
  async function connect(capabilities: string, enable: string, script: (peer: Peer) => Promise<void>): Promise<RemoteSession> {
    const server = await startScript(async (peer) => {
      peer.send(`* OK [CAPABILITY IMAP4rev1 ${capabilities}] ready`)
      await peer.answer('LOGIN', `OK [CAPABILITY IMAP4rev1 ${capabilities}] welcome`)
      const tag = await peer.expect(enable)
      expect(peer.lines.at(-1)).toBe(`${tag} ${enable}`)
      peer.send(`* ${enable.replace('ENABLE', 'ENABLED')}`, `${tag} OK enabled`)
      await script(peer)
    })
    servers.push(server)
    return remoteOf(server.port).connect(new AbortController().signal)
  }

  async function carryOut(session: RemoteSession, ...steps: Parameters<RemoteSession['run']>[0]): Promise<string> {
    const bodies = { bytes: (id: string) => Promise.resolve(new TextEncoder().encode(id)) }
    return outcomes(await collect(session.run(steps, { bodies, signal: new AbortController().signal })))
  }

  it('is told so with QRESYNC in one command, and written to and read in UTF-8 (RFC 6855 §6)', async () => {
    const session = await connect('ENABLE QRESYNC CONDSTORE UTF8=ONLY', 'ENABLE QRESYNC UTF8=ACCEPT', async (peer) => {
      const rows = ['Données', 'Entw&APw-rfe'].map((name) => `* LIST () "/" "${octets(name)}"`)
      await peer.answer('LIST "" "*"', ...rows, 'OK listed')
      await peer.answer('LSUB "" "*"', 'OK listed')
      await peer.answer(`CREATE "${octets('Grüße')}"`, 'OK made')
      await peer.answer('DELETE "Entw&APw-rfe"', 'OK gone')
    })
    expect(session.server.enabled).toEqual(['QRESYNC', 'UTF8=ACCEPT', 'CONDSTORE'])
    const signal = new AbortController().signal
    const listed = await collect(session.run([step.list('list')], { bodies: BODIES, signal }))
    expect(pathsOf(listed)).toEqual(['Données', 'Entw&APw-rfe'])
    expect(session.server.oddNames).toBeUndefined()
    const gone = { ...create('delete', 'Entw&APw-rfe'), kind: 'delete' } as const
    expect(await carryOut(session, create('create', 'Grüße'), gone)).toBe('create:ok delete:ok')
    expect(ofKind(listed, 'done')).toHaveLength(1)
  })

  it('gets a message whose header is UTF-8 as such, and no other (RFC 6855 §4)', async () => {
    const session = await connect('LITERAL+ UTF8=ONLY', 'ENABLE UTF8=ACCEPT', async (peer) => {
      const date = '"05-Feb-2026 10:11:12 +0000"'
      const utf8 = await peer.expect(`APPEND "${octets('Grüße')}" (\\Seen) ${date} UTF8 (~{27+}`)
      expect(await peer.literal(27)).toBe(octets(UTF8_HEADER))
      expect(await peer.line()).toBe(')')
      peer.send(`${utf8} OK done`)
      const plain = await peer.expect(`APPEND "${octets('Grüße')}" (\\Seen) ${date} {24+}`)
      await peer.literal(24)
      expect(await peer.line()).toBe('')
      peer.send(`${plain} OK done`)
    })
    expect(await carryOut(session, append('first', UTF8_HEADER), append('second', ASCII_HEADER))).toBe('first:ok second:ok')
  })
})
