/** How an engine begins and ends: accounts, plans, interruption, closing, wiping. */

import { accountId } from '@tidemail/core'
import { createMailEngine, type MailEngine } from '@tidemail/engine'
import { MemoryMessageStore, ModelAccount, SimulatedRemote } from '@tidemail/testing/simulated'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { codeOf, EngineLab, ME, message, messagesOf, subjectsOf, totalsOf } from './engine-lab.ts'
import { serverForm, storeForm } from './equality.ts'

let lab: EngineLab

beforeEach(() => {
  lab = new EngineLab()
  lab.fill('INBOX', 5)
})

afterEach(() => lab.close())

async function storeOf(account = ME.id): ReturnType<typeof storeForm> {
  return storeForm(new MemoryMessageStore({ disk: lab.disk }), account)
}

describe('a closed engine', () => {
  const calls: readonly [string, (mail: MailEngine) => Promise<unknown>][] = [
    ['syncOnce', (mail) => mail.syncOnce()],
    ['plan', (mail) => mail.plan()],
    ['an offline plan', (mail) => mail.plan({ offline: true })],
    ['mailboxes', (mail) => mail.mailboxes()],
    ['mailbox', (mail) => mail.mailbox('INBOX')],
    ['page', (mail) => mail.page({ mailboxId: 1 as never, limit: 1 })],
    ['message', (mail) => mail.message({ kind: 'local', local: 1 as never, accountId: ME.id })],
    ['part', (mail) => mail.part({ kind: 'local', local: 1 as never, accountId: ME.id }, '')],
    ['entries', (mail) => mail.entries()],
    ['receipts', (mail) => mail.receipts()],
    ['undo', (mail) => mail.undo(1 as never)],
    ['pause', (mail) => mail.pause()],
    ['wipe', (mail) => mail.wipe()],
    ['accepting a flag', (mail) => mail.flag([], { add: ['seen'] }).accepted],
    ['accepting a move', (mail) => mail.move([], 1 as never).accepted],
    ['accepting a copy', (mail) => mail.copy([], 1 as never).accepted],
    ['accepting an expunge', (mail) => mail.expunge([]).accepted],
    ['accepting an append', (mail) => mail.append({ to: 1 as never, bytes: message('x') }).accepted],
    ['settling', (mail) => mail.expunge([]).settled],
  ]

  it.each(calls)('rejects %s with engine.closed', async (_, call) => {
    const mail = await lab.openSynchronised()
    await mail.close()
    expect(await codeOf(call(mail))).toBe('engine.closed')
  })

  it('does not start, says closed, and closes again without a word', async () => {
    const mail = await lab.openSynchronised()
    await mail.close()
    expect(() => mail.start()).toThrow(expect.objectContaining({ code: 'engine.closed' }))
    expect(mail.status.getSnapshot()).toMatchObject({ phase: 'closed', isConnected: false })
    expect(await codeOf(mail.close())).toBe('no error')
  })

  // Verifies: I-STORE-2, I-LOG-1
  it('rejects who waits for an operation, which stays queued and is sent by the next engine', async () => {
    const mail = await lab.openSynchronised()
    const handle = mail.expunge((await messagesOf(mail, 'INBOX')).slice(0, 1).map(({ reference }) => reference))
    await handle.accepted
    const waiting = codeOf(handle.settled)
    await mail.close()
    expect(await waiting).toBe('engine.closed')
    const next = await lab.open()
    expect(await next.entries()).toHaveLength(1)
    await next.syncOnce()
    expect(lab.account.inbox.messages).toHaveLength(4)
  })

  it('rejects also who asks for the receipt only after it was closed', async () => {
    const mail = await lab.openSynchronised()
    const handle = mail.expunge((await messagesOf(mail, 'INBOX')).slice(0, 1).map(({ reference }) => reference))
    await handle.accepted
    await mail.close()
    expect(await codeOf(handle.settled)).toBe('engine.closed')
  })

  it('ends a synchronisation under way with engine.closed, and the next engine finishes it', async () => {
    const mail = await lab.open()
    lab.remote.fault = (step) => {
      if (step.kind === 'fetch') void mail.close()
      return 'pass'
    }
    expect(await codeOf(mail.syncOnce())).toBe('engine.closed')
    lab.remote.fault = () => 'pass'
    await (await lab.open()).syncOnce()
    expect(await storeOf()).toEqual(serverForm(lab.account))
  })
})

