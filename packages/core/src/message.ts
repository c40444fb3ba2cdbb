/** What is known of a message, apart from its bytes. */

import type { Flag } from './flags.ts'
import type { ModSeq, Uid } from './ids.ts'

/** An address of an envelope; `address` is `mailbox@host`. */
export interface Address {
  readonly name: string | null
  readonly address: string | null
}

/** The ENVELOPE of a message, decoded (RFC 9051 §7.5.2). Text that is absent is null. */
export interface Envelope {
  readonly subject: string | null
  /** The Date header in milliseconds since 1970, or null where it cannot be read. */
  readonly date: number | null
  readonly from: readonly Address[]
  readonly sender: readonly Address[]
  readonly replyTo: readonly Address[]
  readonly to: readonly Address[]
  readonly cc: readonly Address[]
  readonly bcc: readonly Address[]
  readonly inReplyTo: string | null
  readonly messageId: string | null
}

/** A leaf of the MIME structure that can be fetched by its section (RFC 9051 §7.5.2, BODYSTRUCTURE). */
export interface MimePart {
  /** `1`, `1.2`: what BODY.PEEK[...] takes. */
  readonly section: string
  /** Lower case, `text/plain`. */
  readonly type: string
  readonly charset: string | null
  /** Lower case: `base64`, `quoted-printable`, `7bit` ... */
  readonly encoding: string
  /** Octets as transferred, still encoded. */
  readonly sizeBytes: number
  readonly disposition: 'inline' | 'attachment' | null
  readonly fileName: string | null
  readonly contentId: string | null
}

/** All that a summary fetch tells. */
export interface Summary {
  /** INTERNALDATE in milliseconds since 1970. */
  readonly internalDate: number
  /** RFC822.SIZE in octets. */
  readonly sizeBytes: number
  readonly envelope: Envelope
  readonly parts: readonly MimePart[]
  /** EMAILID (RFC 8474), else `gm:` with X-GM-MSGID, where the server has one: of equal ones the content is equal, in whichever mailboxes. */
  readonly emailId: string | null
}

/** Flags of a message as the server stated them, absolute. `modSeq` is null where the mailbox has none. */
export interface FlagState {
  readonly uid: Uid
  readonly flags: readonly Flag[]
  readonly modSeq: ModSeq | null
}

/** A message as the server holds it: flags and summary. */
export interface ServerMessage extends FlagState, Summary {}

/** What tells that two messages are the same one where UIDs cannot (RFC 4549 §4.2.2.1). */
export interface MessageIdentity {
  readonly messageId: string | null
  readonly sizeBytes: number
  /** Milliseconds since 1970, whole seconds. */
  readonly internalDate: number
  readonly emailId: string | null
}
