/** A small day's work offline with every kind of operation, and where each message must be when it has arrived. */

import type { MessageReference } from '@tidemail/core'
import { numbered, numberedRange, numberOf, placesOf } from './numbered-mail.ts'
import type { RealAccount } from './real-account.ts'

const SEEDED = 24

/** The mailboxes, and messages 1 to 24 in the inbox, taken in. */
export async function prepare(account: RealAccount): Promise<void> {
  if (account.server.name === 'courier') await account.create('Archive')
  await account.create('Work')
  await account.seed('INBOX', numberedRange(1, SEEDED, { flags: ['\\Answered'] }))
  await account.sync()
}

/** Offline: flags, moves, copies, expunges, uploads of 1 to 20 KB, and operations on what is not uploaded yet. */
export async function workOffline(account: RealAccount): Promise<void> {
  const { engine } = account
  const seeded = await numbersIn(account, 'INBOX')
  const pick = (...numbers: readonly number[]): MessageReference[] => numbers.map((number) => lookUp(seeded, number))
  const [inbox, archive, work] = await Promise.all(['INBOX', 'Archive', 'Work'].map((name) => account.mailboxId(name)))
  if (inbox === undefined || archive === undefined || work === undefined) throw new Error('a mailbox is missing')
  await engine.flag(pick(1, 2, 3, 9, 10), { add: ['\\Seen', '$Work'] }).accepted
  await engine.flag(pick(3, 4), { remove: ['\\Answered'] }).accepted
  await engine.append({ to: archive, ...numbered(101, { sizeBytes: 1_000, flags: ['\\Seen'] }) }).accepted
  await engine.append({ to: inbox, ...numbered(102, { sizeBytes: 20_000 }) }).accepted
  await engine.move(pick(7, 8, 9), archive).accepted
  await engine.move(pick(10), work).accepted
  await engine.copy(pick(11, 12), work).accepted
  await engine.expunge(pick(13, 14, 15)).accepted
  await engine.append({ to: inbox, ...numbered(103, { sizeBytes: 8_000 }) }).accepted
  const local = lookUp(await numbersIn(account, 'INBOX'), 103)
  await engine.flag(local, { add: ['\\Flagged'] }).accepted
  await engine.move(local, archive).accepted
  await engine.append({ to: work, ...numbered(104, { sizeBytes: 3_000, flags: ['\\Draft'] }) }).accepted
}

/** Meanwhile a rival adds messages, reads one and flags another, so that there is something to fetch. */
export async function rivalMeanwhile(account: RealAccount): Promise<void> {
  await account.seed('INBOX', numberedRange(25, 26))
  await account.seed('Work', [numbered(27)])
  await account.rivalIn('INBOX', 'UID STORE 20 +FLAGS.SILENT (\\Seen)', 'UID STORE 21 +FLAGS.SILENT (\\Flagged)')
}

/** Exactly this must be on the server, each message as often as it is listed. */
const PLACES: Readonly<Record<number, readonly string[]>> = {
  1: ['INBOX $Work \\Answered \\Seen'],
  2: ['INBOX $Work \\Answered \\Seen'],
  3: ['INBOX $Work \\Seen'],
  4: ['INBOX'],
  7: ['Archive \\Answered'],
  8: ['Archive \\Answered'],
  9: ['Archive $Work \\Answered \\Seen'],
  10: ['Work $Work \\Answered \\Seen'],
  11: ['INBOX \\Answered', 'Work \\Answered'],
  12: ['INBOX \\Answered', 'Work \\Answered'],
  13: [],
  14: [],
  15: [],
  20: ['INBOX \\Answered \\Seen'],
  21: ['INBOX \\Answered \\Flagged'],
  25: ['INBOX'],
  26: ['INBOX'],
  27: ['Work'],
  101: ['Archive \\Seen'],
  102: ['INBOX'],
  103: ['Archive \\Flagged'],
  104: ['Work \\Draft'],
}
const NUMBERS = [...Array.from({ length: SEEDED + 3 }, (_, index) => index + 1), 101, 102, 103, 104]

/** A sentence for whatever was lost, doubled, resurrected or changed, and for each difference of store and server. */
export async function damage(account: RealAccount): Promise<readonly string[]> {
  const places = placesOf(await account.readServer())
  const misplaced = NUMBERS.flatMap((number) => {
    const [found, wanted] = [(places.get(number) ?? []).join(', '), (PLACES[number] ?? ['INBOX \\Answered']).join(', ')]
    return found === wanted ? [] : [`message ${number} is in [${found}] instead of [${wanted}]`]
  })
  return [...misplaced, ...(await account.compareWithServer())]
}

async function numbersIn(account: RealAccount, name: string): Promise<ReadonlyMap<number, MessageReference>> {
  const messages = await account.messages(name)
  return new Map(messages.map(({ envelope, reference }) => [numberOf(envelope.messageId) ?? 0, reference]))
}

function lookUp(references: ReadonlyMap<number, MessageReference>, number: number): MessageReference {
  const reference = references.get(number)
  if (reference === undefined) throw new Error(`Message ${number} is not in the store.`)
  return reference
}
