/** Starts a private Courier on loopback; it needs root and a mount namespace, since its folders are compiled in. */

import { chmodSync } from 'node:fs'
import { appendFile, chmod, chown, copyFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeCertificate } from './certificate.ts'
import { leafFolder, leafVersion } from './detect.ts'
import { findProgram } from './find-program.ts'
import { type GuardedProcess, startGuarded } from './guarded-process.ts'
import { freePorts, freshPassword, freshUsers, greetingOf, type RealServer, startWithRetries } from './real-server.ts'
import { run } from './run-program.ts'

export interface CourierServer extends RealServer {
  readonly name: 'courier'
}

/** Every mailbox belongs to `nobody`. */
const NOBODY_ID = 65_534

export async function startCourier(): Promise<CourierServer> {
  const version = await leafVersion('courier')
  if (version === null || findProgram('couriertcpd') === null) throw new Error('Courier is not installed.')
  return startWithRetries(() => startOnce(version))
}

async function startOnce(version: string): Promise<CourierServer> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemail-courier-'))
  let guarded: GuardedProcess | undefined
  let logins: Server | undefined
  try {
    const password = freshPassword()
    const [port = 0, tlsPort = 0] = await freePorts(2)
    const { certFile } = await makeFolders(folder)
    await writeFile(join(folder, 'start.sh'), startScript(folder, port, tlsPort))
    logins = await answerLogins(join(folder, 'run/authdaemon/socket'), password, join(folder, 'mail'))
    const outputFile = join(folder, 'output.log')
    const start = async (): Promise<GuardedProcess> => {
      const args = ['-m', 'sh', join(folder, 'start.sh')]
      const started = await startGuarded({ command: 'unshare', args, folders: [folder], outputFile })
      guarded = started
      await greetingOf({ what: 'Courier', port, tlsPort, logFile: outputFile, hasExited: started.hasExited })
      return started
    }
    let running = await start()
    const answering = logins
    return {
      ...{ name: 'courier', version, host: '127.0.0.1', port, tlsPort, caFile: certFile },
      user: freshUsers(password),
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
    logins?.close()
    await guarded?.stop()
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

async function makeFolders(folder: string): Promise<{ readonly certFile: string }> {
  const leaf = leafFolder('courier')
  for (const name of ['run/authdaemon', 'bin', 'mail']) await mkdir(join(folder, name), { recursive: true })
  await cp(join(leaf, 'etc/courier'), join(folder, 'etc'), { recursive: true })
  // Sessions run as nobody, who cannot walk into the cache of root.
  await copyFile(join(leaf, 'usr/lib/courier/courier/imaplogin'), join(folder, 'bin/imaplogin'))
  await copyFile(join(leaf, 'usr/bin/imapd'), join(folder, 'bin/imapd'))
  await chmod(folder, 0o755)
  await chown(join(folder, 'mail'), NOBODY_ID, NOBODY_ID)
  const { keyFile, certFile } = await makeCertificate(folder)
  await writeFile(join(folder, 'etc/imapd.pem'), (await readFile(keyFile, 'utf8')) + (await readFile(certFile, 'utf8')), {
    mode: 0o600,
  })
  await copyFile('/etc/courier/dhparams.pem', join(folder, 'etc/dhparams.pem')).catch(() => undefined)
  // Without it IDLE looks at the mailbox only once a minute.
  await appendFile(join(folder, 'etc/imapd'), '\nIMAP_IDLE_TIMEOUT=1\nMAXDAEMONS=60\nMAXPERIP=60\n')
  return { certFile }
}

/** In the foreground, so that all of it stays in one session. */
function startScript(folder: string, port: number, tlsPort: number): string {
  const tcpd = `${findProgram('couriertcpd')} -address=127.0.0.1 -maxprocs=60 -maxperip=60 -nodnslookup -noidentlookup`
  return `
set -e
mkdir -p /run/courier
mount --bind ${folder}/run /run/courier
mount --bind ${folder}/etc /etc/courier
/usr/lib/courier/makeimapaccess || :
set -a
prefix=/usr exec_prefix=/usr sbindir=/usr/sbin bindir=/usr/bin
. /etc/courier/imapd
. /etc/courier/imapd-ssl
IMAP_STARTTLS=NO
${tcpd} ${port} ${folder}/bin/imaplogin ${folder}/bin/imapd Maildir &
IMAP_TLS=1
${tcpd} ${tlsPort} /usr/bin/couriertls -server -tcpd ${folder}/bin/imaplogin ${folder}/bin/imapd Maildir &
wait
`
}

/**
 * Stands in for authdaemond: lets in any user with the one password and makes the maildir of a new one. A request is lines, of
 * which `AUTH <n>` announces n bytes: service, kind, user and password, each on its line.
 */
function answerLogins(socketFile: string, password: string, mailFolder: string): Promise<Server> {
  const server = createServer((socket) => {
    let received = ''
    socket.unref()
    socket.setEncoding('latin1')
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk: string) => {
      received += chunk
      const request = /(?:^|\n)AUTH (\d+)\n/.exec(received)
      if (request === null) return
      const body = received.slice(request.index + request[0].length)
      if (body.length < Number(request[1])) return
      const [, , user = '', given = ''] = body.split('\n')
      if (given !== password || !/^[a-z0-9]+$/i.test(user)) {
        socket.end('FAIL\n')
        return
      }
      makeMaildir(join(mailFolder, user)).then(
        () => socket.end(account(user, join(mailFolder, user))),
        () => socket.end('FAIL\n'),
      )
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

function account(user: string, home: string): string {
  const fields = {
    UID: NOBODY_ID,
    GID: NOBODY_ID,
    HOME: home,
    ADDRESS: user,
    AUTHENTICATED: user,
    NAME: user,
    MAILDIR: 'Maildir',
    OPTIONS: '',
  }
  return `${Object.entries(fields)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')}.\n`
}

/** For a known user the folder is there, and that is fine. */
async function makeMaildir(home: string): Promise<void> {
  const isNew = await mkdir(home).then(
    () => true,
    () => false,
  )
  if (!isNew) return
  await run('maildirmake.courier', [join(home, 'Maildir')])
  await run('chown', ['-R', `${NOBODY_ID}:${NOBODY_ID}`, home])
}