describe('an account', () => {
  it('is refused under the same id with another host or user', async () => {
    await lab.open()
    expect(await codeOf(lab.open({ account: { ...ME, user: 'you' } }))).toBe('account.mismatch')
    expect(await codeOf(lab.open({ account: { ...ME, host: 'other.example' } }))).toBe('account.mismatch')
  })

  it('shares its store with another account, and neither sees or disturbs the other', async () => {
    const others = new ModelAccount({ mailboxes: { Notes: null } })
    others.inbox.append([{ bytes: message('For you'), flags: [], internalDate: lab.clock.now() }])
    const you = { id: accountId('you'), host: 'other.example', user: 'you' }
    const yourRemote = new SimulatedRemote({ account: others, clock: lab.clock })
    const mine = await lab.open()
    const yours = await lab.open({ account: you, remote: yourRemote })
    await Promise.all([mine.syncOnce(), yours.syncOnce()])
    expect(await totalsOf(mine)).toEqual({ INBOX: 5, Archive: 0, Work: 0 })
    expect(await totalsOf(yours)).toEqual({ INBOX: 1, Notes: 0 })
    await mine.expunge((await messagesOf(mine, 'INBOX')).map(({ reference }) => reference)).accepted
    await Promise.all([mine.syncOnce(), yours.syncOnce()])
    expect(await storeOf()).toEqual(serverForm(lab.account))
    expect(await storeOf(you.id)).toEqual(serverForm(others))
    expect(await yours.receipts()).toEqual([])
  })

  it('is wiped with everything it holds, and the other account stays', async () => {
    const others = new ModelAccount()
    const you = { id: accountId('you'), host: 'other.example', user: 'you' }
    const yours = await lab.openSynchronised({ account: you, remote: new SimulatedRemote({ account: others, clock: lab.clock }) })
    const mine = await lab.openSynchronised()
    await mine.append({ to: (await mine.mailbox('Work')).id, bytes: message('Never sent') }).accepted
    await mine.wipe()
    expect(mine.status.getSnapshot().phase).toBe('closed')
    expect(lab.disk.state.bodies.size).toBe(0)
    const again = await lab.open()
    expect([await again.mailboxes(), await again.entries(), await again.receipts()]).toEqual([[], [], []])
    expect(await yours.mailboxes()).toHaveLength(6)
    await again.syncOnce()
    expect(await storeOf()).toEqual(serverForm(lab.account))
    expect(lab.mutations).toEqual([])
  })
})

describe('engines that share an account', () => {
  // Verifies: I-SYNC-4, FIELD-17
  it('do not replay both: the later one leads, and the earlier stops with engine.not-leader', async () => {
    const early = await lab.openSynchronised()
    const late = await lab.openSynchronised()
    const [newest] = await messagesOf(early, 'INBOX')
    await early.expunge(newest?.reference ?? []).accepted
    expect(await codeOf(early.syncOnce())).toBe('engine.not-leader')
    expect(lab.mutations).toEqual([])
    await late.syncOnce()
    expect(lab.mutations).toEqual(['store', 'expunge'])
    expect(await subjectsOf(early, 'INBOX')).toEqual(await subjectsOf(late, 'INBOX'))
  })

  // Verifies: I-SYNC-4
  it('all accept operations, and whoever waits learns of the receipt from whichever engine settles it', async () => {
    const early = await lab.openSynchronised()
    const late = await lab.openSynchronised()
    const [newest] = await messagesOf(early, 'INBOX')
    const settled = early.flag(newest?.reference ?? [], { add: ['seen'] }).settled
    await late.syncOnce()
    expect((await settled)[0]?.outcomes).toMatchObject([{ outcome: 'applied' }])
  })
})

