/** A mailbox that the user deleted is no place to put messages, though the server still has it: they would go with it. */

import { afterEach, describe, expect, it } from 'vitest'
import { codeOf, message, messagesOf } from './engine-lab.ts'
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
    const [moved] = await messagesOf(mail, 'Work')
    const [seq] = await mail.move(moved?.reference as never, (await mail.mailbox('Archive')).id).accepted
    await lab.rest(mail)
    await mail.deleteMailbox((await mail.mailbox('Work')).id).accepted
    lab.strike({ kind: 'reject', rejection: { status: 'NO', code: 'INUSE', text: 'Busy.' } }, ['delete'], times)
    if (times > 0) await mail.syncOnce()
    expect(await codeOf(mail.undo(seq as never))).toBe('input.not-undoable')
    await lab.rest(mail)
    expect([subjects(), await mail.entries()]).toEqual([{ Archive: ['Message 1'] }, []])
  })
})

describe('what is moved out of a mailbox, before that is deleted, all of it still to be sent', () => {
  // Verifies: H-3, I-STORE-2, I-LOG-5
  it('does not go back there by an undo, as long as the deletion stands', async () => {
    lab = new SendingLab()
    lab.fill('Work', 1)
    const mail = await lab.openSynchronised()
    const [moved] = await messagesOf(mail, 'Work')
    const [seq] = await mail.move(moved?.reference as never, (await mail.mailbox('Archive')).id).accepted
    const deletion = mail.deleteMailbox((await mail.mailbox('Work')).id)
    await deletion.accepted
    expect(await codeOf(mail.undo(seq as never))).toBe('input.not-undoable')
    await deletion.undo()
    await mail.undo(seq as never)
    await lab.rest(mail)
    expect([subjects(), await mail.entries()]).toEqual([{ Work: ['Message 1'] }, []])
  })

  it('has the deletion wait for the user when the move is given up', async () => {
    lab = new SendingLab()
    lab.fill('Work', 1)
    const mail = await lab.openSynchronised()
    const [moved] = await messagesOf(mail, 'Work')
    const [seq] = await mail.move(moved?.reference as never, (await mail.mailbox('Archive')).id).accepted
    await mail.deleteMailbox((await mail.mailbox('Work')).id).accepted
    await mail.discard(seq as never)
    await lab.rest(mail)
    expect(subjects()).toEqual({ Work: ['Message 1'] })
    expect((await mail.entries()).map(({ progress }) => progress[0]?.parkedFor)).toEqual(['needs-another'])
  })

  it('leaves the new version of a draft, as long as the deletion of the mailbox of the old one stands', async () => {
    lab = new SendingLab()
    const mail = await lab.openSynchronised()
    const work = (await mail.mailbox('Work')).id
    const first = await mail.saveDraft({ bytes: message('v1'), to: work }).message
    await lab.rest(mail)
    const second = mail.saveDraft({ bytes: message('v2'), replaces: first })
    await second.accepted
    await mail.deleteMailbox(work).accepted
    expect(await codeOf(second.undo())).toBe('input.not-undoable')
    await lab.rest(mail)
    expect([subjects(), await mail.entries()]).toEqual([{ Drafts: ['v2'] }, []])
  })
})
