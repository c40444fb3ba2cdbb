/** Starts a private Dovecot on loopback; it needs no root. */

import { execFileSync } from 'node:child_process'
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { makeCertificate } from './certificate.ts'
import { findProgram } from './find-program.ts'
import { type GuardedProcess, startGuarded } from './guarded-process.ts'
import { freePorts, freshPassword, freshUsers, greetingOf, type RealServer, startWithRetries } from './real-server.ts'
import { run } from './run-program.ts'

export interface DovecotOptions {
  /** Lines added at the end of the configuration; a later setting wins over an earlier one. */
  readonly extraConfig?: readonly string[]
}

export interface DovecotServer extends RealServer {
  readonly name: 'dovecot'
  /**
   * Runs Dovecot's administration tool on this instance and resolves with its output.
   *
   * @example await server.doveadm(['mailbox', 'update', '-u', user.name, '--uid-validity', '777', 'INBOX'])
   */
  doveadm(args: readonly string[]): Promise<string>
}

/** The mail user of an instance that root runs: `nobody` on every Linux. */
const NOBODY_ID = 65_534

/** Starts Dovecot with the mailboxes Drafts, Sent, Trash, Junk and Archive for every user. */
export async function startDovecot(options: DovecotOptions = {}): Promise<DovecotServer> {
  const program = findProgram('dovecot')
  if (program === null) throw new Error('Dovecot is not installed.')
  const version = (await run(program, ['--version'])).split(' ')[0]?.trim() ?? 'unknown'
  return startWithRetries(() => startOnce(program, version, options))
}

async function startOnce(program: string, version: string, options: DovecotOptions): Promise<DovecotServer> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemail-dovecot-'))
  let guarded: GuardedProcess | undefined
  try {
    const password = freshPassword()
    const [port = 0, tlsPort = 0] = await freePorts(2)
    const { certFile } = await makeCertificate(folder)
    const configFile = join(folder, 'dovecot.conf')
    await makeFolders(folder)
    await writeFile(configFile, configuration({ folder, port, tlsPort, password, extra: options.extraConfig ?? [] }))
    const start = async (): Promise<GuardedProcess> => {
      const started = await startGuarded({
        command: program,
        args: ['-F', '-c', configFile],
        folders: [folder],
        outputFile: join(folder, 'output.log'),
      })
      guarded = started
      await greetingOf({ what: 'Dovecot', port, tlsPort, logFile: join(folder, 'dovecot.log'), hasExited: started.hasExited })
      return started
    }
    let running = await start()
    return {
      ...{ name: 'dovecot', version, host: '127.0.0.1', port, tlsPort, caFile: certFile },
      user: freshUsers(password),
      async restart() {
        await running.halt()
        running = await start()
      },
      stop: () => running.stop(),
      doveadm: (args) => run('doveadm', ['-c', configFile, ...args]),
    }
  } catch (error) {
    await guarded?.stop()
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

async function makeFolders(folder: string): Promise<void> {
  for (const name of ['run', 'state', 'mail']) await mkdir(join(folder, name))
  if (!isRoot()) return
  // The mail processes run as nobody, and must be able to walk in.
  await chmod(folder, 0o711)
  await chown(join(folder, 'mail'), NOBODY_ID, NOBODY_ID)
}

interface ConfigurationInput {
  readonly folder: string
  readonly port: number
  readonly tlsPort: number
  readonly password: string
  readonly extra: readonly string[]
}

function configuration({ folder, port, tlsPort, password, extra }: ConfigurationInput): string {
  const uid = isRoot() ? NOBODY_ID : userInfo().uid
  const gid = isRoot() ? NOBODY_ID : userInfo().gid
  return `
base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = ${folder}/dovecot.log
instance_name = tidemail-${port}
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <${folder}/cert.pem
ssl_key = <${folder}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
first_valid_uid = 0
first_valid_gid = 0
mail_location = mdbox:~/mdbox
mail_fsync = never
mail_max_userip_connections = 100
passdb {
  driver = static
  args = password=${password}
}
userdb {
  driver = static
  args = uid=${uid} gid=${gid} home=${folder}/mail/%u
}
service imap-login {
  chroot =
  service_count = 0
  inet_listener imap {
    port = ${port}
  }
  inet_listener imaps {
    port = ${tlsPort}
    ssl = yes
  }
}
${isRoot() ? '' : withoutRoot()}
namespace inbox {
  inbox = yes
  separator = /
${['Drafts', 'Sent', 'Trash', 'Junk', 'Archive'].map(specialMailbox).join('\n')}
}
${extra.join('\n')}
`
}

/** Every process runs as the user who started the instance, and none changes its root folder. */
function withoutRoot(): string {
  const user = userInfo().username
  return `
default_internal_user = ${user}
default_internal_group = ${execFileSync('id', ['-gn'], { encoding: 'utf8' }).trim()}
default_login_user = ${user}
service anvil {
  chroot =
}
service stats {
  chroot =
}
`
}

function specialMailbox(name: string): string {
  return `  mailbox ${name} {\n    auto = subscribe\n    special_use = \\${name}\n  }`
}

function isRoot(): boolean {
  return process.getuid?.() === 0
}
