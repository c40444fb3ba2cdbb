/** Starts a private Cyrus on loopback; it needs root, and keeps its mail in memory where it can. */

import { chmodSync } from 'node:fs'
import { chmod, copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeCertificate } from './certificate.ts'
import { CYRUS_MASTER, leafFolder, leafVersion } from './detect.ts'
import { findProgram, isExecutable } from './find-program.ts'
import { type GuardedProcess, startGuarded } from './guarded-process.ts'
import { freePorts, freshPassword, freshUsers, greetingOf, type RealServer, startWithRetries } from './real-server.ts'
import { run } from './run-program.ts'

export interface CyrusOptions {
  /**
   * `alternate` (the default) puts folders beside the inbox, with `/`; `standard` is what Cyrus does by itself: folders below
   * `INBOX.`, and creating one elsewhere is refused.
   */
  readonly namespace?: 'alternate' | 'standard'
  /** Lines added to imapd.conf. */
  readonly extraConfig?: readonly string[]
}

export interface CyrusServer extends RealServer {
  readonly name: 'cyrus'
  /**
   * Runs a tool of Cyrus on this instance as its own user.
   *
   * @example await server.tool('cyr_expire', ['-E', '1', '-X', '0', '-D', '0'])   // forgets what was expunged
   */
  tool(name: string, args: readonly string[]): Promise<string>
}

/** Cyrus writes many small files and syncs each of them: on a disk it is some thirty times slower. */
const MEMORY_FOLDER = '/dev/shm'
const SPECIAL = ['Drafts', 'Sent', 'Trash', 'Junk', 'Archive']

export async function startCyrus(options: CyrusOptions = {}): Promise<CyrusServer> {
  const version = await leafVersion('cyrus')
  if (version === null || !isExecutable(CYRUS_MASTER)) throw new Error('Cyrus is not installed.')
  return startWithRetries(() => startOnce(version, options))
}

async function startOnce(version: string, options: CyrusOptions): Promise<CyrusServer> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemail-cyrus-'))
  const mailFolder = await mkdtemp(join(isExecutable(MEMORY_FOLDER) ? MEMORY_FOLDER : tmpdir(), 'tidemail-cyrus-mail-'))
  let guarded: GuardedProcess | undefined
  let passwords: Server | undefined
  try {
    const password = freshPassword()
    const [port = 0, tlsPort = 0] = await freePorts(2)
    const { certFile } = await makeCertificate(folder)
    await makeFolders(folder, mailFolder)
    await writeFile(join(folder, 'imapd.conf'), imapdConf(folder, mailFolder, options))
    await writeFile(join(folder, 'cyrus.conf'), cyrusConf(folder, port, tlsPort))
    await run('chown', ['-R', 'cyrus:mail', folder, mailFolder])
    passwords = await answerPasswords(join(folder, 'run/mux'), password)
    const master = [
      CYRUS_MASTER,
      '-C',
      join(folder, 'imapd.conf'),
      '-M',
      join(folder, 'cyrus.conf'),
      '-p',
      join(folder, 'run/master.pid'),
      '-D',
    ]
    const [command = '', ...args] = mailFolder.startsWith(MEMORY_FOLDER) ? master : withoutSyncing(master)
    const start = async (): Promise<GuardedProcess> => {
      const outputFile = join(folder, 'output.log')
      const started = await startGuarded({ command, args, folders: [folder, mailFolder], outputFile })
      guarded = started
      await greetingOf({ what: 'Cyrus', port, tlsPort, logFile: outputFile, hasExited: started.hasExited })
      return started
    }
    let running = await start()
    const answering = passwords
    return {
      ...{ name: 'cyrus', version, host: '127.0.0.1', port, tlsPort, caFile: certFile },
      user: freshUsers(password),
      tool: (name, toolArgs) =>
        run('setpriv', [
          ...['--reuid=cyrus', '--regid=mail', '--init-groups'],
          ...[`/usr/lib/cyrus/bin/${name}`, '-C', join(folder, 'imapd.conf'), ...toolArgs],
        ]),
      async restart() {
        await running.halt()
        running = await start()
      },
      async stop() {
        answering.close()
        await running.stop()
      },
    }
  } catch (error) {
    passwords?.close()
    await guarded?.stop()
    for (const made of [folder, mailFolder]) await rm(made, { recursive: true, force: true })
    throw error
  }
}

