/** Verifies the rules of docs/spec/conformance.md that can be seen on the wire, over whole sessions of the engine. */

import type { Clock, MailboxId } from '@tidemail/core'
import { type Extension, extensionsWithout } from '@tidemail/testing'
import { describe, expect, it } from 'vitest'
import { message, until } from '../sim/engine-lab.ts'
import { WireAccount } from './wire-account.ts'

const BARE: readonly Extension[] = [...extensionsWithout([]), 'LITERAL-']

/** An engine in the background waits for real. */
const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  sleep: (delayMs, signal) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, delayMs)
      signal?.addEventListener('abort', () => {
        clearTimeout(timer)
        resolve()
      })
    }),
}

const SERVERS: Readonly<Record<string, readonly Extension[]>> = {
  'with everything': [],
  'without QRESYNC': ['QRESYNC'],
  'without MOVE, REPLACE and LITERAL+': ['MOVE', 'REPLACE', 'LITERAL+', 'MULTIAPPEND'],
  'without UIDPLUS': ['UIDPLUS'],
  'of bare IMAP4rev1': BARE,
}

/** Every kind of operation, on what is here and on what a rival changes meanwhile. */
async function workOffline(account: WireAccount): Promise<void> {
  const { engine } = account
  const inbox = await account.references('INBOX')
  const [archive, work, drafts] = [await account.id('Archive'), await account.id('Work'), await account.id('Drafts')]
  const take = (from: number, to: number): typeof inbox => inbox.slice(from, to)
  const made = engine.createMailbox('Made')
  const draft = engine.saveDraft({ bytes: message('Draft one'), to: drafts })
  const upload = engine.append({ to: archive, bytes: message('Upload') })
  for (const { accepted } of [
    engine.flag(take(0, 2), { add: ['\\Flagged'] }),
    engine.flag(take(1, 3), { add: ['$work'], remove: ['\\Flagged'] }),
    engine.move(take(2, 5), archive),
    engine.copy(take(5, 7), work),
    engine.expunge(take(7, 9)),
    engine.delete(take(9, 10), { to: await account.id('Trash') }),
    engine.flag(await upload.message, { add: ['\\Seen'] }),
    engine.move(take(10, 11), await made.mailbox),
    engine.renameMailbox(work, 'Renamed'),
    engine.subscribe(archive),
    engine.append({ to: archive, bytes: message('Another upload') }),
  ]) {
    await accepted
  }
  await Promise.all([draft.accepted, upload.accepted, made.accepted])
}

async function rivalWorks(account: WireAccount): Promise<void> {
  const { model } = account
  const uids = model.inbox.uids
  model.inbox.store(uids.highest(14).difference(uids.highest(12)), { direction: 'add', flags: ['\\Deleted', '\\Seen'] })
  model.inbox.remove(uids.highest(1))
  model.create('Rival')
  account.arrive('INBOX', 2)
  account.arrive('Rival', 1)
}

describe.each(Object.entries(SERVERS))('sessions with a server %s', (_, without) => {
  // Verifies: DC-4549-1.1, DC-4549-2.1, DC-4549-2.2, DC-4549-3.2, DC-4549-3.5, DC-4549-3.6, DC-4549-4.2.2a, DC-4549-4.2.2d
  // Verifies: DC-4549-4.2.3a, DC-4549-4.2.3b, DC-4549-4.2.4a, DC-4549-4.2.4b, DC-4549-4.2.5, DC-4549-4.3.1f, DC-4549-4.3.3a
  // Verifies: DC-4549-4.6, DC-4549-5.1a, DC-4549-5.2-3a, DC-4549-5.2-3b, DC-4549-5.3-1, DC-4549-5.3-3c, DC-6154, DC-8508-1
  // Verifies: DC-8508-3.5, I-NET-2, H-22, DC-7162-3.2.3a, DC-7162-3.2.6a, DC-9051-2.3.1.1, DC-9051-5.5, DC-9051-6.3.1
  // Verifies: DC-2683-3.4.12
  it('keep every rule of the wire, and store and server are equal', { timeout: 60_000 }, async () => {
    const account = await WireAccount.open({ without, engine: { policy: { bodies: 'all' } } })
    account.arrive('INBOX', 20)
    account.arrive('Archive', 3)
    expect(await account.settle()).toBe('done')
    await workOffline(account)
    await rivalWorks(account)
    expect(await account.settle()).toBe('done')
    await account.expectEqual()
    const { engine } = account
    const [draft] = await account.references('Drafts')
    if (draft === undefined) throw new Error('There is no draft.')
    await engine.saveDraft({ bytes: message('Draft two'), to: await account.id('Drafts'), replaces: draft }).accepted
    await engine.move((await account.references('Archive')).slice(0, 2), await account.id('INBOX')).accepted
    await engine.deleteMailbox(await account.id('Made')).accepted
    await account.reopen()
    expect(await account.settle()).toBe('done')
    await account.expectEqual()
    expect(await account.engine.entries()).toEqual([])
    await account.close()
  })
})

describe('sessions in the background', () => {
  // Verifies: DC-9051-6.3.13a, DC-4549-5.3-3c, DC-4549-5.2-3a, DC-5465-5
  it('keep every rule of the wire while the engine idles, takes in news and sends', async () => {
    const account = await WireAccount.open({ engine: { clock: SYSTEM_CLOCK } })
    account.arrive('INBOX', 3)
    const { engine } = account
    const isWatching = (): Promise<unknown> => until(engine.status, ({ watching }) => watching !== null)
    const shown = engine.live.page({ mailboxId: await inboxOf(account), limit: 10 })
    engine.start()
    await isWatching()
    account.arrive('INBOX', 1)
    await until(shown, ({ messages }) => messages.length === 4)
    const [newest] = await account.references('INBOX')
    if (newest === undefined) throw new Error('There is no message.')
    await engine.flag(newest, { add: ['\\Seen'] }).settled
    await isWatching()
    await engine.pause()
    await account.expectEqual()
    const sent = account.recorder.sessions
      .flat()
      .flatMap(({ direction, text }) => (direction === 'up' ? [text.replace(/^T\d+ /, '')] : []))
    expect(sent).toEqual(expect.arrayContaining(['IDLE', 'DONE', 'NOTIFY NONE']))
    await account.close()
  })
})

/** The mailbox is known after the first synchronisation. */
async function inboxOf(account: WireAccount): Promise<MailboxId> {
  await account.engine.syncOnce()
  return account.id('INBOX')
}

it('does not open again what is open (Verifies: DC-4549-5.2-3a)', async () => {
  const account = await WireAccount.open({ engine: { policy: { bodies: 'all' } } })
  account.arrive('INBOX', 1_200)
  await account.settle()
  const opens = account.server.commands
    .filter((line) => /(SELECT|EXAMINE|UNSELECT)/.test(line))
    .map((line) => line.replace(/^\S+ /, ''))
  expect(opens.filter((line, i) => line.startsWith('EXAMINE') && line === opens[i - 1])).toEqual([])
  await account.close()
})
