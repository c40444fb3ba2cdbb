/** Says in a sentence what an operation does. Never tells anything of a message's content. */

import { assertNever, type Flag, type MailboxId, numbersOf, type Targets } from '@tidemail/core'
import type { FlagOperation, Operation, SubmitOperation } from './operation.ts'

/**
 * `move 3 messages from INBOX to Archive`. `nameOf` gives the path of a mailbox, or undefined where it is gone: then it is called as it was
 * when the operation was accepted.
 */
export function describeOperation(operation: Operation, nameOf: (id: MailboxId) => string | undefined): string {
  const name = (id: MailboxId): string => nameOf(id) ?? formerName(operation, id)
  switch (operation.kind) {
    case 'flag':
      return describeFlags(operation, `${messages(operation.targets)} in ${name(operation.targets.mailboxId)}`)
    case 'move':
    case 'copy':
      return `${operation.kind} ${messages(operation.targets)} from ${name(operation.targets.mailboxId)} to ${name(operation.to)}`
    case 'expunge':
      return `remove ${messages(operation.targets)} from ${name(operation.targets.mailboxId)} for good`
    case 'append':
      return `upload a message to ${name(operation.to)}`
    case 'draft':
      return `save a draft in ${name(operation.to)}${operation.replaces === null ? '' : ' in place of the version before'}`
    case 'submit':
      return `send a message to ${recipients(operation)}${operation.to === null ? '' : ` and keep it in ${name(operation.to)}`}`
    case 'create-mailbox':
      return `make the mailbox ${operation.path}`
    case 'rename-mailbox':
      return `rename the mailbox ${operation.from} to ${operation.path}`
    case 'delete-mailbox':
      return `delete the mailbox ${operation.path} with everything in it`
    case 'subscribe-mailbox':
      return `${operation.isSubscribed ? 'subscribe to' : 'unsubscribe from'} the mailbox ${operation.path}`
    default:
      return assertNever(operation)
  }
}

function formerName(operation: Operation, id: MailboxId): string {
  const names = ('names' in operation && operation.names) || []
  const path = names.find((name) => name.id === id)?.path
  return path === undefined ? 'a mailbox that is gone' : `${path} (gone)`
}

function recipients({ recipients: { length } }: SubmitOperation): string {
  return length === 1 ? '1 recipient' : `${length} recipients`
}

function describeFlags({ add, remove }: FlagOperation, where: string): string {
  if (add.length > 0 && remove.length > 0) return `add ${flags(add)} to and remove ${flags(remove)} from ${where}`
  if (add.length > 0) return `add ${flags(add)} to ${where}`
  return remove.length > 0 ? `remove ${flags(remove)} from ${where}` : `change no flags of ${where}`
}

function flags(names: readonly Flag[]): string {
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}

function messages(targets: Targets): string {
  const count = numbersOf(targets).size
  return count === 1 ? '1 message' : `${count} messages`
}
