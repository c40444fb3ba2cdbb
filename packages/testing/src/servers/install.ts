/** Installs the servers and the browser the tests run against, by apt, without ever starting a service of the system. */

import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cacheFolder, detectServers, leafFolder, type TestProgram } from './detect.ts'
import { findProgram } from './find-program.ts'

export interface InstallOptions {
  /** What to install; everything by default. */
  readonly programs?: readonly TestProgram[]
  /** Hears each step as a sentence. */
  readonly log?: (sentence: string) => void
}

export interface InstallReport {
  readonly installed: readonly TestProgram[]
  readonly ready: readonly TestProgram[]
  /** Missing and could not be installed. */
  readonly missing: readonly { readonly program: TestProgram; readonly reason: string }[]
  /** Cannot run on this machine or for this user. */
  readonly unsupported: readonly { readonly program: TestProgram; readonly reason: string }[]
  /** What an administrator types to install what is missing; null when nothing is. */
  readonly aptLine: string | null
}

interface Recipe {
  /** Installed by apt; none of them conflicts with another. */
  readonly packages: readonly string[]
  /** Unpacked into the cache instead of installed, since the IMAP servers of Debian exclude each other. */
  readonly leaf?: { readonly name: 'cyrus' | 'courier'; readonly package: string }
}

const RECIPES: Readonly<Record<TestProgram, Recipe>> = {
  dovecot: { packages: ['dovecot-imapd', 'openssl'] },
  cyrus: { packages: ['cyrus-common', 'msmtp-mta', 'openssl'], leaf: { name: 'cyrus', package: 'cyrus-imapd' } },
  courier: {
    packages: ['courier-base', 'courier-authdaemon', 'gamin', 'msmtp-mta', 'openssl'],
    leaf: { name: 'courier', package: 'courier-imap' },
  },
  chromium: { packages: ['chromium'] },
}
const ALL: readonly TestProgram[] = ['dovecot', 'cyrus', 'courier', 'chromium']
const POLICY_FILE = '/usr/sbin/policy-rc.d'
const APT_MS_MAX = 15 * 60_000
const ERROR_CHARS_MAX = 600

/** Installs what is missing, as far as root and apt are at hand, and says what is ready. Running it again does nothing. */
export function installServers(options: InstallOptions = {}): InstallReport {
  const programs = options.programs ?? ALL
  const log = options.log ?? (() => {})
  const before = detectServers()
  const missing = programs.filter((program) => before[program].kind === 'missing')
  const failure = missing.length === 0 ? null : install(missing, log)
  const after = detectServers()
  const stillMissing = programs.filter((program) => after[program].kind === 'missing')
  return {
    installed: missing.filter((program) => after[program].kind === 'ready'),
    ready: programs.filter((program) => after[program].kind === 'ready'),
    missing: stillMissing.map((program) => ({ program, reason: failure ?? 'apt installed it, but its program is not there' })),
    unsupported: programs.flatMap((program) => {
      const found = after[program]
      return found.kind === 'unsupported' ? [{ program, reason: found.reason }] : []
    }),
    aptLine: stillMissing.length === 0 ? null : aptLineFor(stillMissing),
  }
}

/** The commands that install these by hand, as root. */
export function aptLineFor(programs: readonly TestProgram[]): string {
  const packages = `apt-get update && apt-get install -y --no-remove --no-install-recommends ${packagesOf(programs).join(' ')}`
  const leaves = programs.flatMap((program) => RECIPES[program].leaf ?? [])
  return [
    packages,
    ...leaves.map(
      (leaf) => `cd $(mktemp -d) && apt-get download ${leaf.package} && dpkg -x ${leaf.package}_*.deb ${leafFolder(leaf.name)}`,
    ),
  ].join(' && ')
}

/** Null when everything went well, else why not. */
function install(programs: readonly TestProgram[], log: (sentence: string) => void): string | null {
  if (findProgram('apt-get') === null) return 'there is no apt on this machine'
  if (process.getuid?.() !== 0) return 'only root may install it'
  const packages = packagesOf(programs)
  log('Updating the package lists.')
  const removePolicy = forbidServiceStarts()
  try {
    apt(['update', '-q'])
    log(`Installing ${packages.join(', ')}.`)
    apt(['install', '-y', '-q', '--no-remove', '--no-install-recommends', ...packages])
    for (const program of programs) {
      const { leaf } = RECIPES[program]
      if (leaf === undefined) continue
      log(`Unpacking ${leaf.package} into ${leafFolder(leaf.name)}.`)
      unpack(leaf.package, leafFolder(leaf.name))
    }
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    removePolicy()
  }
}

function packagesOf(programs: readonly TestProgram[]): readonly string[] {
  return [...new Set(programs.flatMap((program) => RECIPES[program].packages))]
}

/**
 * Debian starts a service when it installs it; `policy-rc.d` is how to say no (exit 101: action forbidden). One that is there
 * already is left to whoever put it there.
 */
function forbidServiceStarts(): () => void {
  if (existsSync(POLICY_FILE)) return () => {}
  writeFileSync(POLICY_FILE, '#!/bin/sh\nexit 101\n')
  chmodSync(POLICY_FILE, 0o755)
  const remove = (): void => rmSync(POLICY_FILE, { force: true })
  process.once('exit', remove)
  return () => {
    process.removeListener('exit', remove)
    remove()
  }
}

function unpack(packageName: string, folder: string): void {
  mkdirSync(cacheFolder(), { recursive: true })
  const downloads = mkdtempSync(join(tmpdir(), 'tidemail-download-'))
  try {
    apt(['download', '-q', packageName], downloads)
    const archive = readdirSync(downloads).find((file) => file.endsWith('.deb'))
    if (archive === undefined) throw new Error(`apt-get download ${packageName} left no file.`)
    rmSync(folder, { recursive: true, force: true })
    run('dpkg', ['-x', join(downloads, archive), folder])
    writeFileSync(join(folder, 'VERSION'), archive.split('_')[1] ?? '')
  } finally {
    rmSync(downloads, { recursive: true, force: true })
  }
}

function apt(args: readonly string[], folder: string = '/'): void {
  run('apt-get', ['-o', 'Dpkg::Options::=--force-confold', ...args], folder)
}

function run(command: string, args: readonly string[], folder: string = '/'): void {
  const { status, stderr, error } = spawnSync(command, args, {
    cwd: folder,
    encoding: 'utf8',
    timeout: APT_MS_MAX,
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
  })
  if (status === 0) return
  const said = (error?.message ?? stderr ?? '').trim().slice(-ERROR_CHARS_MAX)
  throw new Error(`${command} ${args.join(' ')} failed: ${said}`)
}
