/** Nothing but the edges needs Node: the engine syncs a simulated account in Chromium, over real IndexedDB, and over a reload. */

import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BrowserPage, bundle } from './browser-page.ts'
import type { SmokePage } from './engine-smoke-page.ts'

const ENTRY = fileURLToPath(new URL('./engine-smoke-page.ts', import.meta.url))
const SUBJECT = 'Written offline'
/** What must load in a browser. */
const PACKAGES = ['core', 'replay-log', 'planner', 'store', 'engine', 'tidemail'] as const

let browser: BrowserPage<SmokePage>

beforeAll(async () => {
  browser = await BrowserPage.open<SmokePage>(ENTRY)
})

afterAll(() => browser.close())

describe('in a browser', () => {
  it.each(PACKAGES)('the bundle of %s has nothing of Node in it', async (name) => {
    expect(await partsOfNodeIn(name)).toEqual([])
  })

  it('the bundle of imap, which is for Node, is found out', async () => {
    expect(await partsOfNodeIn('imap')).not.toEqual([])
  })

  it('the packages load', async () => {
    const tab = await browser.openTab()
    const loaded = await tab.call('loaded', undefined)
    expect(Object.keys(loaded)).toEqual(['core', 'replayLog', 'planner', 'engine', 'store'])
    for (const [name, count] of Object.entries(loaded)) expect(count, name).toBeGreaterThan(0)
    await tab.close()
  })

  // Verifies: I-LOG-1, I-STORE-2, I-STORE-3, I-SYNC-1
  it('a synchronised account takes changes offline, keeps them over a reload, and replays them', async () => {
    const tab = await browser.openTab()
    await tab.call('open', 'smoke')
    expect(await tab.call('sync', undefined)).toMatchObject({ outcome: 'done', messagesFetched: 150 })
    const first = await tab.call('forms', undefined)
    expect(first.inStore).toEqual(first.onServer)

    await tab.call('goOffline', undefined)
    await expect(tab.call('sync', undefined)).rejects.toThrow(/network is down|connection/)
    expect(await tab.call('change', { flag: 5, subject: SUBJECT })).toHaveLength(2)
    const changed = { total: 121, flagged: 5, subject: SUBJECT, pending: 6 }
    expect(await tab.call('inbox', undefined)).toEqual(changed)

    await tab.reload()
    await tab.call('open', 'smoke')
    expect(await tab.call('inbox', undefined)).toEqual(changed)

    await tab.call('rivalActs', undefined)
    expect(await tab.call('sync', undefined)).toMatchObject({ outcome: 'done', entriesSettled: 2, entriesPending: 0 })
    expect((await tab.call('evidence', undefined)).toSorted()).toEqual(['applied append-uid', 'applied flags-seen'])
    expect(await tab.call('inbox', undefined)).toMatchObject({ total: 121, flagged: 5, pending: 0 })
    const last = await tab.call('forms', undefined)
    expect(last.inStore).toEqual(last.onServer)
    expect(Object.keys(last.onServer['INBOX'] ?? {})).toHaveLength(121)
    await tab.close()
  })
})

/** Where the bundle of a package asks for a module of Node, or has the emptiness that stands for one. */
async function partsOfNodeIn(name: string): Promise<readonly string[]> {
  const code = await bundle(fileURLToPath(new URL(`../../packages/${name}/src/index.ts`, import.meta.url)))
  expect(code.length).toBeGreaterThan(1_000)
  return code.match(/.{0,40}(?:['"`]node:|__vite-browser-external|__require\().{0,40}/g) ?? []
}
