/** How a started engine hears of news: of all mailboxes or of some, over one connection or several, and over connections that are dead. */

import { PING_DEADLINE_MS_MAX, type Remote, WATCH_RENEWAL_MS } from '@tidemail/core'
import type { MailEngine, MailEngineOptions } from '@tidemail/engine'
import { afterEach, describe, expect, it } from 'vitest'
import { EngineLab, messagesOf, totalsOf, until } from './engine-lab.ts'

const POLL_MS = 300_000
const NOTIFY_POLL_MS = 900_000
const TICK_MS = 30_000
const ANSWER_MS = 60_000
const HOUR_MS = 3_600_000

let lab: EngineLab

afterEach(() => lab.close())

/** Whatever can be done without waiting for time or for the network is done by then. */
async function turns(count = 5): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

/** Time passes as it does while the machine is awake. */
async function timePasses(delayMs: number, stepMs = TICK_MS): Promise<void> {
  for (let passed = 0; passed < delayMs; passed += stepMs) {
    lab.clock.advance(Math.min(stepMs, delayMs - passed))
    await turns()
  }
}

async function started(options: Partial<MailEngineOptions> = {}): Promise<MailEngine> {
  const mail = await lab.open(options)
  mail.start()
  await until(mail.status, ({ watching }) => watching !== null)
  await turns()
  return mail
}

const lists = (): number => lab.remote.sent.filter(({ step }) => step.kind === 'list').length
const opened = (since = 0): readonly string[] =>
  lab.remote.sent.slice(since).flatMap(({ step }) => (step.kind === 'open' ? [step.path] : []))

