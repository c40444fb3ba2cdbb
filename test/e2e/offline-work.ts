/** A day's work offline with every operation there is, and where each message and mailbox must be when it has arrived. */

import type { MailboxId, MessageReference } from '@tidemail/core'
import type { ReadAccount } from '@tidemail/testing'
import { numbered, numberedRange, numberOf, placesOf } from './numbered-mail.ts'
import type { RealAccount } from './real-account.ts'
import { unsettledWork } from './unsettled-work.ts'

const SEEDED = 24
/** Every user has these on servers that make them. */
const USUAL = ['Archive', 'Drafts', 'Trash'] as const

/** The mailboxes, messages 1 to 24 in the inbox and one in each of three others, taken in. */
export async function prepare(account: RealAccount): Promise<void> {
  if (account.server.name === 'courier') for (const name of USUAL) await account.create(name)
  for (const name of ['Work', 'Letters', 'Closed']) await account.create(name)
  for (const name of ['Work', 'Letters']) await account.rival.ok(`SUBSCRIBE ${account.wireName(name)}`)
  await account.seed('INBOX', numberedRange(1, SEEDED, { flags: ['\\Answered'] }))
  await account.seed('Letters', [numbered(28)])
  await account.seed('Closed', [numbered(29)])
  await account.seed('Drafts', [numbered(30, { flags: ['\\Draft', '\\Seen'] })])
  await account.sync()
}

/** As many as `workOffline` asks for. */
const OPERATIONS = 25

/** Offline: every operation on what is on the server, and again on what is not there yet. */
export async function workOffline(account: RealAccount): Promise<void> {
  const { engine } = account
  const mailbox = (name: string): Promise<MailboxId> => account.mailboxId(name)
  const [inbox, archive, work, trash, drafts] = [
    await mailbox('INBOX'),
    await mailbox('Archive'),
    await mailbox('Work'),
    await mailbox('Trash'),
    await mailbox('Drafts'),
  ]
  const seeded = await numbersIn(account, 'INBOX')
  const pick = (...numbers: readonly number[]): MessageReference[] => numbers.map((number) => lookUp(seeded, number))
  const found = async (name: string, number: number): Promise<MessageReference> => lookUp(await numbersIn(account, name), number)

  await engine.flag(pick(1, 2, 3, 9, 10), { add: ['\\Seen', '$Work'] }).accepted
  await engine.flag(pick(3, 4), { remove: ['\\Answered'] }).accepted
  await engine.append({ to: archive, ...numbered(101, { sizeBytes: 1_000, flags: ['\\Seen'] }) }).accepted
  await engine.append({ to: inbox, ...numbered(102, { sizeBytes: 20_000 }) }).accepted
  await engine.move(pick(7, 8, 9), archive).accepted
  await engine.move(pick(10), work).accepted
  await engine.copy(pick(11, 12), work).accepted
  await engine.expunge(pick(13, 14, 15)).accepted
  await engine.append({ to: inbox, ...numbered(103, { sizeBytes: 8_000 }) }).accepted
  const uploaded = await found('INBOX', 103)
  await engine.flag(uploaded, { add: ['\\Flagged'] }).accepted
  await engine.move(uploaded, archive).accepted
  await engine.append({ to: work, ...numbered(104, { sizeBytes: 3_000, flags: ['\\Draft'] }) }).accepted

  const plans = await engine.createMailbox(account.path('Plans')).mailbox
  await engine.move(pick(16), plans).accepted
  await engine.subscribe(plans).accepted
  await engine.move(pick(17), archive).accepted
  await engine.move(await found('Archive', 17), work).accepted
  await engine.delete(pick(18), { to: trash }).accepted
  await engine.renameMailbox(await mailbox('Letters'), account.path('Post')).accepted
  await engine.unsubscribe(work).accepted
  await engine.move(await found('Closed', 29), archive).accepted
  await engine.deleteMailbox(await mailbox('Closed')).accepted
  for (const [before, number] of [
    [30, 105],
    [105, 106],
    [106, 107],
  ] as const) {
    const { bytes } = numbered(number, { sizeBytes: 1_500 })
    await engine.saveDraft({ to: drafts, bytes, replaces: await found('Drafts', before) }).accepted
  }
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
  16: ['Plans \\Answered'],
  17: ['Work \\Answered'],
  18: ['Trash \\Answered'],
  20: ['INBOX \\Answered \\Seen'],
  21: ['INBOX \\Answered \\Flagged'],
  25: ['INBOX'],
  26: ['INBOX'],
  27: ['Work'],
  28: ['Post'],
  29: ['Archive'],
  30: [],
  101: ['Archive \\Seen'],
  102: ['INBOX'],
  103: ['Archive \\Flagged'],
  104: ['Work \\Draft'],
  105: [],
  106: [],
  107: ['Drafts \\Draft \\Seen'],
}
const UNTOUCHED = ['INBOX \\Answered']
const NUMBERS = [...Array.from({ length: SEEDED }, (_, index) => index + 1), ...Object.keys(PLACES).map(Number)]
const MAILBOXES = { there: ['Archive', 'Drafts', 'INBOX', 'Plans', 'Post', 'Trash', 'Work'], gone: ['Closed', 'Letters'] }
const SUBSCRIBED = { there: ['Plans', 'Post'], gone: ['Closed', 'Letters', 'Work'] }

/** A sentence for whatever was lost, doubled, resurrected, changed or not settled, and for each difference of store and server. */
export async function damage(account: RealAccount): Promise<readonly string[]> {
  const onServer = await account.readServer()
  return [
    ...(await unsettledWork(account, OPERATIONS)),
    ...misplaced(onServer),
    ...misnamed(
      'mailbox',
      onServer.mailboxes.map(({ path }) => path),
      MAILBOXES,
    ),
    ...misnamed('subscription to', await subscriptions(account), SUBSCRIBED),
    ...(await account.compareWithServer()),
  ]
}

function misplaced(onServer: ReadAccount): readonly string[] {
  const places = placesOf(onServer)
  return [...new Set(NUMBERS)].flatMap((number) => {
    const [found, wanted] = [places.get(number) ?? [], PLACES[number] ?? UNTOUCHED]
    if (found.join() === wanted.join()) return []
    return [`message ${number} is ${harmDone(found, wanted)}: in [${found.join(', ')}] instead of [${wanted.join(', ')}]`]
  })
}

/** In one word, as the table of docs/spec/campaign.md counts it. */
function harmDone(found: readonly string[], wanted: readonly string[]): string {
  if (found.length < wanted.length) return 'lost'
  if (found.length === wanted.length) return 'wrong'
  return wanted.length === 0 ? 'resurrected' : 'doubled'
}

interface Expected {
  readonly there: readonly string[]
  readonly gone: readonly string[]
}

function misnamed(what: string, paths: readonly string[], { there, gone }: Expected): readonly string[] {
  const names = new Set(paths.map((path) => path.replace(/^INBOX\./, '')))
  return [
    ...there.filter((name) => !names.has(name)).map((name) => `${what} ${name} is missing`),
    ...gone.filter((name) => names.has(name)).map((name) => `${what} ${name} is still there`),
  ]
}

/** The names here are ASCII, and are on the wire as they are. */
async function subscriptions({ rival }: RealAccount): Promise<readonly string[]> {
  const { lines } = await rival.ok('LSUB "" "*"')
  return lines.flatMap(({ text }) => {
    const found = /^\* LSUB \(([^)]*)\) (?:NIL|"[^"]*") "?([^"]*)"?$/i.exec(text)
    return found === null || /\\Noselect\b/i.test(found[1] ?? '') ? [] : [found[2] ?? '']
  })
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
