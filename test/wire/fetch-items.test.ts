/** Holds docs/spec/fetch-items.md to what the adapter sends: which items each kind of fetch asks for, by what the server can. */

import { readFileSync } from 'node:fs'
import { imapRemote } from '@tidemail/imap'
import { ImapServer, type ImapServerOptions } from '@tidemail/testing'
import { expect, it } from 'vitest'
import { BODIES, SECRET, step } from './scripted-session.ts'

const page = readFileSync(new URL('../../docs/spec/fetch-items.md', import.meta.url), 'utf8')
const [[, ...columns] = [], , ...rows] = page
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) => line.split('|').slice(1, -1))
  .map((cells) => cells.map((cell) => cell.replaceAll('`', '').trim()))

const SERVERS: Readonly<Record<string, Pick<ImapServerOptions, 'without' | 'adds'>>> = {
  base: { without: ['CONDSTORE', 'QRESYNC', 'OBJECTID'] },
  'with CONDSTORE': { without: ['OBJECTID'] },
  'with OBJECTID too': {},
  'with X-GM-EXT-1 too': { without: ['OBJECTID'], adds: ['X-GM-EXT-1'] },
}

const STEPS = {
  flags: step.fetch('flags', '1', 'flags'),
  summary: step.fetch('summary', '1', 'summary'),
  identity: step.fetch('identity', '1', 'identity'),
  body: step.body('body', [{ uid: 1, section: '1' }]),
}

it('the table has a row for each fetch and a column for each kind of server', () => {
  expect(rows.map(([name]) => name)).toEqual(Object.keys(STEPS))
  expect(columns).toEqual(Object.keys(SERVERS))
})

// Verifies: DC-4549-4.3.1f, DC-4549-4.3.3a
it.each(Object.keys(SERVERS))('the items asked for, %s, are those of the table', async (column) => {
  const server = await ImapServer.start({ users: { ann: SECRET }, accounts: { uidValidity: 7 }, ...SERVERS[column] })
  server.account('ann').inbox.append([{ bytes: Buffer.from('Subject: x\r\n\r\ny\r\n'), flags: [], internalDate: 0 }])
  const { port } = server
  const remote = imapRemote({ host: '127.0.0.1', port, security: 'none', user: 'ann', secret: async () => SECRET })
  const { signal } = new AbortController()
  const session = await remote.connect(signal)
  for await (const seen of session.run([step.open('open'), ...Object.values(STEPS)], { bodies: BODIES, signal }))
    if (seen.kind === 'done') expect(seen, JSON.stringify(seen)).toMatchObject({ outcome: 'ok' })
  await session.close()
  await server.close()
  const asked = server.commands.flatMap((line) => /^\S+ UID FETCH 1 \((.*)\)$/.exec(line)?.[1] ?? [])
  const told = rows.map((cells) => cells[1 + columns.indexOf(column)]?.replace('section', '1'))
  expect(asked).toEqual(told)
})