describe('an engine whose server tells of all mailboxes', () => {
  it('takes in news of any mailbox as they come, and looks at that one only', async () => {
    // Without mod-sequences a pass over all mailboxes opens all of them.
    lab = new EngineLab({ without: ['CONDSTORE'] })
    const mail = await started()
    expect(mail.status.getSnapshot().watching).toEqual({ way: 'notify', mailboxes: 'all' })
    const { stepCount } = lab.remote
    lab.fill('Work', 2)
    await turns()
    expect(await totalsOf(mail)).toMatchObject({ Work: 2 })
    expect(new Set(opened(stepCount))).toEqual(new Set(['Work']))
    expect(lab.remote.connectionCount).toBe(1)
  })

  it('does not call the account synchronised when it looked at some mailboxes only', async () => {
    lab = new EngineLab({ without: [] })
    const mail = await started()
    const { syncedAt } = mail.status.getSnapshot()
    await timePasses(TICK_MS)
    lab.fill('Work', 1)
    await turns()
    expect(await totalsOf(mail)).toMatchObject({ Work: 1 })
    expect(mail.status.getSnapshot()).toMatchObject({ syncedAt, phase: 'watching' })
  })

  // Verifies: DC-5465-5.4
  it('looks at all names when one has come or is another one', async () => {
    lab = new EngineLab({ without: [] })
    lab.fill('Work', 2)
    const mail = await started()
    lab.account.create('New')
    await turns()
    expect(await totalsOf(mail)).toMatchObject({ New: 0 })
    const { id } = await mail.mailbox('Work')
    lab.account.create('Work/2025')
    lab.account.rename('Work', 'Done')
    await timePasses(2_000, 1_000)
    expect((await mail.mailbox('Done')).id).toBe(id)
    expect(await totalsOf(mail)).toMatchObject({ Done: 2, 'Done/2025': 0 })
  })

  it('looks at everything when the mailbox that was told of has gone meanwhile', async () => {
    lab = new EngineLab({ without: [] })
    const mail = await started()
    lab.remote.fault = ({ kind }) => {
      if (kind === 'list' && lab.account.mailbox('Work') !== undefined) lab.account.delete('Work')
      return 'pass'
    }
    lab.fill('Work', 1)
    await turns()
    expect(Object.keys(await totalsOf(mail))).toEqual(['INBOX', 'Archive'])
    expect(mail.status.getSnapshot()).toMatchObject({ problem: null, watching: { way: 'notify' } })
  })

  it('misses nothing that came while it was busy', async () => {
    lab = new EngineLab({ without: [] })
    const mail = await started()
    lab.remote.fault = (step) => {
      // The state of the mailboxes was told before, and nobody watches now.
      if (step.kind === 'open' && lab.account.open('Work').messages.length === 0) lab.fill('Work', 1)
      return 'pass'
    }
    lab.fill('INBOX', 1)
    await timePasses(2_000, 1_000)
    expect(await totalsOf(mail)).toMatchObject({ INBOX: 1, Work: 1 })
  })

  it('makes few passes of many news', async () => {
    lab = new EngineLab({ without: [] })
    const mail = await started()
    const before = lists()
    for (let news = 0; news < 100; news += 1) {
      lab.fill('Work', 1)
      await turns(1)
    }
    await timePasses(2_000, 500)
    expect(await totalsOf(mail)).toMatchObject({ Work: 100 })
    expect(lists() - before).toBeLessThanOrEqual(4)
  })

  // Verifies: FIELD-20
  it('looks once, and not for ever, at a mailbox that it cannot bring to what the server says', async () => {
    lab = new EngineLab({ without: [] })
    const mail = await started()
    lab.remote.fault = (step) => (step.kind === 'open' && step.path === 'Work' ? 'reject' : 'pass')
    lab.fill('Work', 1)
    await turns()
    const before = lists()
    await timePasses(TICK_MS, 1_000)
    // Tries again ever more rarely, as after any failure.
    expect(lists() - before).toBeLessThanOrEqual(6)
    lab.remote.fault = () => 'pass'
    await timePasses(NOTIFY_POLL_MS)
    expect(await totalsOf(mail)).toMatchObject({ Work: 1 })
  })

  it('looks at everything now and then all the same, but more rarely', async () => {
    lab = new EngineLab({ without: [] })
    await started()
    const before = lists()
    await timePasses(2 * POLL_MS)
    expect(lists()).toBe(before)
    await timePasses(NOTIFY_POLL_MS - 2 * POLL_MS)
    expect(lists()).toBe(before + 1)
  })

  it('makes no further connection', async () => {
    lab = new EngineLab({ without: [] })
    await started({ policy: { bodies: 'none', watch: ['Work', 'Archive'], connectionsMax: 3 } })
    expect(lab.remote.connectionCount).toBe(1)
  })
})

