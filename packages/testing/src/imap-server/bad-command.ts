/** What a command that breaks the grammar ends in. */

/** The client broke the grammar: the answer is BAD. */
export class BadCommand extends Error {
  override readonly name = 'BadCommand'
}
