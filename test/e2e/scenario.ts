/** Plays scenarios on real servers, in the notation of scenario-lines.ts, and demands that store and server end equal. */

import { createHash } from 'node:crypto'
import type { Flag } from '@tidemail/core'
import { SyncError } from '@tidemail/core'
import type { SyncOptions, SyncReport } from '@tidemail/engine'
import type { Fault } from '@tidemail/testing'
import { expect } from 'vitest'
import { syncDuring } from './moments.ts'
import { numbered, numberOfAny } from './numbered-mail.ts'
import type { RealAccount } from './real-account.ts'
import { messagesInView, messagesOnServer, type Placed, rivalDoes, type Story, seeded, userDoes } from './scenario-deeds.ts'
import { type Line, mailboxesIn } from './scenario-lines.ts'

/** Plays the lines; at the end store and server are equal, and every message is what it was when it was made. */
export async function play(account: RealAccount, lines: readonly Line[]): Promise<void> {
  const story: Story = { account, lastOperation: null, shapes: new Map() }
  for (const [index, line] of lines.entries()) {
    if (line.kind === 'server' && index === 0) await seed(story, line.text)
    else await playLine(story, line)
  }
  expect(await account.compareWithServer()).toEqual([])
  await expectUnaltered(story)
}

async function playLine(story: Story, line: Line): Promise<void> {
  const { account } = story
  switch (line.kind) {
    case 'server':
      expect(picture(await messagesOnServer(account))).toEqual(picture(parse(account, line.text)))
      break
    case 'local':
      expect(picture(await messagesInView(account))).toEqual(picture(parse(account, line.text)))
      break
    case 'log':
      for (const deed of line.deeds) await userDoes(story, deed)
      break
    case 'rival':
      for (const deed of line.deeds) await rivalDoes(story, deed)
      break
    case 'sync':
      expect(await syncOrReconnect(account, line.mailboxes)).toMatchObject(line.expected)
      break
    case 'interrupted-sync':
      await syncInto(account, line.fault)
      break
    case 'sync-during':
      await syncDuring(story, line.acts, () => syncOrReconnect(account, null))
      break
    case 'told':
      account.tellOtherwise(line.rewriteLine)
      break
    case 'reopen':
      await account.reopen(line.policy ?? undefined)
      break
    case 'restart-server':
      await account.restartServer()
  }
}

/** A server may end the connection whose mailbox a rival has deleted; a user then connects again. */
async function syncOrReconnect(account: RealAccount, names: readonly string[] | null): Promise<SyncReport> {
  const options: SyncOptions = names === null ? {} : { mailboxes: names.map((name) => account.path(name)) }
  try {
    return await account.sync(options)
  } catch (error) {
    if (!(error instanceof SyncError) || error.code !== 'remote.disconnected') throw error
    return await account.sync(options)
  }
}

/** One run that meets the fault; whatever it says of itself, the next one puts everything right. */
async function syncInto(account: RealAccount, fault: Fault): Promise<void> {
  account.proxy.reset()
  account.proxy.setFault(fault)
  try {
    await account.engine.syncOnce()
  } catch (error) {
    if (!(error instanceof SyncError) || !error.code.startsWith('remote.')) throw error
  } finally {
    account.proxy.setFault(null)
  }
  expect(account.proxy.counts().faults, 'the fault struck').toBe(1)
}

/** Mailboxes that hold messages, by path; their messages in one order. */
function picture(placed: readonly Placed[]): Record<string, string[]> {
  const mailboxes: Record<string, string[]> = {}
  for (const { path, number, flags } of placed) {
    mailboxes[path] = [...(mailboxes[path] ?? []), [number, ...sorted(flags)].join(' ')].sort()
  }
  return mailboxes
}

function sorted(flags: readonly Flag[]): readonly Flag[] {
  return [...flags].sort()
}

function parse(account: RealAccount, text: string): Placed[] {
  return mailboxesIn(text).flatMap(({ name, messages }) =>
    messages.flatMap(({ set, flags }) => set.numbers.map((number) => ({ path: account.path(name), uid: 0, number, flags }))),
  )
}

async function seed(story: Story, text: string): Promise<void> {
  const { account } = story
  for (const { name, messages } of mailboxesIn(text)) {
    // Some are there for every user.
    const { status } = await account.rival.command(`STATUS ${account.wireName(name)} (MESSAGES)`)
    if (status !== 'OK') await account.create(name)
    const wanted = messages.flatMap(({ set, flags }) => seeded(story, set, flags))
    if (wanted.length > 0) await account.seed(name, wanted)
  }
  await account.sync()
}

/** Bytes and INTERNALDATE of every message are those it was made with, whoever made and moved it. */
async function expectUnaltered({ account, shapes }: Story): Promise<void> {
  for (const { path, messages } of (await account.readServer()).mailboxes) {
    for (const { messageId, sha256, internalDate } of messages) {
      const number = numberOfAny({ messageId, internalDate })
      const shape = shapes.get(number) ?? 'plain'
      // Cyrus replaces such octets as a message arrives.
      if (shape === 'latin' && account.server.name === 'cyrus') continue
      const made = numbered(number, { shape })
      const wanted = { sha256: createHash('sha256').update(made.bytes).digest('hex'), internalDate: made.internalDate }
      expect({ sha256, internalDate }, `message ${number} in ${path}`).toEqual(wanted)
    }
  }
}
