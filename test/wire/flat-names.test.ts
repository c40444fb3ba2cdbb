/** A server without a hierarchy: LIST tells NIL for the delimiter, and whatever stands in a name is part of it (RFC 9051 §6.3.9). */

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WireAccount } from './wire-account.ts'

let account: WireAccount

beforeEach(async () => {
  const rewriteLine = (line: string): string => line.replace(/^(\* (?:LIST|LSUB) \([^)]*\)) "\/" /, '$1 NIL ')
  account = await WireAccount.open({ proxy: { rewriteLine } })
  await account.settle()
})
afterEach(() => account.close())

const pathsShown = async (): Promise<readonly string[]> => (await account.engine.mailboxes()).map(({ path }) => path)

// Verifies: I-SYNC-1, I-STORE-3, DC-4549-3.3
describe('mailboxes without a hierarchy', () => {
  it('have no delimiter, and one made offline has none either', async () => {
    await account.engine.createMailbox('Plans').accepted
    expect((await account.engine.mailboxes()).map(({ delimiter }) => delimiter)).toEqual(Array(7).fill(null))
    await account.settle()
    expect((await account.engine.mailboxes()).map(({ delimiter }) => delimiter)).toEqual(Array(7).fill(null))
    expect(account.proxy.commands.map(({ line }) => line)).toContainEqual(expect.stringMatching(/ CREATE "?Plans"?$/))
  })

  it('are made, filled, renamed and deleted by themselves: what begins with the same name is another', async () => {
    const work = await account.id('Work')
    for (const name of ['Work.Deep', 'Work..', 'Old']) await account.engine.createMailbox(name).accepted
    account.arrive('Work', 2)
    await account.settle()
    await account.engine.move((await account.references('Work')).slice(0, 1), await account.id('Work.Deep')).accepted
    await account.engine.renameMailbox(work, 'Done').accepted
    await account.engine.renameMailbox(await account.id('Old'), 'Work').accepted
    expect(await pathsShown()).toEqual(expect.arrayContaining(['Done', 'Work', 'Work.Deep', 'Work..']))
    expect(await account.settle()).toBe('done')
    expect(await account.engine.entries()).toEqual([])
    await account.expectEqual()
    expect((await account.references('Done')).length).toBe(1)
    await account.engine.deleteMailbox(await account.id('Work')).accepted
    expect(await account.settle()).toBe('done')
    await account.expectEqual()
    expect(await pathsShown()).toEqual(expect.arrayContaining(['Done', 'Work.Deep', 'Work..']))
    expect(await pathsShown()).not.toContain('Work')
  })

  it('come, go and change names elsewhere', async () => {
    account.arrive('Work', 2)
    await account.settle()
    account.model.create('Work.Deep')
    account.model.rename('Work', 'Done')
    expect(await account.settle()).toBe('done')
    await account.expectEqual()
    account.model.delete('Work.Deep')
    expect(await account.settle()).toBe('done')
    await account.expectEqual()
    expect(await pathsShown()).not.toContain('Work.Deep')
  })
})
