/** FETCH and UID FETCH, with CHANGEDSINCE and VANISHED (RFC 9051 §6.4.5, RFC 7162 §3.1.4, §3.2.6). */

import { UID_MAX, UidSet } from '@tidemail/core'
import { BadCommand } from '../bad-command.ts'
import { Arguments, modSeqOf, type Token } from '../command-syntax.ts'
import { type FetchItem, fetchedPieces, readFetchItems } from '../fetch-items.ts'
import { parseMessageSet } from '../message-set.ts'
import { namedUids } from '../named-messages.ts'
import type { CommandFamily } from '../reply.ts'
import { type CommandRule, type Invocation, ok, type Reply } from '../reply.ts'
import type { Session } from '../session.ts'

async function fetch({ session, args, isUid }: Invocation): Promise<Reply> {
  const { open } = session
  const set = args.atom()
  const uids = namedUids(open, set, { isUid })
  const asked = readFetchItems(session, args.take())
  const since = readModifiers(session, { modifiers: args.optionalList(), isUid })
  args.end()
  const items = completeItems(asked, { isUid, withModSeq: since !== null })
  if (items.some((item) => item.kind === 'simple' && item.name === 'MODSEQ')) session.enableCondstore()
  if (since?.vanished === true) {
    // `*` covers what was expunged above the last message too; Cyrus forgets those (cyrus-imapd#6071).
    const named = parseMessageSet(set, UID_MAX)
    const vanished = open.mailbox.changesSince(since.modSeq).vanished.intersect(named)
    if (!vanished.isEmpty) session.untagged(`VANISHED (EARLIER) ${vanished}`)
  }
  const setsSeen = !open.isReadOnly && items.some((item) => item.kind === 'body' && item.setsSeen)
  for (const { message: found } of open.messages(uids)) {
    if (since !== null && found.modSeq <= since.modSeq) continue
    const isNewlySeen = setsSeen && markSeen(session, found.uid)
    const message = open.mailbox.get(found.uid)
    const sequence = open.sequenceOf(found.uid)
    if (message === undefined || sequence === 0) continue
    const shown = isNewlySeen && !asks(items, 'FLAGS') ? [...items, { kind: 'simple', name: 'FLAGS' } as const] : items
    session.write(`* ${sequence} FETCH (`)
    for (const piece of fetchedPieces(message, shown)) session.write(piece)
    session.write(')\r\n')
    if (asks(shown, 'FLAGS') && (asks(shown, 'MODSEQ') || !session.enabled.has('CONDSTORE'))) open.markTold(message)
    else if (isNewlySeen) open.silence(UidSet.of(message.uid))
    await session.flushWhenLarge()
  }
  return ok('Fetch completed')
}

/** BODY[...] sets \Seen (RFC 9051 §6.4.5); says whether it was not set before. */
function markSeen(session: Session, uid: number): boolean {
  const { changed } = session.open.mailbox.store(UidSet.of(uid), { direction: 'add', flags: ['\\Seen'] })
  return changed.length > 0
}

function asks(items: readonly FetchItem[], name: string): boolean {
  return items.some((item) => item.kind === 'simple' && item.name === name)
}

function completeItems(
  asked: readonly FetchItem[],
  { isUid, withModSeq }: { readonly isUid: boolean; readonly withModSeq: boolean },
): readonly FetchItem[] {
  const withUid: readonly FetchItem[] = isUid && !asks(asked, 'UID') ? [{ kind: 'simple', name: 'UID' }, ...asked] : asked
  return withModSeq && !asks(asked, 'MODSEQ') ? [...withUid, { kind: 'simple', name: 'MODSEQ' }] : withUid
}

interface FetchModifiers {
  readonly modSeq: bigint
  readonly vanished: boolean
}

function readModifiers(
  session: Session,
  { modifiers, isUid }: { readonly modifiers: readonly Token[] | null; readonly isUid: boolean },
): FetchModifiers | null {
  if (modifiers === null) return null
  const args = new Arguments(modifiers)
  let modSeq: bigint | null = null
  let vanished = false
  while (!args.isEmpty) {
    const name = args.atom().toUpperCase()
    if (name === 'CHANGEDSINCE' && session.can('CONDSTORE')) modSeq = modSeqOf(args.atom())
    else if (name === 'VANISHED' && session.can('QRESYNC')) vanished = true
    else throw new BadCommand(`Unknown FETCH modifier ${name}`)
  }
  if (vanished && (!isUid || modSeq === null)) throw new BadCommand('VANISHED used without UID FETCH and CHANGEDSINCE')
  if (vanished && !session.enabled.has('QRESYNC')) throw new BadCommand('VANISHED used without enabling QRESYNC')
  return modSeq === null ? null : { modSeq, vanished }
}

const rule: CommandRule = { states: ['selected'], holdsExpunges: true, run: fetch }

export const FETCH_COMMANDS: CommandFamily = { plain: { FETCH: rule }, byUid: { FETCH: rule } }
