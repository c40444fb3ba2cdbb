/** Runs the demo as a user would, in a process of its own, and reads its story. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const TSX = join(ROOT, 'node_modules/tsx/dist/cli.mjs')

let temp = ''

beforeEach(() => {
  temp = mkdtempSync(join(tmpdir(), 'tidemail-demo-test-'))
})

afterEach(() => {
  rmSync(temp, { recursive: true, force: true })
})

interface Demo {
  readonly child: ChildProcess
  /** What was printed so far, on both outputs. */
  readonly printed: () => string
}

function startDemo(): Demo {
  const env = { ...process.env, TMPDIR: temp, NODE_OPTIONS: '' }
  const child = spawn(process.execPath, [TSX, '--conditions=@tidemail/source', 'demo/demo.ts'], { cwd: ROOT, env })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (piece: string) => (text += piece))
  return { child, printed: () => text }
}

// Verifies: I-LOG-1, I-LOG-3, I-SYNC-1
it('tells its story to the end, finds store and server equal, and leaves nothing behind', async () => {
  const { child, printed } = startDemo()
  const [status] = await once(child, 'close')
  const story = printed()
  expect(status, story).toBe(0)
  expect(story).toContain('1. A server, a store, and the first synchronisation')
  expect(story).toMatch(/with 400 messages in 6\s+mailboxes/)
  expect(story).toMatch(/was a mistake and has been\s+taken back/)
  expect(story).toMatch(/replay in INBOX: move \S+ to Archive\n\s+because replay a move/)
  expect(story).toMatch(/skipped: 186:187; the server said that 186:187 are gone \(VANISHED\)/)
  expect(story).toMatch(/applied: \S+; the server named the new UIDs in Archive: .* \(COPYUID\)/)
  expect(story).toMatch(/process \d+ ended by SIGKILL/)
  expect(story).toContain('1 operation settled, 0 APPENDs sent')
  expect(story).toMatch(/the answer was lost; looked for it: certain, UID \d+/)
  expect(story).toMatch(/Store and server are equal: 402 messages in 6 mailboxes/)
  expect(story).not.toMatch(/Warning|Error|DIFFERENT/)
  expect(story).not.toContain('\u001b')
  expect(readdirSync(temp).filter((name) => name.startsWith('tidemail-demo'))).toEqual([])
})

it('stops and removes everything when it is interrupted', async () => {
  const { child, printed } = startDemo()
  const ended = once(child, 'close')
  let isInterrupted = false
  child.stdout?.on('data', () => {
    // Once: whoever starts the demo may not wait for the tidying up when asked twice.
    if (isInterrupted || !printed().includes('2. Offline')) return
    isInterrupted = true
    child.kill('SIGINT')
  })
  const [status] = await ended
  expect(status, printed()).toBe(130)
  expect(printed()).not.toContain('7. The proof')
  expect(readdirSync(temp).filter((name) => name.startsWith('tidemail-demo'))).toEqual([])
})
