/** Runs a server in a session of its own and makes sure that all its processes and its folders go away, even when this process is killed. */

import { type ChildProcess, spawn } from 'node:child_process'
import { openSync } from 'node:fs'

export interface GuardedCommand {
  readonly command: string
  readonly args: readonly string[]
  /** Removed when the process is stopped. */
  readonly folders: readonly string[]
  /** Where standard output and standard error go. */
  readonly outputFile: string
  readonly env?: Readonly<Record<string, string>>
}

export interface GuardedProcess {
  readonly pid: number
  hasExited(): boolean
  /** Ends everything and removes the folders. */
  stop(): Promise<void>
  /** Ends everything and keeps the folders, so that the same can be started again in them. */
  halt(): Promise<void>
}

/**
 * The guard waits for the end of its input, which comes when `stop` closes it or when this process ends in any way. Then it ends
 * the server politely, soon after everything in its session by force, and removes the folders. By session, since Courier makes
 * process groups of its own. Zombies do not count as alive: where nobody collects orphans they stay for good.
 */
const GUARD_SCRIPT = `
read -r order
session=$1
shift
alive() { ps -eo sid=,pid=,stat= | awk -v session="$session" '$1 == session && $3 !~ /^Z/ { print $2 }'; }
kill -s TERM "$session" 2>/dev/null
command -v ps >/dev/null || { sleep 0.2; kill -s KILL -- "-$session"; }
tries=0
while [ -n "$(alive)" ] && [ $tries -lt 8 ]; do sleep 0.02; tries=$((tries + 1)); done
tries=0
while left=$(alive) && [ -n "$left" ] && [ $tries -lt 100 ]; do
  kill -s KILL $left 2>/dev/null
  sleep 0.02
  tries=$((tries + 1))
done
[ "$order" = keep ] || rm -rf -- "$@"
`

export async function startGuarded(start: GuardedCommand): Promise<GuardedProcess> {
  const output = openSync(start.outputFile, 'a')
  const server = spawn(start.command, start.args, {
    detached: true,
    stdio: ['ignore', output, output],
    env: { ...process.env, ...start.env },
  })
  await new Promise<void>((resolve, reject) => {
    server.once('spawn', resolve)
    server.once('error', reject)
  })
  const pid = server.pid
  if (pid === undefined) throw new Error(`${start.command} has no process id.`)
  const guard = spawn('sh', ['-c', GUARD_SCRIPT, 'guard', String(pid), ...start.folders], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  const guardGone = exitOf(guard)
  let exited = false
  const serverGone = exitOf(server).then(() => {
    exited = true
  })
  // Neither may keep the test process alive: its end is what the guard waits for.
  server.unref()
  guard.unref()
  if (guard.stdin !== null && 'unref' in guard.stdin && typeof guard.stdin.unref === 'function') guard.stdin.unref()
  const end = async (order: string): Promise<void> => {
    guard.ref()
    guard.stdin?.end(order)
    await guardGone
    await serverGone
  }
  return { pid, hasExited: () => exited, stop: () => end(''), halt: () => end('keep\n') }
}

function exitOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
}
