/** Says which of the real servers (and the browser) can run on this machine, and where the unpacked ones lie. */

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { findProgram, isExecutable } from './find-program.ts'
import type { RealServerName } from './real-server.ts'

/** What the tests can make use of. */
export type TestProgram = RealServerName | 'chromium'

export type Availability =
  | { readonly kind: 'ready' }
  /** Could be installed. */
  | { readonly kind: 'missing' }
  /** Cannot run here, installed or not. */
  | { readonly kind: 'unsupported'; readonly reason: string }

export const CYRUS_MASTER = '/usr/lib/cyrus/bin/master'
const COURIER_TCPD = 'couriertcpd'

/**
 * What is ready, what is missing and what cannot run here.
 *
 * @example if (detectServers().cyrus.kind === 'ready') server = await startCyrus()
 */
export function detectServers(): Readonly<Record<TestProgram, Availability>> {
  return {
    dovecot: readyIf(findProgram('dovecot') !== null),
    cyrus:
      rootOnly() ?? readyIf(isExecutable(CYRUS_MASTER) && isExecutable(join(leafFolder('cyrus'), 'usr/lib/cyrus/bin/imapd'))),
    courier:
      rootOnly() ??
      ownMountsOnly() ??
      readyIf(findProgram(COURIER_TCPD) !== null && isExecutable(join(leafFolder('courier'), 'usr/bin/imapd'))),
    chromium: readyIf(findProgram('chromium') !== null),
  }
}

/**
 * Where the package is unpacked that Debian does not let stand beside Dovecot: `cyrus-imapd` and `courier-imap` both conflict
 * with `dovecot-imapd`.
 */
export function leafFolder(name: 'cyrus' | 'courier'): string {
  return join(cacheFolder(), name)
}

/** The version of the unpacked package, `unknown` when it was unpacked by hand, null when it is not there. */
export async function leafVersion(name: 'cyrus' | 'courier'): Promise<string | null> {
  if (!existsSync(leafFolder(name))) return null
  return readFile(join(leafFolder(name), 'VERSION'), 'utf8').catch(() => 'unknown')
}

export function cacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'tidemail-test-servers')
}

function readyIf(isInstalled: boolean): Availability {
  return { kind: isInstalled ? 'ready' : 'missing' }
}

function rootOnly(): Availability | null {
  if (process.platform !== 'linux') return { kind: 'unsupported', reason: 'runs on Linux only' }
  return process.getuid?.() === 0 ? null : { kind: 'unsupported', reason: 'needs root to run' }
}

/** Courier's folders are compiled in, so a private instance needs a mount namespace of its own. */
function ownMountsOnly(): Availability | null {
  const works = existsSync('/proc/self/ns/mnt') && spawnSync('unshare', ['-m', 'true']).status === 0
  return works ? null : { kind: 'unsupported', reason: 'needs the right to make a mount namespace' }
}
