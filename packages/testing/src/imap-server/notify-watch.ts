/** Tells a session of changes in mailboxes that it has not selected, as NOTIFY asked (RFC 5465). */

import type { AccountEvent } from '../model/account.ts'
import { mailboxName } from './response-syntax.ts'
import type { Session } from './session.ts'
import { statusLine } from './status-items.ts'

/** Which mailboxes, and whether of messages (STATUS) or of names (LIST). */
export interface NotifyRequest {
  readonly covers: (path: string) => boolean
  readonly messages: boolean
  readonly names: boolean
}

export interface NotifyWatch {
  readonly requests: readonly NotifyRequest[]
  readonly stop: () => void
}

export function startNotify(session: Session, requests: readonly NotifyRequest[]): void {
  stopNotify(session)
  const stop = session.user.listen((event) => tell(session, requests, event))
  session.notify = { requests, stop }
}

export function stopNotify(session: Session): void {
  session.notify?.stop()
  session.notify = null
}

function tell(session: Session, requests: readonly NotifyRequest[], { mailbox, event }: AccountEvent): void {
  const concerned = requests.filter(({ covers }) => covers(mailbox.path))
  const isOfNames = event.kind === 'created' || event.kind === 'deleted' || event.kind === 'renamed'
  if (isOfNames && concerned.some(({ names }) => names)) {
    const attributes = event.kind === 'deleted' ? '\\NonExistent' : ''
    const oldName = event.kind === 'renamed' ? ` ("OLDNAME" (${mailboxName(event.from)}))` : ''
    session.untagged(`LIST (${attributes}) "/" ${mailboxName(mailbox.path)}${oldName}`)
  } else if (!isOfNames && mailbox !== session.selected?.mailbox && concerned.some(({ messages }) => messages)) {
    session.untagged(statusLine(mailbox, notifiedItems(session)))
  } else return
  void session.flush()
}

export function notifiedItems(session: Session): readonly string[] {
  const items = ['MESSAGES', 'UIDNEXT', 'UIDVALIDITY', 'UNSEEN']
  return session.can('CONDSTORE') ? [...items, 'HIGHESTMODSEQ'] : items
}
