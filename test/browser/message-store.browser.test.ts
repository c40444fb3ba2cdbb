/** Runs the contract of the message store over the IndexedDB of Chromium, and looks at two tabs that share a store. */

import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BrowserPage } from './browser-page.ts'
import type { StorePage } from './message-store-page.ts'

const ENTRY = fileURLToPath(new URL('./message-store-page.ts', import.meta.url))
const MODEL_RUNS = 8

let browser: BrowserPage<StorePage>

beforeAll(async () => {
  browser = await BrowserPage.open<StorePage>(ENTRY)
})

afterAll(() => browser.close())

describe('the message store in a browser', () => {
  it('keeps the contract (Verifies: I-STORE-1, I-STORE-3, I-LOG-1)', async () => {
    const tab = await browser.openTab()
    const outcomes = await tab.call('runContract', { modelRuns: MODEL_RUNS })
    expect(outcomes.filter(({ failure }) => failure !== null)).toEqual([])
    expect(outcomes.length).toBeGreaterThan(30)
    await tab.close()
  })

  it('is one for two tabs: each reads and hears what the other wrote, and it is there after both have gone', async () => {
    const [first, second] = [await browser.openTab(), await browser.openTab()]
    await first.call('open', 'tabs')
    await second.call('open', 'tabs')
    await first.call('putAccount', 'ada')
    await second.call('putAccount', 'ben')
    expect(await first.call('accounts', undefined)).toEqual(['ada', 'ben'])
    await expect.poll(() => first.call('heard', undefined)).toContain(2)
    await expect.poll(() => second.call('heard', undefined)).toContain(2)
    await first.close()
    await second.close()
    const third = await browser.openTab()
    await third.call('open', 'tabs')
    expect(await third.call('accounts', undefined)).toEqual(['ada', 'ben'])
    await third.close()
  })

  it('lets go when a newer version upgrades it, and does not open what that version wrote', async () => {
    const [older, newer] = [await browser.openTab(), await browser.openTab()]
    await older.call('open', 'upgraded')
    await newer.call('upgrade', 'upgraded')
    await expect(older.call('putAccount', 'ada')).rejects.toThrow(/The store was closed/)
    await expect(older.call('open', 'upgraded')).rejects.toThrow(/newer version/)
    await older.close()
    await newer.close()
  })
})
