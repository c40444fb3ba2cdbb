/** What to hold of a mailbox, as the app or the user decided. */

/** UIDs, flags and envelopes are held of everything; this says which bytes are. */
export interface Policy {
  /** `none`: no parts; `text`: text parts; `all`: every part. */
  readonly bodies: 'none' | 'text' | 'all'
  /** Parts larger than this are not held, in octets as transferred. */
  readonly partBytesMax: number
  /** Parts of so many of the newest messages of each mailbox are held. */
  readonly newestMessages: number
}

export const DEFAULT_POLICY: Policy = { bodies: 'text', partBytesMax: 262_144, newestMessages: 500 }
