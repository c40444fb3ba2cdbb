/** What an app may rely on when it changes mail: handles, order, receipts, taking back. */

import type { EntrySeq, ErrorCode, MessageReference } from '@tidemail/core'
import type { OperationHandle } from '@tidemail/engine'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { codeOf, EngineLab, message, messagesOf, subjectsOf } from './engine-lab.ts'

let lab: EngineLab

beforeEach(() => {
  lab = new EngineLab()
  lab.fill('INBOX', 6)
  lab.fill('Archive', 2)
})

afterEach(() => lab.close())

describe('an operation handle', () => {
  // Verifies: I-LOG-1, I-STORE-3
  it('accepts offline, and the view has changed by then', async () => {
    const mail = await lab.openSynchronised()
    lab.remote.goOffline()
    const [newest] = await messagesOf(mail, 'INBOX')
    const [seq] = await mail.flag(newest?.reference ?? [], { add: ['flagged'] }).accepted
    const [now] = await messagesOf(mail, 'INBOX')
    expect(now).toMatchObject({ flags: ['\\Flagged'], isPending: true })
    expect((await mail.entries()).map((entry) => entry.seq)).toEqual([seq])
  })

  // Verifies: I-LOG-2
  it('settles with a receipt that carries the evidence of the server', async () => {
    const mail = await lab.openSynchronised()
    const [newest, next] = await messagesOf(mail, 'INBOX')
    const archive = await mail.mailbox('Archive')
    const moving = mail.move(
      [newest, next].flatMap((one) => one?.reference ?? []),
      archive.id,
    )
    const settled = moving.settled
    await mail.syncOnce()
    const [receipt] = await settled
    expect(receipt?.outcomes).toMatchObject([{ outcome: 'applied', evidence: { kind: 'copy-uid', target: { path: 'Archive' } } }])
    expect(lab.account.open('Archive').messages).toHaveLength(4)
    expect(await mail.receipts()).toEqual([receipt])
  })

  it('settles also when it is asked only after the receipt was written', async () => {
    const mail = await lab.openSynchronised()
    const [newest] = await messagesOf(mail, 'INBOX')
    const handle = mail.expunge(newest?.reference ?? [])
    await handle.accepted
    await mail.syncOnce()
    expect((await handle.settled).map((receipt) => receipt.outcomes[0]?.outcome)).toEqual(['applied'])
  })

  // Verifies: H-3
  it('takes back what was not sent: the view is as before, and the server never hears of it', async () => {
    const mail = await lab.openSynchronised()
    const before = await subjectsOf(mail, 'INBOX')
    const handle = mail.expunge((await messagesOf(mail, 'INBOX')).map(({ reference }) => reference))
    await handle.accepted
    expect(await subjectsOf(mail, 'INBOX')).toEqual([])
    expect(await handle.undo()).toMatchObject([{ kind: 'undone', receipt: { outcomes: [{ outcome: 'undone' }] } }])
    expect(await handle.settled).toMatchObject([{ outcomes: [{ outcome: 'undone' }] }])
    expect(await subjectsOf(mail, 'INBOX')).toEqual(before)
    await mail.syncOnce()
    expect(lab.mutations).toEqual([])
  })

  // Verifies: H-3
  it('refuses to take back what has no opposite, and what never was', async () => {
    const mail = await lab.openSynchronised()
    const [newest] = await messagesOf(mail, 'INBOX')
    const handle = mail.expunge(newest?.reference ?? [])
    const [seq] = await handle.accepted
    await mail.syncOnce()
    expect(await codeOf(handle.undo())).toBe('input.not-undoable')
    expect(await codeOf(mail.undo((Number(seq) + 99) as NonNullable<typeof seq>))).toBe('input.unknown-operation')
  })
})

