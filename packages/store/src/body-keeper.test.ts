import type { BodyId } from '@tidemail/core'
import { beforeEach, describe, expect, it } from 'vitest'
import type { BodyFiles } from './body-files.ts'
import { BodyKeeper } from './body-keeper.ts'

const BODY = 'abcdef' as BodyId
const BYTES = new Uint8Array([1, 2, 3])
const NOBODY: ReadonlySet<BodyId> = new Set()

/** Files that are only names. */
class NamedFiles implements BodyFiles {
  readonly kept: Map<BodyId, Uint8Array> = new Map()
  failure: Error | null = null

  async write(id: BodyId, bytes: Uint8Array): Promise<void> {
    this.kept.set(id, bytes)
  }

  async read(id: BodyId): Promise<Uint8Array | null> {
    return this.kept.get(id) ?? null
  }

  async remove(id: BodyId): Promise<void> {
    if (this.failure !== null) throw this.failure
    this.kept.delete(id)
  }
}

let files: NamedFiles
let bodies: BodyKeeper

beforeEach(async () => {
  files = new NamedFiles()
  bodies = new BodyKeeper(files)
  await bodies.keepFor(new Map([[BODY, BYTES]]), async () => {})
})

describe('bodies that nobody names any more', () => {
  it('are removed', async () => {
    await bodies.remove([BODY], async () => NOBODY)
    expect(await bodies.read(BODY)).toBeNull()
  })

  it('stay when another transaction has come to name them', async () => {
    await bodies.remove([BODY], async (ids) => new Set(ids))
    expect(await bodies.read(BODY)).toEqual(BYTES)
  })

  it('stay while a transaction is under way that names them', async () => {
    const [begun, ended] = [gate(), gate()]
    const keeping = bodies.keepFor(new Map([[BODY, BYTES]]), () => {
      begun.open()
      return ended.passed
    })
    await begun.passed
    await bodies.remove([BODY], async () => NOBODY)
    expect(await bodies.read(BODY)).toEqual(BYTES)
    ended.open()
    await keeping
    await bodies.remove([BODY], async () => NOBODY)
    expect(await bodies.read(BODY)).toBeNull()
  })

  it('are written anew, and not too early, by who comes to name them while they are removed', async () => {
    const [asked, answered] = [gate(), gate()]
    const removing = bodies.remove([BODY], async () => {
      asked.open()
      await answered.passed
      return NOBODY
    })
    await asked.passed
    const order: string[] = []
    const keeping = bodies.keepFor(new Map([[BODY, BYTES]]), async () => void order.push('named'))
    for (let turns = 0; turns < 20; turns += 1) await Promise.resolve()
    order.push('answered')
    answered.open()
    await Promise.all([removing, keeping])
    expect(order).toEqual(['answered', 'named'])
    expect(await bodies.read(BODY)).toEqual(BYTES)
  })

  it('stay, and stop nobody, when they cannot be removed', async () => {
    files.failure = new Error('no')
    await bodies.remove([BODY], async () => NOBODY)
    files.failure = null
    await bodies.remove([BODY], async () => NOBODY)
    expect(files.kept.size).toBe(0)
  })
})

function gate(): { readonly passed: Promise<void>; readonly open: () => void } {
  let open: () => void = () => {}
  const passed = new Promise<void>((resolve) => {
    open = resolve
  })
  return { passed, open }
}
