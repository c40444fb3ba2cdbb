/** Runs the contract of the message store over the IndexedDB of Chromium, and looks at two tabs that share a store. */

import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { StorePage } from './message-store-page.ts'

const CHROMIUM = '/usr/bin/chromium'
const ENTRY = fileURLToPath(new URL('./message-store-page.ts', import.meta.url))
const MODEL_RUNS = 8

let profile: string
let context: BrowserContext
let server: Server
let address: string

beforeAll(async () => {
  const script = await bundle()
  server = createServer((request, response) => {
    const isScript = request.url === '/page.js'
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
    response.end(isScript ? script : '<!doctype html><title>store</title><script type="module" src="/page.js"></script>')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  profile = await mkdtemp(join(tmpdir(), 'tidemail-chromium-'))
  // A context of its own profile: IndexedDB of a private one stays in memory.
  context = await chromium.launchPersistentContext(profile, { executablePath: CHROMIUM, args: ['--no-sandbox'] })
})

afterAll(async () => {
  await context.close()
  server.close()
  await rm(profile, { recursive: true, force: true })
})

describe('the message store in a browser', () => {
  it('keeps the contract (Verifies: I-STORE-1, I-STORE-3, I-LOG-1)', async () => {
    const tab = await openTab()
    const outcomes = await call(tab, 'runContract', { modelRuns: MODEL_RUNS })
    expect(outcomes.filter(({ failure }) => failure !== null)).toEqual([])
    expect(outcomes.length).toBeGreaterThan(30)
    await tab.close()
  })

  it('is one for two tabs: each reads and hears what the other wrote, and it is there after both have gone', async () => {
    const [first, second] = [await openTab(), await openTab()]
    await call(first, 'open', 'tabs')
    await call(second, 'open', 'tabs')
    await call(first, 'putAccount', 'ada')
    await call(second, 'putAccount', 'ben')
    expect(await call(first, 'accounts', undefined)).toEqual(['ada', 'ben'])
    await expect.poll(() => call(first, 'heard', undefined)).toContain(2)
    await expect.poll(() => call(second, 'heard', undefined)).toContain(2)
    await first.close()
    await second.close()
    const third = await openTab()
    await call(third, 'open', 'tabs')
    expect(await call(third, 'accounts', undefined)).toEqual(['ada', 'ben'])
    await third.close()
  })

  it('lets go when a newer version upgrades it, and does not open what that version wrote', async () => {
    const [older, newer] = [await openTab(), await openTab()]
    await call(older, 'open', 'upgraded')
    await call(newer, 'upgrade', 'upgraded')
    await expect(call(older, 'putAccount', 'ada')).rejects.toThrow(/The store was closed/)
    await expect(call(older, 'open', 'upgraded')).rejects.toThrow(/newer version/)
    await older.close()
    await newer.close()
  })
})

async function openTab(): Promise<Page> {
  const tab = await context.newPage()
  await tab.goto(address)
  await tab.waitForFunction(() => 'page' in globalThis)
  return tab
}

type Argument<Name extends keyof StorePage> = Parameters<StorePage[Name]>[0]
type Answer<Name extends keyof StorePage> = Awaited<ReturnType<StorePage[Name]>>

function call<Name extends keyof StorePage>(tab: Page, name: Name, argument: Argument<Name>): Promise<Answer<Name>> {
  return tab.evaluate(
    ([method, given]) => {
      const { page } = globalThis as unknown as { page: Record<string, (argument: unknown) => unknown> }
      return page[method as string]?.(given)
    },
    [name, argument] as const,
  ) as Promise<Answer<Name>>
}

/** The page with everything it imports, from the sources. */
async function bundle(): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    resolve: { conditions: ['@tidemail/source', 'import', 'module', 'browser', 'default'] },
    build: { write: false, minify: false, target: 'esnext', lib: { entry: ENTRY, formats: ['es'], fileName: 'page' } },
  })
  const [output] = Array.isArray(built) ? built : [built]
  if (output === undefined || !('output' in output)) throw new Error('Nothing was bundled.')
  return output.output[0].code
}
