/** What the server sent is not IMAP: the session ends with `remote.protocol`. */

/** Never leaves the package; its text names what was expected, never what a message holds. */
export class ProtocolViolation extends Error {
  override readonly name = 'ProtocolViolation'
}
