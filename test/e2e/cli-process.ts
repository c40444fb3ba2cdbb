/** Runs the real command in a process of its own, over a folder, a mail server in memory and an environment that is all ours. */

import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'

export const TIDEMAIL: string = fileURLToPath(new URL('../../packages/cli/bin/tidemail.js', import.meta.url))
/** A command that takes longer hangs. */
const COMMAND_MS_MAX = 60_000

export type JsonLine = Readonly<Record<string, unknown>> & { readonly kind: string }

export interface Finished {
  readonly status: number | null
  readonly output: string
  readonly notes: string
  /** The lines of the output, read as NDJSON. */
  json(): JsonLine[]
}

export interface RunOptions {
  readonly variables?: Readonly<Record<string, string>>
  readonly input?: string | Uint8Array
  /** A descriptor that the output goes to, instead of being kept. */
  readonly outputFile?: number
}

export interface Running {
  readonly child: ChildProcess
  readonly finished: Promise<Finished>
}

/** A folder with a store, a password file, and the command to work on them. */
export class Sandbox {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'tidemail-cli-'))
  readonly store: string = join(this.folder, 'store')
  readonly passwordFile: string = join(this.folder, 'password')

  constructor({ password = 'secret' }: { readonly password?: string } = {}) {
    writeFileSync(this.passwordFile, `${password}\n`, { mode: 0o600 })
  }

  /** Another folder with a copy of this store, as it is on the disk. */
  copy(): Sandbox {
    const copied = new Sandbox()
    cpSync(this.store, copied.store, { recursive: true })
    return copied
  }

  /** Writes a file into the folder, and gives its path. */
  file(name: string, content: string | Uint8Array): string {
    const path = join(this.folder, name)
    writeFileSync(path, content)
    return path
  }

  /** `verb arguments...` with the store of the sandbox. */
  async run(words: readonly string[], options: RunOptions = {}): Promise<Finished> {
    return this.start(words, options).finished
  }

  start([verb = '', ...words]: readonly string[], options: RunOptions = {}): Running {
    return startTidemail([verb, '--store', this.store, ...words], { folder: this.folder, ...options })
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** The command with exactly these words. */
export function startTidemail(words: readonly string[], options: RunOptions & { readonly folder: string }): Running {
  const { folder, variables = {}, input, outputFile } = options
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder, TMPDIR: tmpdir(), ...variables }
  const stdio: StdioOptions = ['pipe', outputFile ?? 'pipe', 'pipe']
  const child: ChildProcess = spawn(process.execPath, [TIDEMAIL, ...words], {
    cwd: folder,
    env,
    stdio,
    timeout: COMMAND_MS_MAX,
    killSignal: 'SIGKILL',
  })
  child.stdin?.on('error', () => undefined)
  child.stdin?.end(input ?? '')
  const output: Buffer[] = []
  const notes: Buffer[] = []
  child.stdout?.on('data', (piece: Buffer) => output.push(piece))
  child.stderr?.on('data', (piece: Buffer) => notes.push(piece))
  const finished = new Promise<Finished>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status) =>
      resolve(finishedOf(status, Buffer.concat(output).toString(), Buffer.concat(notes).toString())),
    )
  })
  return { child, finished }
}

function finishedOf(status: number | null, output: string, notes: string): Finished {
  return {
    status,
    output,
    notes,
    json: () =>
      output
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as JsonLine),
  }
}

/** Expects success, and that nothing was said on the standard error. */
export function succeeded(finished: Finished): Finished {
  expect(finished).toMatchObject({ status: 0, notes: '' })
  return finished
}

/** Expects one message with the code, one hint, the exit status, and nothing of the inside of the program. */
export function failed(finished: Finished, code: string, status: number): Finished {
  const lines = finished.notes.trimEnd().split('\n')
  expect(lines, finished.notes).toHaveLength(2)
  expect(lines[0]).toMatch(/^tidemail: .+ \([a-z-]+\.[a-z-]+\)$/)
  expect(lines[0]).toContain(`(${code})`)
  expect(lines[1]).toMatch(/^hint: .+/)
  expect(finished.status).toBe(status)
  expect(`${finished.notes}${finished.output}`).not.toMatch(/\bat .+:\d+:\d+|node:internal|Error:/)
  return finished
}
