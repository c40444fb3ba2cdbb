/** Live values: what a user interface may rely on when it shows mail. */

import type { MailboxView, Page } from '@tidemail/core'
import type { Live } from '@tidemail/engine'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { EngineLab, message, messagesOf, until } from './engine-lab.ts'

let lab: EngineLab

beforeEach(() => {
  lab = new EngineLab()
  lab.fill('INBOX', 3)
})

afterEach(() => lab.close())

function countCalls<T>(live: Live<T>): { readonly calls: () => number; readonly stop: () => void } {
  let calls = 0
  const stop = live.subscribe(() => {
    calls += 1
  })
  return { calls: () => calls, stop }
}

it('a live value is undefined until the first read has come back, and nothing is read before somebody listens', async () => {
  const mail = await lab.openSynchronised()
  const live = mail.live.mailboxes()
  await mail.mailboxes()
  expect(live.getSnapshot()).toBeUndefined()
  const mailboxes: readonly MailboxView[] = await until(live, () => true)
  expect(mailboxes.map(({ path }) => path)).toContain('INBOX')
})

it('its snapshot is the same object until it changes, whatever changes elsewhere', async () => {
  const mail = await lab.openSynchronised()
  const inbox = mail.live.page({ mailboxId: (await mail.mailbox('INBOX')).id, limit: 10 })
  const work = mail.live.page({ mailboxId: (await mail.mailbox('Work')).id, limit: 10 })
  const listening = countCalls(inbox)
  const page: Page = await until(inbox, () => true)
  const callsBefore = listening.calls()
  await until(work, () => true)
  const elsewhere = until(work, ({ messages }) => messages.length === 1)
  await mail.append({ to: (await mail.mailbox('Work')).id, bytes: message('Elsewhere') }).accepted
  await elsewhere
  // The store tells all its listeners in one turn, so the page of INBOX has been read again by now too.
  await mail.mailboxes()
  expect(inbox.getSnapshot()).toBe(page)
  expect(listening.calls()).toBe(callsBefore)
  listening.stop()
})

it('follows operations before the server has heard of them', async () => {
  const mail = await lab.openSynchronised()
  lab.remote.goOffline()
  const inbox = mail.live.page({ mailboxId: (await mail.mailbox('INBOX')).id, limit: 10 })
  const mailboxes = mail.live.mailboxes()
  const { messages } = await until(inbox, () => true)
  const { reference } = messages[0] as (typeof messages)[number]
  const one = mail.live.message(reference)
  await mail.flag(reference, { add: ['seen'] }).accepted
  expect((await until(inbox, (page) => page.messages[0]?.flags.length === 1)).messages[0]).toMatchObject({ isPending: true })
  expect(await until(one, (view) => view?.flags.includes('\\Seen') === true)).toMatchObject({ flags: ['\\Seen'] })
  expect((await until(mailboxes, ([first]) => first?.unread === 2)).find(({ path }) => path === 'INBOX')).toMatchObject({
    total: 3,
    unread: 2,
  })
})

it('follows what others did, and a message that is gone is null', async () => {
  const mail = await lab.openSynchronised()
  const [newest] = await messagesOf(mail, 'INBOX')
  const one = mail.live.message((newest as NonNullable<typeof newest>).reference)
  await until(one, (view) => view !== null)
  lab.account.inbox.remove(lab.account.inbox.uids.highest(1))
  await mail.syncOnce()
  expect(await until(one, (view) => view === null)).toBeNull()
})

it('reads no more when nobody listens, and listens again when asked', async () => {
  const mail = await lab.openSynchronised()
  const live = mail.live.page({ mailboxId: (await mail.mailbox('Work')).id, limit: 10 })
  const mailboxes = mail.live.mailboxes()
  const before = await until(live, () => true)
  await mail.append({ to: (await mail.mailbox('Work')).id, bytes: message('Unheard') }).accepted
  await until(mailboxes, (all) => all.some(({ path, total }) => path === 'Work' && total === 1))
  expect(live.getSnapshot()).toBe(before)
  expect((await until(live, ({ messages }) => messages.length === 1)).messages[0]?.envelope.subject).toBe('Unheard')
})

it('one listener that leaves twice does not cut off another', async () => {
  const mail = await lab.openSynchronised()
  const live = mail.live.page({ mailboxId: (await mail.mailbox('Work')).id, limit: 10 })
  const leaving = countCalls(live)
  const staying = until(live, ({ messages }) => messages.length === 1)
  leaving.stop()
  leaving.stop()
  await mail.append({ to: (await mail.mailbox('Work')).id, bytes: message('Heard') }).accepted
  expect((await staying).messages).toHaveLength(1)
})

it('the bytes of a part are live too', async () => {
  const mail = await lab.openSynchronised()
  const bytes = message('Whole')
  await mail.append({ to: (await mail.mailbox('Work')).id, bytes }).accepted
  const [local] = await messagesOf(mail, 'Work')
  const part = mail.live.part((local as NonNullable<typeof local>).reference, '')
  expect(await until(part, (held) => held !== null)).toEqual(bytes)
})

it('works when its functions are taken off it, as user interfaces do', async () => {
  const mail = await lab.open()
  for (const { subscribe, getSnapshot } of [mail.status, mail.live.mailboxes()] as readonly Live<unknown, unknown>[]) {
    const changed = new Promise<void>((resolve) => {
      subscribe(() => resolve())
    })
    await mail.syncOnce()
    await changed
    expect(getSnapshot()).toBeDefined()
  }
})

it('the status is never undefined, and tells the phases of a synchronisation and its progress', async () => {
  const mail = await lab.open()
  expect(mail.status.getSnapshot()).toEqual({
    phase: 'idle',
    isConnected: false,
    progress: null,
    watching: null,
    syncedAt: null,
    problem: null,
  })
  const phases: string[] = []
  const progress: unknown[] = []
  mail.status.subscribe(() => {
    const now = mail.status.getSnapshot()
    if (now.phase !== phases.at(-1)) phases.push(now.phase)
    if (now.progress !== null) progress.push(now.progress)
  })
  await mail.syncOnce()
  // It is a new engine, so the phases come in the order of RFC 4549 §3; recovering is passed over with an empty log.
  expect(phases.filter((phase) => phase !== 'idle').slice(0, 4)).toEqual(['connecting', 'listing', 'replaying', 'resyncing'])
  expect(progress).toContainEqual({ done: 3, total: 3, mailbox: 'INBOX' })
  expect(mail.status.getSnapshot()).toEqual({
    phase: 'idle',
    isConnected: true,
    progress: null,
    watching: null,
    syncedAt: lab.clock.now(),
    problem: null,
  })
})
