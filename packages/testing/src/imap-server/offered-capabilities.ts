/** Says what a session is told that it can do, and which commands that leaves out. */

import type { Extension } from '../model/extensions.ts'
import type { Session } from './session.ts'

const NEEDED: Readonly<Record<string, Extension>> = {
  ENABLE: 'ENABLE',
  ID: 'ID',
  IDLE: 'IDLE',
  NAMESPACE: 'NAMESPACE',
  UNSELECT: 'UNSELECT',
  MOVE: 'MOVE',
  NOTIFY: 'NOTIFY',
  REPLACE: 'REPLACE',
  'UID MOVE': 'MOVE',
  'UID EXPUNGE': 'UIDPLUS',
  'UID REPLACE': 'REPLACE',
}

const BEFORE_LOGIN: readonly Extension[] = ['SASL-IR', 'LITERAL+', 'LITERAL-', 'ENABLE', 'ID', 'IDLE']

/** Whether the command is there for this session: its extension is offered. */
export function isOffered(session: Session, { name, isUid }: { readonly name: string; readonly isUid: boolean }): boolean {
  if (name === 'STARTTLS') return session.host.canStartTls && !session.isTls
  const needed = NEEDED[isUid ? `UID ${name}` : name]
  return needed === undefined || session.can(needed)
}

/** What CAPABILITY lists in this state of the session. */
export function capabilitiesOf(session: Session): string {
  const offered = [...session.host.extensions]
  if (session.account !== null) {
    const limit = session.account.appendLimitOctets
    return ['IMAP4rev1', ...offered, ...(limit === null ? [] : [`APPENDLIMIT=${limit}`])].join(' ')
  }
  const tls = session.host.canStartTls && !session.isTls ? ['STARTTLS'] : []
  return ['IMAP4rev1', ...offered.filter((name) => BEFORE_LOGIN.includes(name)), ...tls, 'AUTH=PLAIN'].join(' ')
}