async function makeFolders(folder: string, mailFolder: string): Promise<void> {
  for (const name of ['run/proc', 'run/socket', 'bin']) await mkdir(join(folder, name), { recursive: true })
  for (const name of ['var', 'spool', 'lock']) await mkdir(join(mailFolder, name))
  // The user `cyrus` cannot walk into the cache of root.
  for (const name of ['imapd', 'idled'])
    await copyFile(join(leafFolder('cyrus'), 'usr/lib/cyrus/bin', name), join(folder, 'bin', name))
  await chmod(folder, 0o755)
}

function withoutSyncing(command: readonly string[]): readonly string[] {
  const program = findProgram('eatmydata')
  return program === null ? command : [program, ...command]
}

function imapdConf(folder: string, mailFolder: string, options: CyrusOptions): string {
  const isAlternate = options.namespace !== 'standard'
  return `
configdirectory: ${mailFolder}/var
proc_path: ${folder}/run/proc
mboxname_lockpath: ${mailFolder}/lock
defaultpartition: default
partition-default: ${mailFolder}/spool
servername: localhost
admins: cyrus
altnamespace: ${isAlternate ? 'yes' : 'no'}
unixhierarchysep: ${isAlternate ? 'yes' : 'no'}
virtdomains: off
allowplaintext: yes
sasl_mech_list: PLAIN LOGIN
sasl_pwcheck_method: saslauthd
sasl_saslauthd_path: ${folder}/run/mux
autocreate_quota: 0
autocreate_inbox_folders: ${SPECIAL.join(' | ')}
autocreate_subscribe_folders: ${SPECIAL.join(' | ')}
${SPECIAL.map((name) => `xlist-${name.toLowerCase()}: ${name}`).join('\n')}
conversations: no
expunge_mode: delayed
delete_mode: immediate
imapidlepoll: 1
idlesocket: ${folder}/run/socket/idle
notifysocket: ${folder}/run/socket/notify
tls_server_cert: ${folder}/cert.pem
tls_server_key: ${folder}/key.pem
tls_client_ca_dir: /etc/ssl/certs
syslog_prefix: tidemail
duplicatesuppression: no
umask: 077
maxlogins_per_user: 0
failedloginpause: 0
${(options.extraConfig ?? []).join('\n')}
`
}

function cyrusConf(folder: string, port: number, tlsPort: number): string {
  return `
START {
  recover cmd="/usr/lib/cyrus/bin/ctl_cyrusdb -C ${folder}/imapd.conf -r"
  idled   cmd="${folder}/bin/idled -C ${folder}/imapd.conf"
}
SERVICES {
  imap  cmd="${folder}/bin/imapd -C ${folder}/imapd.conf" listen="127.0.0.1:${port}" prefork=1 maxchild=50
  imaps cmd="${folder}/bin/imapd -C ${folder}/imapd.conf -s" listen="127.0.0.1:${tlsPort}" prefork=0 maxchild=50
}
EVENTS {
}
`
}

/**
 * Stands in for saslauthd: lets in any user with the one password. A request is four strings (user, password, service, realm), the
 * answer one, each with its length before it in two bytes.
 */
function answerPasswords(socketFile: string, password: string): Promise<Server> {
  const server = createServer((socket) => {
    let received = Buffer.alloc(0)
    socket.unref()
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      answerRequest(socket, received, password)
    })
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(socketFile, () => {
      chmodSync(socketFile, 0o777)
      server.unref()
      resolve(server)
    })
  })
}

function answerRequest(socket: Socket, received: Buffer, password: string): void {
  const strings: string[] = []
  let at = 0
  while (strings.length < 4) {
    if (received.length < at + 2) return
    const end = at + 2 + received.readUInt16BE(at)
    if (received.length < end) return
    strings.push(received.toString('utf8', at + 2, end))
    at = end
  }
  socket.end(Buffer.concat([Buffer.from([0, 2]), Buffer.from(strings[1] === password ? 'OK' : 'NO')]))
}
