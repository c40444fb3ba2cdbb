/** What to hold of a mailbox, and what to do when one is gone, as the app or the user decided. */

/** UIDs, flags and envelopes are held of everything; `bodies` and what follows it say which bytes are. */
export interface Policy {
  /** `none`: no parts; `text`: text parts; `all`: every part. */
  readonly bodies: 'none' | 'text' | 'all'
  /** Parts larger than this are not held, in octets as transferred. */
  readonly partBytesMax: number
  /** Parts of so many of the newest messages of each mailbox are held. */
  readonly newestMessages: number
  /**
   * What becomes of operations whose destination is gone: `park` them for the user to decide, `create` the mailbox again under its last name, send to the
   * `other` one, by its path, or `skip` them, so that messages stay where they are; uploads are never skipped.
   */
  readonly missingMailbox: 'park' | 'create' | 'skip' | { readonly other: string }
}

export const DEFAULT_POLICY: Policy = { bodies: 'text', partBytesMax: 262_144, newestMessages: 500, missingMailbox: 'park' }