describe('a plan', () => {
  it('changes nothing on the server and writes nothing, and the synchronisation then does what it said', async () => {
    const mail = await lab.openSynchronised()
    const [first, second] = await messagesOf(mail, 'INBOX')
    const archive = await mail.mailbox('Archive')
    await mail.flag(first?.reference ?? [], { add: ['seen'] }).accepted
    await mail.move(second?.reference ?? [], archive.id).accepted
    lab.fill('Work', 1)
    const [revision, sent] = [lab.revision, lab.remote.stepCount]
    const plan = await mail.plan()
    expect(lab.revision).toBe(revision)
    const asked = lab.remote.sent.slice(sent).map(({ step }) => step.kind)
    expect(asked.filter((kind) => kind !== 'leave')).toEqual(['list'])
    const said = plan.steps.filter(({ step }) => step.kind !== 'leave')
    expect(said.map(({ part, mailbox, step }) => [part, mailbox, step.kind])).toEqual([
      ['list', null, 'list'],
      ['replay', 'INBOX', 'store'],
      ['replay', 'INBOX', 'move'],
      ['resync', 'Work', 'open'],
      ['resync', 'Work', 'fetch'],
    ])
    for (const { step } of plan.steps) expect(step.reason).toMatch(/\w+ \w+/)
    await mail.syncOnce()
    expect(lab.mutations).toEqual(['store', 'move'])
    expect(await mail.plan({ offline: true })).toEqual({ steps: [], waiting: [] })
  })

  it('writes nothing on an account that was never synchronised either', async () => {
    const mail = await lab.open()
    const revision = lab.revision
    await mail.plan()
    expect(lab.revision).toBe(revision)
  })

  it('made offline does not connect', async () => {
    const mail = await lab.openSynchronised()
    const [newest] = await messagesOf(mail, 'INBOX')
    await mail.flag(newest?.reference ?? [], { add: ['seen'] }).accepted
    await mail.close()
    lab.remote.goOffline()
    const again = await lab.open()
    const connections = lab.remote.connectionCount
    expect((await again.plan({ offline: true })).steps.map(({ part, step }) => [part, step.kind])).toEqual([['replay', 'store']])
    expect(lab.remote.connectionCount).toBe(connections)
  })
})

describe('an AbortSignal', () => {
  it('that is aborted already lets nothing be sent', async () => {
    const mail = await lab.open()
    expect(await codeOf(mail.syncOnce({ signal: AbortSignal.abort() }))).toBe('engine.aborted')
    expect(lab.remote.stepCount).toBe(0)
    expect(mail.status.getSnapshot()).toMatchObject({ phase: 'idle', problem: null })
  })

  // Verifies: I-SYNC-3
  it('ends a synchronisation after the step in flight, whichever that is, and the next one finishes it', async () => {
    let interrupted = 0
    for (let at = 0, isOver = false; !isOver; at += 1) {
      const inner = new EngineLab()
      inner.fill('INBOX', 4)
      inner.fill('Archive', 3)
      const mail = await inner.open()
      const controller = new AbortController()
      inner.remote.fault = (_, index) => {
        if (index === at) controller.abort()
        return 'pass'
      }
      const code = await codeOf(mail.syncOnce({ signal: controller.signal }))
      isOver = !controller.signal.aborted
      if (code === 'engine.aborted') {
        interrupted += 1
        expect(inner.remote.stepCount).toBe(at + 1)
      }
      expect(mail.status.getSnapshot().problem).toBeNull()
      expect((await mail.syncOnce()).outcome).toBe('done')
      expect(await storeForm(new MemoryMessageStore({ disk: inner.disk }), ME.id)).toEqual(serverForm(inner.account))
      await inner.close()
    }
    expect(interrupted).toBeGreaterThan(4)
  })
})

describe('a synchronisation of named mailboxes', () => {
  it('leaves the others alone', async () => {
    const mail = await lab.openSynchronised()
    lab.fill('INBOX', 1)
    lab.fill('Work', 1)
    await mail.syncOnce({ mailboxes: ['Work'] })
    expect(await totalsOf(mail)).toEqual({ INBOX: 5, Archive: 0, Work: 1 })
  })
})

it('createMailEngine sends nothing', async () => {
  const remote = new SimulatedRemote({ account: lab.account, clock: lab.clock })
  const mail = await createMailEngine({ store: new MemoryMessageStore(), remote, account: ME })
  expect(remote.connectionCount).toBe(0)
  await mail.close()
})
