/** Mailboxes of the user, of others and shared ones are told apart, and new ones are made where the user may make them. */

import type { DistrustedCapability, Namespaces, Remote, RemoteSession } from '@tidemail/core'
import type { MailEngine } from '@tidemail/engine'
import { SimulatedRemote } from '@tidemail/testing/simulated'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EngineLab } from './engine-lab.ts'

let lab: EngineLab

beforeEach(() => {
  lab = new EngineLab()
  for (const path of ['INBOX/Old', 'user/bob', 'Team']) lab.account.create(path)
})

afterEach(() => lab.close())

/** As Cyrus with Debian's defaults, with another delimiter. */
const NAMESPACES: Namespaces = {
  personal: [{ prefix: 'INBOX/', delimiter: '/' }],
  otherUsers: [{ prefix: 'user/', delimiter: '/' }],
  shared: [{ prefix: '', delimiter: '/' }],
}
const MONTH_MS = 31 * 86_400_000

function remoteWith(namespaces: Namespaces = NAMESPACES): SimulatedRemote {
  const { account, clock } = lab
  return new SimulatedRemote({ account, clock, namespaces })
}

async function namespacesOf(mail: MailEngine): Promise<Record<string, string>> {
  return Object.fromEntries((await mail.mailboxes()).map(({ path, namespace }) => [path, namespace]))
}

const timesAsked = (remote: SimulatedRemote): number => remote.sent.filter(({ step }) => step.kind === 'namespaces').length

describe('namespaces', () => {
  it('are asked for with the first LIST, and shown with each mailbox', async () => {
    const remote = remoteWith()
    const mail = await lab.openSynchronised({ remote })
    expect(remote.sent.slice(0, 2).map(({ step }) => step.kind)).toEqual(['namespaces', 'list'])
    expect(await namespacesOf(mail)).toMatchObject({
      INBOX: 'personal',
      'INBOX/Old': 'personal',
      'user/bob': 'other-users',
      Team: 'shared',
    })
    expect((await mail.syncOnce()).outcome).toBe('done')
    const again = await lab.openSynchronised({ remote })
    expect(await namespacesOf(again)).toMatchObject({ 'user/bob': 'other-users', Team: 'shared' })
    expect(timesAsked(remote)).toBe(1)
  })

  it('are asked for again after a month, and what was shared then may be the own by then', async () => {
    const remote = remoteWith()
    const mail = await lab.openSynchronised({ remote })
    await mail.close()
    lab.clock.advance(MONTH_MS)
    const later = remoteWith({ personal: [{ prefix: '', delimiter: '/' }], otherUsers: [], shared: [] })
    const again = await lab.openSynchronised({ remote: later })
    expect(timesAsked(later)).toBe(1)
    expect(new Set(Object.values(await namespacesOf(again)))).toEqual(new Set(['personal']))
  })

  it('are none where the server refuses to tell, which is not asked again soon', async () => {
    const remote = remoteWith()
    const refusing: Remote = { connect: async (signal) => withoutNamespaces(await remote.connect(signal)) }
    const mail = await lab.openSynchronised({ remote: refusing })
    expect(new Set(Object.values(await namespacesOf(mail)))).toEqual(new Set(['personal']))
    expect(timesAsked(remote)).toBe(1)
    await mail.syncOnce()
    expect(timesAsked(remote)).toBe(1)
  })

  it('decide where a bare name is made: under the prefix, as LIST shows it', async () => {
    const mail = await lab.openSynchronised({ remote: remoteWith() })
    const made = mail.createMailbox('Projects')
    const id = await made.mailbox
    expect((await mail.mailbox('INBOX/Projects')).id).toBe(id)
    await mail.createMailbox('Team/Minutes').accepted
    await mail.renameMailbox((await mail.mailbox('INBOX/Old')).id, 'Former').accepted
    await mail.renameMailbox((await mail.mailbox('Team')).id, 'Club').accepted
    expect(await mail.syncOnce()).toMatchObject({ outcome: 'done', entriesParked: 0 })
    expect(await namespacesOf(mail)).toMatchObject({
      'INBOX/Projects': 'personal',
      'INBOX/Former': 'personal',
      Club: 'shared',
      'Club/Minutes': 'shared',
    })
    expect(lab.account.mailbox('INBOX/Projects')).toBeDefined()
    expect(await mail.createMailbox('Projects').accepted.catch(({ code }) => code)).toBe('input.mailbox-exists')
  })
})

function withoutNamespaces(session: RemoteSession): RemoteSession {
  return withRun(session, async function* (steps, options) {
    for await (const item of session.run(steps, options)) if (item.kind !== 'namespaces') yield item
  })
}

function withRun(session: RemoteSession, run: RemoteSession['run'], extra: Partial<RemoteSession['server']> = {}): RemoteSession {
  return {
    get server() {
      return { ...session.server, ...extra }
    },
    run,
    watch: (request, signal) => session.watch(request, signal),
    get ended() {
      return session.ended
    },
    close: () => session.close(),
  }
}

describe('names that are odd', () => {
  it('are told to the next session as the server wrote them, also by another process', async () => {
    const told: (readonly string[] | undefined)[] = []
    const remote: Remote = {
      connect: async (signal, _learnt?: readonly DistrustedCapability[], oddNames?: readonly string[]) => {
        told.push(oddNames)
        const session = await lab.remote.connect(signal)
        // A session knows what LIST told, and not before.
        const extra: { oddNames?: readonly string[] } = {}
        const run: RemoteSession['run'] = (steps, options) => {
          if (steps.some(({ kind }) => kind === 'list')) extra.oddNames = ['R&D', 'Données']
          return session.run(steps, options)
        }
        return withRun(session, run, extra)
      },
    }
    await (await lab.openSynchronised({ remote })).close()
    await lab.openSynchronised({ remote })
    expect(told).toEqual([undefined, ['R&D', 'Données']])
  })
})
