/** Has a rival act in the middle of a look at INBOX, at moments that every tier has or does without. */

import type { Interlude, ProxiedCommand } from '@tidemail/testing'
import { expect } from 'vitest'
import type { RealAccount } from './real-account.ts'
import { messagesInView, messagesOnServer, type Placed, rivalDoes, type Story } from './scenario-deeds.ts'
import type { Deed, Moment } from './scenario-lines.ts'

interface Act {
  readonly moment: Moment
  readonly deeds: readonly Deed[]
}

/** At least one act must fall into the run; the others are then done behind it, since their tier asks nothing at that moment. */
export async function syncDuring(story: Story, acts: readonly Act[], run: () => Promise<unknown>): Promise<void> {
  const { account } = story
  const { proxy } = account
  const before = asStates(await messagesOnServer(account))
  const gone = [...(await heldIn(account)).keys()].filter((message) => !before.has(message))
  const left = new Set(acts)
  const failures: unknown[] = []
  const act = async (one: Act): Promise<void> => {
    left.delete(one)
    for (const deed of one.deeds) await rivalDoes(story, deed)
  }
  // One after the other: the rival has one connection.
  let turn: Promise<void> = Promise.resolve()
  proxy.setInterludes(
    acts.map((one) => ({
      ...MOMENTS[one.moment],
      act: () => {
        turn = turn.then(() => act(one)).catch((error: unknown) => void failures.push(error))
        return turn
      },
    })),
  )
  await run()
  proxy.setInterludes([])
  await turn
  expect(failures).toEqual([])
  await expectHeld(account, { before, gone })
  expect(left.size, 'somebody acted in the middle of the look').toBeLessThan(acts.length)
  for (const one of [...left]) await act(one)
}

/** `INBOX 7`, path and UID, with the flags. */
type States = ReadonlyMap<string, string>

const asStates = (messages: readonly Placed[]): States =>
  new Map(messages.map(({ path, uid, flags }) => [`${path} ${uid}`, [...flags].sort().join(' ')]))

async function heldIn(account: RealAccount): Promise<States> {
  const messages = await messagesInView(account)
  return asStates(messages.flatMap((one) => (one.reference.kind === 'stored' ? [{ ...one, uid: one.reference.uid }] : [])))
}

/** What was so before and behind the run is held as it is, and nothing of what had gone before it. What came and went during the run may be held. */
async function expectHeld(
  account: RealAccount,
  { before, gone }: { readonly before: States; readonly gone: readonly string[] },
): Promise<void> {
  const after = asStates(await messagesOnServer(account))
  const held = await heldIn(account)
  const stayed = [...before].filter(([message, flags]) => after.get(message) === flags)
  expect(
    stayed.filter(([message, flags]) => held.get(message) !== flags),
    'what was so all the time, and is held otherwise',
  ).toEqual([])
  expect(
    gone.filter((message) => held.has(message)),
    'what is held, and had gone',
  ).toEqual([])
}

const selects = ({ line }: ProxiedCommand): boolean => / SELECT "?INBOX"?(?: \(|$)/i.test(line)
/** A first look, or one that doubts what it was told, lists the UIDs; else new messages are asked for with what is shown of them. */
const asksForNews = ({ line }: ProxiedCommand): boolean => / UID (?:SEARCH|FETCH \S+ \(UID FLAGS .*INTERNALDATE)/.test(line)
/** QRESYNC asks with the SELECT; else flags are asked for, all or those that changed. */
const asksForKnown = (command: ProxiedCommand): boolean =>
  / UID FETCH \S+ \(UID FLAGS(?: MODSEQ)?\)/.test(command.line) || (selects(command) && command.line.includes('(QRESYNC'))

const MOMENTS: Readonly<Record<Moment, Pick<Interlude, 'command' | 'at'>>> = {
  select: { command: selects, at: 'request' },
  selected: { command: selects, at: 'reply' },
  news: { command: asksForNews, at: 'request' },
  newsTold: { command: asksForNews, at: 'reply' },
  known: { command: asksForKnown, at: 'request' },
  knownTold: { command: asksForKnown, at: 'reply' },
}