describe('operations', () => {
  it('are accepted in the order of the calls, whatever each has to look up first', async () => {
    const mail = await lab.openSynchronised()
    const archive = await mail.mailbox('Archive')
    const references = (await messagesOf(mail, 'INBOX')).map(({ reference }) => reference)
    const handles: OperationHandle[] = [
      mail.append({ to: archive.id, bytes: message('First'), flags: ['seen'] }),
      mail.copy(references.slice(0, 1), archive.id),
      mail.flag(references.slice(1, 2), { add: ['flagged'] }),
      mail.move(references.slice(2, 3), archive.id),
      mail.expunge(references.slice(3, 4)),
    ]
    const seqs = (await Promise.all(handles.map((handle) => handle.accepted))).flat().map(Number)
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b))
    expect((await mail.entries()).map(({ operation }) => operation.kind)).toEqual(['append', 'copy', 'flag', 'move', 'expunge'])
  })

  // Verifies: H-18, I-STORE-3
  it('by an old name act on what the view shows of the message by now', async () => {
    const mail = await lab.openSynchronised()
    lab.remote.goOffline()
    const [newest] = await messagesOf(mail, 'INBOX')
    const old = newest?.reference ?? []
    const archive = await mail.mailbox('Archive')
    await mail.move(old, archive.id).accepted
    await mail.flag(old, { add: ['flagged'] }).accepted
    const moved = (await messagesOf(mail, 'Archive')).find(({ isPending }) => isPending)
    expect(moved).toMatchObject({ envelope: newest?.envelope, flags: ['\\Flagged'] })
    expect(await mail.message(newest?.reference as MessageReference)).toEqual(moved)
    await mail.expunge(old).accepted
    expect(await codeOf(mail.move(old, archive.id).accepted)).toBe('input.unknown-message')
    expect(await messagesOf(mail, 'Archive')).toHaveLength(2)
  })

  it('that delete a message twice by its old name move it to Trash, and leave it there', async () => {
    const mail = await lab.openSynchronised()
    const trash = (await mail.mailbox('Archive')).id
    const [newest] = await messagesOf(mail, 'INBOX')
    await mail.delete(newest?.reference ?? [], { to: trash }).accepted
    const shown = (await messagesOf(mail, 'Archive')).find(({ isPending }) => isPending)
    expect(await codeOf(mail.delete(newest?.reference ?? [], { to: trash }).accepted)).toBe('input.unknown-message')
    await mail.move(shown?.reference ?? [], (await mail.mailbox('INBOX')).id).accepted
    await mail.delete(shown?.reference ?? [], { to: trash }).accepted
    expect(await codeOf(mail.delete(shown?.reference ?? [], { to: trash }).accepted)).toBe('input.unknown-message')
    await mail.syncOnce()
    expect(lab.account.open('Archive').messages).toHaveLength(3)
    expect(lab.account.open('INBOX').messages).toHaveLength(5)
  })

  // Verifies: I-LOG-2
  it('that remove a message are done by the next run, when nobody has told what was left of them', async () => {
    const bare = new EngineLab({ without: ['NOTIFY', 'CONDSTORE'] })
    bare.fill('INBOX', 3)
    const mail = await bare.openSynchronised()
    const [newest] = await messagesOf(mail, 'INBOX')
    await mail.expunge(newest?.reference ?? []).accepted
    bare.remote.fault = (step) => (step.kind === 'search' && step.requires !== undefined ? 'lose-answer' : 'pass')
    await expect(mail.syncOnce()).rejects.toMatchObject({ code: 'remote.disconnected' })
    bare.remote.fault = () => 'pass'
    expect(await mail.syncOnce()).toMatchObject({ outcome: 'done', entriesPending: 0 })
    expect((await mail.receipts()).map(({ outcomes }) => outcomes.map(({ outcome }) => outcome))).toEqual([['applied']])
    await bare.close()
  })

  // Verifies: H-2, DC-4315-3d
  it('that move a message fetch nothing of it again', async () => {
    const mail = await lab.openSynchronised()
    const [newest] = await messagesOf(mail, 'INBOX')
    await mail.move(newest?.reference ?? [], (await mail.mailbox('Archive')).id).accepted
    expect(await mail.syncOnce()).toMatchObject({ outcome: 'done', messagesFetched: 0 })
    expect(await subjectsOf(mail, 'Archive')).toContain(newest?.envelope.subject)
  })

  it('that are refused do not hold up those after them', async () => {
    const mail = await lab.openSynchronised()
    const [newest] = await messagesOf(mail, 'INBOX')
    const refused = mail.flag(newest?.reference ?? [], { add: ['no flag'] })
    const accepted = mail.flag(newest?.reference ?? [], { add: ['seen'] })
    expect(await codeOf(refused.accepted)).toBe('input.bad-flag')
    expect(await codeOf(refused.settled)).toBe('input.bad-flag')
    expect(await accepted.accepted).toHaveLength(1)
  })

  it('on messages of two mailboxes are an entry for each', async () => {
    const mail = await lab.openSynchronised()
    const [inInbox] = await messagesOf(mail, 'INBOX')
    const [inArchive] = await messagesOf(mail, 'Archive')
    const handle = mail.flag(
      [inInbox, inArchive].flatMap((one) => one?.reference ?? []),
      { add: ['seen'] },
    )
    expect(await handle.accepted).toHaveLength(2)
    await mail.syncOnce()
    expect(await handle.settled).toHaveLength(2)
    expect(lab.account.open('Archive').messages.filter(({ flags }) => flags.includes('\\Seen'))).toHaveLength(1)
  })

  // Verifies: DC-4549-5.1c
  it('work on a message that exists only here, which keeps its reference when the server has named it', async () => {
    const mail = await lab.openSynchronised()
    const work = await mail.mailbox('Work')
    await mail.append({ to: work.id, bytes: message('Here') }).accepted
    const [local] = await messagesOf(mail, 'Work')
    expect(local?.reference.kind).toBe('local')
    await mail.flag(local?.reference ?? [], { add: ['$Later'] }).accepted
    await mail.syncOnce()
    const landed = local === undefined ? null : await mail.message(local.reference)
    expect(landed).toMatchObject({ reference: { kind: 'stored', uid: 1 }, flags: ['$Later'], isPending: false })
    expect(lab.account.open('Work').messages.map(({ flags }) => flags)).toEqual([['$Later']])
  })

  const refusals: readonly [string, ErrorCode, (mail: Awaited<ReturnType<EngineLab['open']>>) => Promise<OperationHandle>][] = [
    ['no flag at all', 'input.bad-flag', async (mail) => mail.flag(await first(mail), {})],
    ['an empty selection', 'input.unknown-message', async (mail) => mail.expunge([])],
    ['a mailbox that is not there', 'input.unknown-mailbox', async (mail) => mail.move(await first(mail), 99 as never)],
    ['an empty message', 'input.bad-message', async (mail) => appendTo(mail, new Uint8Array())],
    ['a message with NUL', 'input.bad-message', async (mail) => appendTo(mail, Uint8Array.of(65, 0, 66))],
    ['a bad date', 'input.bad-date', async (mail) => appendTo(mail, message('x'), { internalDate: Number.NaN })],
  ]

  it.each(refusals)('refuse %s, and queue nothing', async (_, code, act) => {
    const mail = await lab.openSynchronised()
    const revision = lab.revision
    const handle = await act(mail)
    expect(await codeOf(handle.accepted)).toBe(code)
    expect(lab.revision).toBe(revision)
    expect(await mail.entries()).toEqual([])
  })
})