describe('an engine whose server tells of one mailbox a connection', () => {
  it('waits in INBOX, and looks at the others by a timer', async () => {
    lab = new EngineLab()
    const mail = await started()
    expect(mail.status.getSnapshot().watching).toEqual({ way: 'idle', mailboxes: ['INBOX'] })
    lab.fill('INBOX', 1)
    lab.fill('Work', 1)
    await turns()
    expect(await totalsOf(mail)).toMatchObject({ INBOX: 1, Work: 0 })
    await timePasses(POLL_MS + TICK_MS)
    expect(await totalsOf(mail)).toMatchObject({ INBOX: 1, Work: 1 })
  })

  it('waits in the mailboxes that the app names over further connections, in each once', async () => {
    lab = new EngineLab()
    const mail = await started({ policy: { bodies: 'none', watch: ['INBOX', 'Work', 'Work'], connectionsMax: 5 } })
    await until(mail.status, ({ watching }) => watching?.mailboxes.length === 2)
    expect(mail.status.getSnapshot().watching).toEqual({ way: 'idle', mailboxes: ['INBOX', 'Work'] })
    expect(lab.remote.openCount).toBe(2)
    lab.fill('Work', 1)
    await turns()
    expect(await totalsOf(mail)).toMatchObject({ Work: 1 })
    await mail.pause()
    expect(lab.remote.openCount).toBe(1)
  })

  it('makes a further connection again when it ends, after a while', async () => {
    lab = new EngineLab()
    const mail = await started({ policy: { bodies: 'none', watch: ['Work'], connectionsMax: 2 } })
    await until(mail.status, ({ watching }) => watching?.mailboxes.length === 2)
    lab.remote.disconnectAll()
    await turns()
    expect(mail.status.getSnapshot().watching).toBeNull()
    lab.fill('Work', 1)
    await timePasses(5_000, 1_000)
    expect(lab.remote.openCount).toBe(2)
    expect(await totalsOf(mail)).toMatchObject({ Work: 1 })
  })

  it.each([0, 1.5, Number.NaN])('is not told to use %s connections', async (connectionsMax) => {
    lab = new EngineLab()
    await expect(lab.open({ policy: { connectionsMax } })).rejects.toMatchObject({ code: 'input.usage' })
  })

  it('does not go on connecting for a mailbox that is gone', async () => {
    lab = new EngineLab()
    const mail = await started({ policy: { bodies: 'none', watch: ['Work'], connectionsMax: 2 } })
    await until(mail.status, ({ watching }) => watching?.mailboxes.length === 2)
    const { connectionCount } = lab.remote
    lab.account.delete('Work')
    await timePasses(POLL_MS - TICK_MS, 1_000)
    expect(lab.remote.connectionCount).toBe(connectionCount + 1)
    expect(mail.status.getSnapshot().watching).toEqual({ way: 'idle', mailboxes: ['INBOX'] })
  })

  it('does not go on connecting for a mailbox that nobody may look into', async () => {
    lab = new EngineLab()
    lab.remote.fault = (step) => (step.kind === 'open' && step.id === 'watch' && step.path === 'Work' ? 'reject' : 'pass')
    await started({ policy: { bodies: 'none', watch: ['Work'], connectionsMax: 2 } })
    for (let news = 0; news < 5; news += 1) {
      lab.fill('INBOX', 1)
      await timePasses(TICK_MS)
    }
    expect(lab.remote.connectionCount).toBe(2)
  })

  it('lets go of all connections while it waits to try again', async () => {
    lab = new EngineLab()
    const mail = await started({ policy: { bodies: 'none', watch: ['Work'], connectionsMax: 2 } })
    await until(mail.status, ({ watching }) => watching?.mailboxes.length === 2)
    lab.remote.fault = ({ kind }) => (kind === 'list' ? 'cut' : 'pass')
    lab.fill('INBOX', 1)
    await until(mail.status, ({ phase }) => phase === 'waiting')
    expect(lab.remote.openCount).toBe(0)
  })

  it('takes no more connections than the server gives, and does not knock again', async () => {
    lab = new EngineLab()
    lab.remote.connectionsMax = 2
    let tries = 0
    const remote: Remote = {
      connect: (until) => {
        tries += 1
        return lab.remote.connect(until)
      },
    }
    const events: string[] = []
    const mail = await started({
      remote,
      policy: { bodies: 'none', watch: ['Work', 'Archive'], connectionsMax: 9 },
      log: ({ event }) => events.push(event),
    })
    await until(mail.status, ({ watching }) => watching?.mailboxes.length === 2)
    await timePasses(HOUR_MS)
    expect(tries).toBe(3)
    expect(events).toContain('watch.connections-limited')
    lab.fill('INBOX', 1)
    await turns()
    expect(await totalsOf(mail)).toMatchObject({ INBOX: 1 })
  })
})

