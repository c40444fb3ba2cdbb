/** Carries out the steps on mailboxes as such: create, rename, delete, subscribe and unsubscribe. */

import { assertNever, type MailboxStep, type Rejection } from '@tidemail/core'
import type { ModelAccount } from './model/account.ts'

/** Null when it was done. */
export function carryOutOnMailbox(step: MailboxStep, account: ModelAccount): Rejection | null {
  const result = changed(step, account)
  return result === null || result.kind === 'done' ? null : { status: 'NO', code: result.code, text: result.text }
}

function changed(step: MailboxStep, account: ModelAccount): ReturnType<ModelAccount['create']> | null {
  switch (step.kind) {
    case 'create':
      return account.create(step.path)
    case 'rename':
      return account.rename(step.path, step.to)
    case 'delete':
      return account.delete(step.path)
    case 'subscribe':
      return account.subscribe(step.path)
    case 'unsubscribe':
      account.unsubscribe(step.path)
      return null
    default:
      return assertNever(step)
  }
}
