/** SELECT, EXAMINE, UNSELECT and CLOSE, with what CONDSTORE and QRESYNC add (RFC 9051 §6.3.2, RFC 7162 §3.2.5). */

import type { KnownState, UidSet } from '@tidemail/core'
import { changesFor } from '../../model/changes-for.ts'
import type { ModelMailbox } from '../../model/mailbox.ts'
import { SelectedMailbox } from '../../model/selected-mailbox.ts'
import { BadCommand } from '../bad-command.ts'
import { Arguments, modSeqOf, numberOf, type Token } from '../command-syntax.ts'
import { parseMessageSet } from '../message-set.ts'
import { writeFlags } from '../news.ts'
import type { CommandFamily } from '../reply.ts'
import { type CommandRule, type Invocation, no, ok, type Reply } from '../reply.ts'
import { flagList } from '../response-syntax.ts'
import type { Session } from '../session.ts'

/** The mailboxes in which mod-sequences were asked for. */
const tracked = new WeakSet<ModelMailbox>()

const select: CommandRule = {
  states: ['authenticated', 'selected'],
  run: (invocation) => openMailbox(invocation, { isReadOnly: false }),
}

const examine: CommandRule = {
  states: ['authenticated', 'selected'],
  run: (invocation) => openMailbox(invocation, { isReadOnly: true }),
}

const unselect: CommandRule = {
  states: ['selected'],
  run({ session }) {
    session.select(null)
    return ok('Unselect completed.')
  },
}

const close: CommandRule = {
  states: ['selected'],
  run({ session }) {
    const { mailbox, isReadOnly } = session.open
    session.select(null)
    if (!isReadOnly) mailbox.expunge()
    return ok('Close completed.')
  },
}

interface QresyncParameters extends Pick<KnownState, 'knownUids' | 'sequenceMatch'> {
  readonly uidValidity: number
  readonly modSeq: bigint
}

function openMailbox({ session, args }: Invocation, access: { readonly isReadOnly: boolean }): Reply {
  const path = args.mailbox()
  const parameters = args.optionalList()
  args.end()
  // A SELECT that fails leaves nothing selected, whatever it fails for (RFC 9051 §6.3.2).
  if (session.selected !== null) {
    session.select(null)
    session.untagged('OK [CLOSED] Previous mailbox closed.')
  }
  const qresync = parameters === null ? null : readParameters(session, parameters)
  const mailbox = session.user.mailbox(path)
  if (mailbox === undefined) {
    // Like Dovecot, SELECT and STATUS say no NONEXISTENT.
    return no(`Mailbox doesn't exist: ${path}`)
  }
  const selected = new SelectedMailbox(mailbox, access)
  session.select(selected)
  writeState(session, selected)
  if (qresync !== null && qresync.uidValidity === mailbox.uidValidity) writeChanges(session, selected, qresync)
  return selected.isReadOnly
    ? ok(`${access.isReadOnly ? 'Examine' : 'Select'} completed`, 'READ-ONLY')
    : ok('Select completed', 'READ-WRITE')
}

function readParameters(session: Session, parameters: readonly Token[]): QresyncParameters | null {
  const args = new Arguments(parameters)
  let qresync: QresyncParameters | null = null
  while (!args.isEmpty) {
    const name = args.atom().toUpperCase()
    if (name === 'CONDSTORE' && session.can('CONDSTORE')) session.enableCondstore()
    else if (name === 'QRESYNC' && session.can('QRESYNC')) {
      if (!session.enabled.has('QRESYNC')) throw new BadCommand('QRESYNC not enabled')
      qresync = readQresync(new Arguments(args.list()))
    } else throw new BadCommand(`Unknown parameter ${name}`)
  }
  return qresync
}

function readQresync(args: Arguments): QresyncParameters {
  const uidValidity = numberOf(args.atom())
  const modSeq = modSeqOf(args.atom())
  if (uidValidity === 0 || modSeq === 0n) throw new BadCommand('Invalid QRESYNC parameters')
  const knownUids = args.peek()?.kind === 'atom' ? explicitSet(args.atom(), 'Invalid QRESYNC known-uids') : null
  const match = args.optionalList()
  args.end()
  const known = { uidValidity, modSeq, ...(knownUids === null ? {} : { knownUids }) }
  if (match === null) return known
  const sets = new Arguments(match)
  const numbers = explicitSet(sets.atom(), 'Invalid QRESYNC known sequence-set')
  const uids = explicitSet(sets.atom(), 'Invalid QRESYNC known-uids')
  if (numbers.size !== uids.size) throw new BadCommand('Invalid QRESYNC known sets')
  return { ...known, sequenceMatch: { numbers, uids } }
}

/** `*` has no place in what a client claims to know (RFC 7162 §3.2.5.1). */
function explicitSet(text: string, complaint: string): UidSet {
  if (text.includes('*')) throw new BadCommand(complaint)
  return parseMessageSet(text, undefined)
}

function writeState(session: Session, selected: SelectedMailbox): void {
  const { mailbox, count } = selected
  writeFlags(session)
  selected.takeNewKeywords()
  session.untagged(`${count} EXISTS`)
  session.untagged('0 RECENT')
  const firstUnseen = mailbox.messages.findIndex(({ flags }) => !flags.includes('\\Seen'))
  if (firstUnseen !== -1) session.untagged(`OK [UNSEEN ${firstUnseen + 1}] First unseen.`)
  session.untagged(`OK [UIDVALIDITY ${mailbox.uidValidity}] UIDs valid`)
  session.untagged(`OK [UIDNEXT ${mailbox.uidNext}] Predicted next UID`)
  // Like Dovecot, HIGHESTMODSEQ is not said until something enabled CONDSTORE on the connection or in the mailbox.
  if (session.enabled.has('CONDSTORE')) tracked.add(mailbox)
  if (tracked.has(mailbox)) session.untagged(`OK [HIGHESTMODSEQ ${mailbox.highestModSeq}] Highest`)
  if (session.can('OBJECTID')) session.untagged(`OK [MAILBOXID (${mailbox.objectId})] Ok`)
}

function writeChanges(session: Session, selected: SelectedMailbox, known: QresyncParameters): void {
  const changes = changesFor(selected, known)
  if (changes === null) return
  if (!changes.vanished.isEmpty) session.untagged(`VANISHED (EARLIER) ${changes.vanished}`)
  for (const { uid, modSeq, flags } of changes.changed)
    session.untagged(`${selected.sequenceOf(uid)} FETCH (UID ${uid} FLAGS ${flagList(flags)} MODSEQ (${modSeq}))`)
}

export const SELECT_COMMANDS: CommandFamily = { plain: { SELECT: select, EXAMINE: examine, UNSELECT: unselect, CLOSE: close } }