async function first(mail: Awaited<ReturnType<EngineLab['open']>>): Promise<Parameters<typeof mail.flag>[0]> {
  return (await messagesOf(mail, 'INBOX')).slice(0, 1).map(({ reference }) => reference)
}

async function appendTo(
  mail: Awaited<ReturnType<EngineLab['open']>>,
  bytes: Uint8Array,
  more: { readonly internalDate?: number } = {},
): Promise<OperationHandle> {
  return mail.append({ to: (await mail.mailbox('Work')).id, bytes, ...more })
}

describe('a parked operation', () => {
  const full = { kind: 'reject', rejection: { status: 'NO', code: 'OVERQUOTA', text: 'Full.' } } as const

  async function parkedUpload(): Promise<{ mail: Awaited<ReturnType<EngineLab['open']>>; seq: EntrySeq }> {
    const mail = await lab.openSynchronised()
    lab.remote.fault = (step) => (step.kind === 'append' ? full : 'pass')
    const [seq] = await (await appendTo(mail, message('draft'))).accepted
    await mail.syncOnce()
    lab.remote.fault = () => 'pass'
    if (seq === undefined) throw new Error('nothing was accepted')
    return { mail, seq }
  }

  it('is shown, and not sent again by itself', async () => {
    // Verifies: I-LOG-2, FIELD-13
    const { mail } = await parkedUpload()
    await mail.syncOnce()
    expect((await mail.entries()).map(({ progress }) => progress[0]?.parkedFor)).toEqual(['over-quota'])
    expect(await subjectsOf(mail, 'Work')).toEqual(['draft'])
    expect(lab.account.open('Work').messages).toHaveLength(0)
  })

  it('is sent when the user says so', async () => {
    const { mail, seq } = await parkedUpload()
    await mail.retry(seq)
    await mail.syncOnce()
    expect(lab.account.open('Work').messages).toHaveLength(1)
    expect(await mail.entries()).toEqual([])
  })

  it('is given up when the user says so, and the view shows it no more', async () => {
    const { mail, seq } = await parkedUpload()
    await mail.discard(seq)
    expect(await subjectsOf(mail, 'Work')).toEqual([])
    expect((await mail.receipts())[0]?.outcomes.map(({ outcome }) => outcome)).toEqual(['discarded'])
    expect(await codeOf(mail.discard(seq))).toBe('input.not-undoable')
  })

  it('is not what waits in the queue', async () => {
    const mail = await lab.openSynchronised()
    const [seq] = await mail.flag(await first(mail), { add: ['seen'] }).accepted
    expect(await codeOf(mail.retry(seq as EntrySeq))).toBe('input.unknown-operation')
  })
})
