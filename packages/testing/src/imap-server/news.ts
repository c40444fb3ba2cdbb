/** Writes what happened to the open mailbox since the client was last told: VANISHED or EXPUNGE, EXISTS, FETCH. */

import { UidSet } from '@tidemail/core'
import { flagList } from './response-syntax.ts'
import type { Session } from './session.ts'

export interface NewsOptions {
  readonly withExpunges: boolean
  /** FETCH responses to a UID command carry UID (RFC 9051 §6.4.9); those of a QRESYNC session always do (RFC 7162 §3.2.4). */
  readonly withUids: boolean
}

/** Returns whether messages went: then the tagged OK of EXPUNGE and MOVE names HIGHESTMODSEQ. */
export function writeNews(session: Session, { withExpunges, withUids }: NewsOptions): { readonly hasExpunged: boolean } {
  const { open } = session
  const isQresync = session.enabled.has('QRESYNC')
  const isCondstore = session.enabled.has('CONDSTORE')
  const news = open.takeNews({ withExpunges })
  if (open.takeNewKeywords()) writeFlags(session)
  if (news.expunged.length > 0 && isQresync) {
    session.untagged(`VANISHED ${UidSet.from(news.expunged.map(({ uid }) => uid))}`)
  } else {
    for (const { sequence } of news.expunged) session.untagged(`${sequence} EXPUNGE`)
  }
  if (news.exists !== null) {
    session.untagged(`${news.exists} EXISTS`)
    session.untagged('0 RECENT')
  }
  for (const { sequence, message, isSilent } of news.changed) {
    if (isSilent && !isCondstore) continue
    const items = [
      ...(withUids || isQresync ? [`UID ${message.uid}`] : []),
      ...(isCondstore ? [`MODSEQ (${message.modSeq})`] : []),
      ...(isSilent ? [] : [`FLAGS ${flagList(message.flags)}`]),
    ]
    session.untagged(`${sequence} FETCH (${items.join(' ')})`)
  }
  return { hasExpunged: news.expunged.length > 0 }
}

/** FLAGS and PERMANENTFLAGS of the open mailbox. */
export function writeFlags(session: Session): void {
  const { mailbox, isReadOnly } = session.open
  const system = ['\\Answered', '\\Flagged', '\\Deleted', '\\Seen', '\\Draft']
  session.untagged(`FLAGS ${flagList([...system, ...mailbox.keywords])}`)
  const wildcard = mailbox.permanentFlags.includes('\\*') ? ['\\*'] : []
  const permanent = mailbox.permanentFlags.filter((flag) => flag !== '\\*')
  const keywords = mailbox.keywords.filter((keyword) => !permanent.includes(keyword))
  session.untagged(
    isReadOnly
      ? 'OK [PERMANENTFLAGS ()] Read-only mailbox.'
      : `OK [PERMANENTFLAGS ${flagList([...permanent, ...keywords, ...wildcard])}] Flags permitted.`,
  )
}
