/** A session does without what was learnt against its server, from its start or from now on. */

import { type DistrustedCapability, type Observation, type RemoteSession, type Step, UidSet } from '@tidemail/core'
import { imapRemote } from '@tidemail/imap'
import { ImapServer, sampleMessages } from '@tidemail/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const against = (capability: string): DistrustedCapability => ({
  ...{ capability, reason: 'it lied', learntBy: 'examination' },
  ...{ since: 0, expiresAt: Number.MAX_SAFE_INTEGER },
})
const planned = (id: string) => ({ id, reason: 'a test', notAfter: Number.MAX_SAFE_INTEGER })

let server: ImapServer
let session: RemoteSession

beforeEach(async () => {
  server = await ImapServer.start({ users: { alice: 'secret' } })
  server.account('alice').inbox.append(sampleMessages({ count: 2, seed: 1 }))
})
afterEach(async () => {
  await session.close()
  await server.close()
})

async function connect(learnt?: readonly DistrustedCapability[]): Promise<void> {
  const remote = imapRemote({
    host: server.host,
    port: server.port,
    security: 'none',
    user: 'alice',
    secret: async () => 'secret',
  })
  session = await remote.connect(new AbortController().signal, learnt)
}

async function run(...steps: readonly Step[]): Promise<readonly Observation[]> {
  const seen: Observation[] = []
  const options = { bodies: { bytes: async () => new Uint8Array() }, signal: new AbortController().signal }
  for await (const item of session.run(steps, options)) seen.push(item)
  return seen
}

const sent = (): string => server.commands.join('\n')

async function moveAndExpunge(): Promise<readonly string[]> {
  const opened = (await run({ kind: 'open', id: 'open', reason: 'a test', path: 'INBOX', access: 'select' })).find(
    (item) => item.kind === 'opened',
  )
  if (opened === undefined) throw new Error('INBOX was not opened.')
  const { mailbox } = opened
  const uids = UidSet.of(1)
  const seen = await run(
    { ...planned('move'), kind: 'move', mailbox, uids, target: 'Archive' },
    { ...planned('expunge'), kind: 'expunge', mailbox, uids },
  )
  return seen.flatMap((item) => (item.kind === 'done' ? [`${item.id} ${item.outcome}`] : []))
}

// Verifies: FIELD-5
describe('a session', () => {
  it('uses what the server offers when nothing was learnt', async () => {
    await connect()
    expect(session.server.distrusted).toEqual([])
    expect(sent()).toContain('ENABLE QRESYNC')
    expect(await moveAndExpunge()).toEqual(['move ok', 'expunge ok'])
  })

  it('neither enables nor uses what it was told of when it began', async () => {
    await connect([against('QRESYNC'), against('MOVE')])
    expect(session.server.distrusted).toEqual([against('QRESYNC'), against('MOVE')])
    expect(session.server.enabled).toEqual(['CONDSTORE'])
    expect(await moveAndExpunge()).toEqual(['move rejected', 'expunge ok'])
    expect(sent()).not.toMatch(/QRESYNC|UID MOVE/)
  })

  it('does without what it is told of later', async () => {
    await connect()
    session.heed?.([against('MOVE'), against('UIDPLUS')])
    expect(await moveAndExpunge()).toEqual(['move rejected', 'expunge rejected'])
    expect(sent()).not.toMatch(/UID (MOVE|EXPUNGE)/)
  })
})
