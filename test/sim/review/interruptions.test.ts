import { type MessageStore, SyncError } from '@tidemail/core'
import type { MailEngine } from '@tidemail/engine'
import { describe, expect, it } from 'vitest'
import { ME } from '../engine-lab.ts'
import { serverForm, storeForm } from '../equality.ts'
import { ReviewWorld } from './review-world.ts'

const CALLS_MAX = 400

/** The store, but before each call of the planner or of a commit `onCall` is asked. */
function interrupted(store: MessageStore, onCall: (name: string) => void): MessageStore {
  const planning = new Proxy(store.planning, {
    get: (target, key) => {
      const read = Reflect.get(target, key) as (...args: unknown[]) => Promise<unknown>
      return async (...args: unknown[]) => {
        onCall(String(key))
        return read.apply(target, args)
      }
    },
  })
  const commit: MessageStore['commit'] = async (change) => {
    onCall('commit')
    return store.commit(change)
  }
  return { ...store, planning, commit }
}

/** Every kind of operation is queued, and others have changed something too; then the calls of the store are counted. */
class History {
  readonly world: ReviewWorld
  calls = 0
  onCall: (call: number) => void = () => {}
  #engine: MailEngine | null = null

  constructor(options: ConstructorParameters<typeof ReviewWorld>[0]) {
    this.world = new ReviewWorld(options)
  }

  get engine(): MailEngine {
    if (this.#engine === null) throw new Error('The history has not begun.')
    return this.#engine
  }

  async begin(): Promise<this> {
    const { world } = this
    const store = interrupted(world.store(), () => {
      this.calls += 1
      this.onCall(this.calls)
    })
    world.arrive('INBOX', 6)
    world.arrive('Archive', 2)
    const engine = await world.open({ store, remote: world.remote })
    this.#engine = engine
    await world.settle(engine)
    const references = (await world.messages(engine, 'INBOX')).map(({ reference }) => reference)
    const archive = (await engine.mailbox('Archive')).id
    await engine.flag(references.slice(0, 2), { add: ['flagged'] }).accepted
    await engine.move(references.slice(0, 2), archive).accepted
    await engine.copy(references.slice(2, 3), archive).accepted
    await engine.expunge(references.slice(3, 4)).accepted
    await engine.append({ to: archive, bytes: world.message() }).accepted
    await engine.flag(references.slice(0, 1), { add: ['seen'] }).accepted
    world.arrive('INBOX', 1)
    this.calls = 0
    return this
  }
}

async function isAsExpected({ world, engine }: History, told: string): Promise<void> {
  expect(await world.settle(engine, 8), told).toBe('done')
  expect(await world.waiting(engine), told).toEqual([])
  expect(await storeForm(world.store(), ME.id), told).toEqual(serverForm(world.account))
  expect(world.account.open('Archive').messages, told).toHaveLength(6)
  expect(world.account.inbox.messages, told).toHaveLength(4)
}

describe.each([
  ['qresync', {}],
  ['bare', { without: ['CONDSTORE', 'MOVE', 'LIST-STATUS', 'MULTIAPPEND'] as const }],
])('one engine that goes on, %s', (_, options) => {
  it('loses and repeats nothing when any one call of the store fails', async () => {
    // Verifies: I-SYNC-3, I-LOG-3
    for (let at = 1; at < CALLS_MAX; at += 1) {
      const past = await new History(options).begin()
      past.onCall = (call) => {
        if (call === at) throw new SyncError('store.io', 'The disk failed once.')
      }
      await past.engine.syncOnce().catch(() => {})
      const isOver = past.calls < at
      past.onCall = () => {}
      await isAsExpected(past, `store call ${at} fails`)
      if (isOver) return expect(at).toBeGreaterThan(20)
    }
  })

  it('loses and repeats nothing when it is told to stop at any call of the store', async () => {
    // Verifies: I-SYNC-3, I-LOG-3
    for (let at = 1; at < CALLS_MAX; at += 1) {
      const past = await new History(options).begin()
      const stop = new AbortController()
      past.onCall = (call) => {
        if (call === at) stop.abort()
      }
      await past.engine.syncOnce({ signal: stop.signal }).catch(() => {})
      const isOver = past.calls < at
      past.onCall = () => {}
      await isAsExpected(past, `stopped at store call ${at}`)
      if (isOver) return expect(at).toBeGreaterThan(20)
    }
  })
})
