/** What the examination finds on the servers that can be run here. */

import { type Examination, examineServer, type Verdict } from '@tidemail/engine'
import { FaultProxy, RawImap, type RealServer, type RealServerName, SERVER_MASKS, type TestUser } from '@tidemail/testing'
import { expect, it } from 'vitest'
import { ALL_SERVERS, onServers } from '../e2e/real-servers.ts'
import { SessionRecorder } from '../wire/session-recorder.ts'
import { describeBreaches, lintTranscripts, OF_AN_EXAMINATION } from '../wire/transcript-lint.ts'

type Verdicts = Readonly<Record<string, Verdict>>

const ALL_AS_CLAIMED: Verdicts = Object.fromEntries(
  [
    'enable listing-lag append-uid date-and-size search list-status mod-sequences changed-flags',
    'vanished uid-expunge copy-uid move permanent-flags names large-message idle',
  ].flatMap((ids) => ids.split(' ').map((id) => [id, 'as claimed'])),
)
const notOffered = (ids: string): Verdicts => Object.fromEntries(ids.split(' ').map((id) => [id, 'not offered']))

const EXPECTED: Readonly<Record<RealServerName, Verdicts>> = {
  dovecot: ALL_AS_CLAIMED,
  cyrus: ALL_AS_CLAIMED,
  courier: { ...ALL_AS_CLAIMED, ...notOffered('enable list-status mod-sequences changed-flags vanished move') },
}

async function examined(user: TestUser, port: number, idleMs: number): Promise<Examination> {
  const recorder = new SessionRecorder()
  const { name, password } = user
  const remote = recorder.remote({ host: '127.0.0.1', port, security: 'none', user: name, secret: async () => password })
  const examination = await examineServer({ remote, idleMs })
  expect(describeBreaches(lintTranscripts(recorder.sessions, { exempt: OF_AN_EXAMINATION }))).toEqual([])
  return examination
}

function verdicts({ findings }: Examination): Verdicts {
  return Object.fromEntries(findings.map(({ id, verdict }) => [id, verdict]))
}

async function leftOn({ host, port }: RealServer, user: TestUser): Promise<readonly string[]> {
  const raw = await RawImap.connect({ host, port })
  await raw.login(user)
  const { lines } = await raw.ok('LIST "" "*"')
  raw.close()
  return lines.map(({ text }) => text).filter((text) => text.includes('doctor'))
}

// Verifies: FIELD-5
onServers(ALL_SERVERS, (server, name) => {
  it('finds what it does against what it claims, and leaves nothing behind', async () => {
    const user = server().user()
    const examination = await examined(user, server().port, 1_000)
    expect(verdicts(examination)).toEqual(EXPECTED[name])
    expect(examination.profile.distrusted).toEqual([])
    expect(examination.leftovers).toEqual([])
    expect(await leftOn(server(), user)).toEqual([])
  })
})

onServers(['dovecot'], (server) => {
  it('finds an ENABLE that is never confirmed', async () => {
    const { host, port } = server()
    const proxy = await FaultProxy.start({ host, port, mask: SERVER_MASKS.icloud })
    const user = server().user()
    const examination = await examined(user, proxy.port, 0)
    await proxy.close()
    expect(verdicts(examination)).toEqual({
      ...ALL_AS_CLAIMED,
      ...{ enable: 'missing', vanished: 'missing', idle: 'not checked' },
      ...notOffered('move list-status'),
    })
    expect(examination.profile.distrusted.map(({ capability }) => capability)).toEqual(['QRESYNC'])
    expect(await leftOn(server(), user)).toEqual([])
  })
})