describe('a connection that is dead without a word', () => {
  // Verifies: FIELD-16
  it('is noticed by the next pass at the latest, and made again', async () => {
    lab = new EngineLab()
    const mail = await started()
    lab.remote.silenceAll()
    lab.fill('INBOX', 1)
    await timePasses(POLL_MS)
    expect(await totalsOf(mail)).toMatchObject({ INBOX: 0 })
    await timePasses(ANSWER_MS + TICK_MS)
    expect(await totalsOf(mail)).toMatchObject({ INBOX: 1 })
    expect(lab.remote.connectionCount).toBe(2)
  })

  // Verifies: FIELD-16
  it('is noticed when the app says that the network changed, in ten seconds', async () => {
    lab = new EngineLab()
    const mail = await started()
    lab.remote.silenceAll()
    lab.fill('INBOX', 1)
    mail.networkChanged()
    await turns()
    await timePasses(PING_DEADLINE_MS_MAX, PING_DEADLINE_MS_MAX)
    expect(await totalsOf(mail)).toMatchObject({ INBOX: 1 })
    expect(lab.remote.connectionCount).toBe(2)
  })

  // Verifies: FIELD-16
  it('is noticed when the machine has slept, in ten seconds', async () => {
    lab = new EngineLab({ without: [] })
    const mail = await started()
    lab.remote.silenceAll()
    lab.fill('Work', 1)
    lab.clock.advance(HOUR_MS)
    await turns()
    await timePasses(PING_DEADLINE_MS_MAX, PING_DEADLINE_MS_MAX)
    expect(await totalsOf(mail)).toMatchObject({ Work: 1 })
  })

  it('is used on when it answers', async () => {
    lab = new EngineLab({ without: [] })
    const mail = await started()
    const before = lists()
    mail.networkChanged()
    await turns()
    expect(lists()).toBe(before + 1)
    lab.clock.advance(HOUR_MS)
    await turns()
    expect(lists()).toBe(before + 2)
    expect(lab.remote.connectionCount).toBe(1)
    expect(mail.status.getSnapshot()).toMatchObject({ problem: null, watching: { way: 'notify' } })
  })

  it('is tried again at once when the app says that the network is back', async () => {
    lab = new EngineLab()
    const mail = await started()
    lab.remote.goOffline()
    await timePasses(600_000)
    lab.remote.goOnline()
    const { connectionCount } = lab.remote
    mail.networkChanged()
    await turns()
    expect(lab.remote.connectionCount).toBe(connectionCount + 1)
    expect(mail.status.getSnapshot()).toMatchObject({ isConnected: true, problem: null })
  })

  it('says nothing to an engine that rests', async () => {
    lab = new EngineLab()
    const mail = await lab.openSynchronised()
    const { stepCount } = lab.remote
    mail.networkChanged()
    await turns()
    expect(lab.remote.stepCount).toBe(stepCount)
  })
})

describe('the renewal of a watch', () => {
  const renewals = (since: number): readonly number[] =>
    lab.clock.slept.slice(since).filter((ms) => ms > POLL_MS || [135_000, 270_000].includes(ms))

  it('comes sooner after a silence that was fatal, also in another session', async () => {
    lab = new EngineLab({ without: [] })
    const mail = await started()
    expect(renewals(0)).toContain(WATCH_RENEWAL_MS)
    const { length } = lab.clock.slept
    lab.remote.silenceAll()
    await timePasses(WATCH_RENEWAL_MS + ANSWER_MS + TICK_MS)
    expect(lab.remote.connectionCount).toBe(2)
    expect(renewals(length)).toContain(WATCH_RENEWAL_MS / 2)
    await mail.close()
    const again = lab.clock.slept.length
    await started()
    expect(renewals(again)).toContain(WATCH_RENEWAL_MS / 2)
  })

  it('comes later when silences are survived', async () => {
    lab = new EngineLab({ without: [] })
    await started()
    await timePasses(NOTIFY_POLL_MS + TICK_MS)
    expect(renewals(0)).toContain(WATCH_RENEWAL_MS * 1.5)
  })

  it('is as before when the network changed', async () => {
    lab = new EngineLab({ without: [] })
    const mail = await started()
    await timePasses(120_000)
    const { length } = lab.clock.slept
    lab.remote.silenceAll()
    mail.networkChanged()
    await turns()
    await timePasses(PING_DEADLINE_MS_MAX, PING_DEADLINE_MS_MAX)
    expect(renewals(length)).toEqual([WATCH_RENEWAL_MS])
    expect((await messagesOf(mail, 'INBOX')).length).toBe(0)
  })
})
