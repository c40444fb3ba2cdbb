/** Bundles a page from the sources, serves it from loopback, and opens it in Chromium, as often as a test wants. */

import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import { build } from 'vite'

const CHROMIUM = '/usr/bin/chromium'

type Method = (argument: never) => unknown
/** What a page offers on `globalThis.page`. */
export type PageMethods<Api> = { readonly [Name in keyof Api]: Method }
type Argument<Api extends PageMethods<Api>, Name extends keyof Api> = Parameters<Api[Name]>[0]
type Answer<Api extends PageMethods<Api>, Name extends keyof Api> = Awaited<ReturnType<Api[Name]>>

/** A tab with the page in it. */
export interface Tab<Api extends PageMethods<Api>> {
  call<Name extends keyof Api & string>(name: Name, argument: Argument<Api, Name>): Promise<Answer<Api, Name>>
  /** Loads the page again: what was in memory is gone, what was stored stays. */
  reload(): Promise<void>
  close(): Promise<void>
}

export class BrowserPage<Api extends PageMethods<Api>> {
  readonly #context: BrowserContext
  readonly #server: Server
  readonly #profile: string

  /** @param entry the path of the module that makes the page */
  static async open<Api extends PageMethods<Api>>(entry: string): Promise<BrowserPage<Api>> {
    const script = await bundle(entry)
    const server = createServer((request, response) => {
      const isScript = request.url === '/page.js'
      response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
      response.end(isScript ? script : '<!doctype html><title>page</title><script type="module" src="/page.js"></script>')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const profile = await mkdtemp(join(tmpdir(), 'tidemail-chromium-'))
    // A context of its own profile: IndexedDB of a private one stays in memory.
    const context = await chromium.launchPersistentContext(profile, { executablePath: CHROMIUM, args: ['--no-sandbox'] })
    return new BrowserPage(context, server, profile)
  }

  private constructor(context: BrowserContext, server: Server, profile: string) {
    this.#context = context
    this.#server = server
    this.#profile = profile
  }

  async openTab(): Promise<Tab<Api>> {
    const tab = await this.#context.newPage()
    await tab.goto(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`)
    await ready(tab)
    return {
      call: (name, argument) => call(tab, name, argument) as Promise<Answer<Api, typeof name>>,
      reload: async () => {
        await tab.reload()
        await ready(tab)
      },
      close: () => tab.close(),
    }
  }

  async close(): Promise<void> {
    await this.#context.close()
    this.#server.close()
    await rm(this.#profile, { recursive: true, force: true })
  }
}

/** A module with everything it imports, from the sources, as a browser loads it. */
export async function bundle(entry: string): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    resolve: { conditions: ['@tidemail/source', 'import', 'module', 'browser', 'default'] },
    build: { write: false, minify: false, target: 'esnext', lib: { entry, formats: ['es'], fileName: 'page' } },
  })
  const [output] = Array.isArray(built) ? built : [built]
  if (output === undefined || !('output' in output)) throw new Error('Nothing was bundled.')
  return output.output[0].code
}

async function ready(tab: Page): Promise<void> {
  await tab.waitForFunction(() => 'page' in globalThis)
}

function call(tab: Page, name: string, argument: unknown): Promise<unknown> {
  return tab.evaluate(
    ([method, given]) => {
      const { page } = globalThis as unknown as { page: Record<string, (argument: unknown) => unknown> }
      return page[method as string]?.(given)
    },
    [name, argument] as const,
  )
}
