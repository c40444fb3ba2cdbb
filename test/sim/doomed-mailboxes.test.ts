/** A mailbox that the user deleted is no place to put messages, though the server still has it: they would go with it. */

import { afterEach, describe, expect, it } from 'vitest'
import { messagesOf } from './engine-lab.ts'
import { SendingLab } from './sending-lab.ts'

let lab = new SendingLab()
afterEach(() => lab.close())

function subjects(): Readonly<Record<string, readonly string[]>> {
  const full = lab.account.mailboxes.filter(({ messages }) => messages.length > 0)
  return Object.fromEntries(full.map(({ path }) => [path, lab.onServer(path)]))
}

// Verifies: I-STORE-2, I-LOG-5
describe('what waits to go into a mailbox', () => {
  it('is not sent to one that the user deleted', async () => {
    lab = new SendingLab()
    lab.fill('INBOX', 1)
    const mail = await lab.openSynchronised()
    const archive = (await mail.mailbox('Archive')).id
    const [moved] = await messagesOf(mail, 'INBOX')
    const [seq] = await mail.move(moved?.reference as never, (await mail.mailbox('Work')).id).accepted
    await mail.deleteMailbox(archive).accepted
    await expect(mail.retarget(seq as never, archive)).rejects.toMatchObject({ code: 'input.unknown-mailbox' })
    await lab.rest(mail)
    expect(subjects()).toEqual({ Work: ['Message 1'] })
  })

  it('is not sent to one that the user deleted, where the policy names that for what has lost its own', async () => {
    lab = new SendingLab()
    lab.fill('INBOX', 1)
    const mail = await lab.openSynchronised({ policy: { bodies: 'none', missingMailbox: { other: 'Archive' } } })
    const [moved] = await messagesOf(mail, 'INBOX')
    await mail.move(moved?.reference as never, (await mail.mailbox('Work')).id).accepted
    await mail.deleteMailbox((await mail.mailbox('Archive')).id).accepted
    lab.account.delete('Work')
    await lab.rest(mail)
    expect(subjects()).toEqual({ INBOX: ['Message 1'] })
    expect((await mail.entries()).map(({ progress }) => progress[0]?.parkedFor)).toEqual(['mailbox-gone'])
  })
})

describe('what was moved out of a mailbox before that was deleted', () => {
  it.each([0, 1])('is not put back there to go with it: with the deletion refused for now %d times', async (times) => {
    // Verifies: H-3, I-STORE-2
    lab = new SendingLab()
    lab.fill('Work', 1)
    const mail = await lab.openSynchronised()
    const work = (await mail.mailbox('Work')).id
    const [message] = await messagesOf(mail, 'Work')
    const [seq] = await mail.move(message?.reference as never, (await mail.mailbox('Archive')).id).accepted
    await lab.rest(mail)
    await mail.deleteMailbox(work).accepted
    lab.strike({ kind: 'reject', rejection: { status: 'NO', code: 'INUSE', text: 'Busy.' } }, ['delete'], times)
    if (times > 0) await mail.syncOnce()
    await mail.undo(seq as never)
    await lab.rest(mail)
    expect(subjects()).toEqual({ Archive: ['Message 1'] })
    expect((await mail.entries()).map(({ progress }) => progress[0]?.parkedFor)).toEqual(['mailbox-gone'])
  })
})
