/** An entry of which one half is settled goes on in the same synchronisation. */

import type { MessageReference } from '@tidemail/core'
import type { MailEngine } from '@tidemail/engine'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { message } from '../engine-lab.ts'
import { SendingLab } from '../sending-lab.ts'

let lab: SendingLab
beforeEach(() => {
  lab = new SendingLab(['REPLACE'])
})
afterEach(() => lab.close())

async function saved(mail: MailEngine, subject: string, replaces?: MessageReference): Promise<MessageReference> {
  return mail.saveDraft({ bytes: message(subject), ...(replaces === undefined ? {} : { replaces }) }).message
}

// Verifies: I-LOG-2, I-SYNC-1
it('the version before a draft is removed in the run that uploads the new one, after the request for it was lost', async () => {
  const mail = await lab.openSynchronised()
  const first = await saved(mail, 'One')
  await lab.rest(mail)
  await saved(mail, 'Two', first)
  let struck = false
  lab.remote.fault = (step) => {
    if (struck || step.kind !== 'append') return 'pass'
    struck = true
    return 'lose-request'
  }
  await expect(mail.syncOnce()).rejects.toMatchObject({ code: 'remote.disconnected' })
  expect(await whileTimePasses(mail.syncOnce())).toMatchObject({ outcome: 'done', entriesPending: 0 })
  expect(lab.onServer('Drafts')).toEqual(['Two'])
})

/** A recovery waits, and looks twice. */
async function whileTimePasses<T>(running: Promise<T>): Promise<T> {
  let isOver = false
  const over = running.finally(() => {
    isOver = true
  })
  while (!isOver) {
    await new Promise(setImmediate)
    lab.clock.advance(1_000)
  }
  return over
}
