/** Versions of a draft, and what the user takes back or gives up between them: one is left, and never the one that the user did not want. */

import type { EntrySeq, MessageReference } from '@tidemail/core'
import type { MailEngine } from '@tidemail/engine'
import type { StepFault } from '@tidemail/testing/simulated'
import { afterEach, describe, expect, it } from 'vitest'
import { codeOf, message, subjectsOf } from './engine-lab.ts'
import { SendingLab } from './sending-lab.ts'

let lab = new SendingLab()
afterEach(() => lab.close())

interface Version {
  readonly reference: MessageReference
  readonly seq: EntrySeq
}

async function save(mail: MailEngine, subject: string, before?: Version): Promise<Version> {
  const handle = mail.saveDraft({ bytes: message(subject), ...(before === undefined ? {} : { replaces: before.reference }) })
  const [seq] = await handle.accepted
  return { reference: await handle.message, seq: seq as EntrySeq }
}

/** The first version is on the server. */
async function firstVersion(without: 'with REPLACE' | 'without REPLACE'): Promise<{ mail: MailEngine; v1: Version }> {
  lab = new SendingLab(without === 'without REPLACE' ? ['REPLACE'] : [])
  const mail = await lab.openSynchronised()
  const v1 = await save(mail, 'v1')
  await lab.rest(mail)
  return { mail, v1 }
}

function refused(code: string): StepFault {
  return { kind: 'reject', rejection: { status: 'NO', code, text: 'No.' } }
}

async function parkedFor(mail: MailEngine): Promise<(string | null)[]> {
  return (await mail.entries()).flatMap(({ progress }) => progress.map((group) => group.parkedFor))
}

describe.each(['with REPLACE', 'without REPLACE'] as const)('of three versions of a draft, %s', (without) => {
  // Verifies: H-3, I-STORE-2
  it('the third takes the place of the first when the second is taken back', async () => {
    const { mail, v1 } = await firstVersion(without)
    const v2 = await save(mail, 'v2', v1)
    await save(mail, 'v3', v2)
    await mail.undo(v2.seq)
    expect(await subjectsOf(mail, 'Drafts')).toEqual(['v3'])
    await lab.rest(mail)
    expect(lab.onServer('Drafts')).toEqual(['v3'])
  })

  it('the first is back when both others are taken back', async () => {
    const { mail, v1 } = await firstVersion(without)
    const v2 = await save(mail, 'v2', v1)
    const v3 = await save(mail, 'v3', v2)
    await mail.undo(v2.seq)
    await mail.undo(v3.seq)
    await lab.rest(mail)
    expect([await subjectsOf(mail, 'Drafts'), lab.onServer('Drafts')]).toEqual([['v1'], ['v1']])
  })

  it('the third takes the place of the first when the second, refused, is given up', async () => {
    const { mail, v1 } = await firstVersion(without)
    const v2 = await save(mail, 'v2', v1)
    lab.strike(refused('OVERQUOTA'), ['append', 'replace'])
    await lab.rest(mail)
    await save(mail, 'v3', v2)
    await lab.rest(mail)
    await mail.discard(v2.seq)
    await lab.rest(mail)
    expect([lab.onServer('Drafts'), await mail.entries()]).toEqual([['v3'], []])
  })

  it('the first stays while a copy of it waits for the user', async () => {
    // Verifies: I-LOG-5
    const { mail, v1 } = await firstVersion(without)
    lab.strike(refused('OVERQUOTA'), ['copy'])
    const [copy] = await mail.copy(v1.reference, (await mail.mailbox('Archive')).id).accepted
    const v2 = await save(mail, 'v2', v1)
    await lab.rest(mail)
    expect([lab.onServer('Drafts'), await parkedFor(mail)]).toEqual([
      ['v1', 'v2'],
      ['over-quota', 'needs-another'],
    ])
    await mail.retry(copy as EntrySeq)
    await mail.retry(v2.seq)
    await lab.rest(mail)
    expect([lab.onServer('Archive'), lab.onServer('Drafts')]).toEqual([['v1'], ['v2']])
  })
})

describe('a second version whose first is still to be removed', () => {
  it('is not taken back, and nothing is changed, once a third has taken its place', async () => {
    // Verifies: H-3
    const { mail, v1 } = await firstVersion('without REPLACE')
    const v2 = await save(mail, 'v2', v1)
    lab.strike(refused('INUSE'), ['expunge'])
    await mail.syncOnce()
    await save(mail, 'v3', v2)
    expect(await codeOf(mail.undo(v2.seq))).toBe('input.not-undoable')
    await lab.rest(mail)
    expect([await subjectsOf(mail, 'Drafts'), lab.onServer('Drafts')]).toEqual([['v3'], ['v3']])
  })

  it('is not sent to another mailbox, for it is in its own', async () => {
    const { mail, v1 } = await firstVersion('without REPLACE')
    const v2 = await save(mail, 'v2', v1)
    lab.strike(refused('NOPERM'), ['expunge'])
    await lab.rest(mail)
    const elsewhere = mail.retarget(v2.seq, (await mail.mailbox('Archive')).id)
    expect(await codeOf(elsewhere)).toBe('input.not-retargetable')
  })
})

it('the removal of a version that was never uploaded is not taken back by the version before it', async () => {
  // Verifies: H-3, I-STORE-2
  const { mail, v1 } = await firstVersion('with REPLACE')
  const v2 = await save(mail, 'v2', v1)
  const [removal] = await mail.expunge(v2.reference).accepted
  lab.strike(refused('INUSE'), ['store', 'expunge'])
  await mail.syncOnce()
  expect(await codeOf(mail.undo(removal as EntrySeq))).toBe('input.not-undoable')
  await lab.rest(mail)
  expect([await subjectsOf(mail, 'Drafts'), lab.onServer('Drafts')]).toEqual([[], []])
})
