/** Runs a program to its end and resolves with what it printed. */

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** Longer than any tool of a mail server takes on a test mailbox. */
const PROGRAM_MS_MAX = 60_000

export async function run(file: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(file, [...args], { timeout: PROGRAM_MS_MAX, maxBuffer: 64 * 1024 * 1024 })
  return stdout
}
