/** What every launcher of a real IMAP server gives back, and the waits and names they share. */

import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'

export type RealServerName = 'dovecot' | 'cyrus' | 'courier'

export interface TestUser {
  readonly name: string
  readonly password: string
}

/** A private instance of an IMAP server on loopback. */
export interface RealServer {
  readonly name: RealServerName
  readonly version: string
  readonly host: '127.0.0.1'
  /** Cleartext IMAP, with STARTTLS where the server offers it. */
  readonly port: number
  /** Implicit TLS. */
  readonly tlsPort?: number
  /** The certificate (PEM) that vouches for `localhost` and `127.0.0.1`. */
  readonly caFile?: string
  /** A user nobody has used yet; its mailboxes come into being at the first login. */
  user(): TestUser
  /** Ends every process and starts the instance again, with the mail it has. */
  restart(): Promise<void>
  /** Ends every process of the instance and removes its folder. The same happens when this process ends. */
  stop(): Promise<void>
}

/** How long a server may take from its start to its greeting. */
export const SERVER_READY_MS_MAX = 20_000
/** How often a start is tried again when another program took the port in between. */
export const SERVER_STARTS_MAX = 3
const READY_POLL_MS = 15
const GREETING_WAIT_MS_MAX = 2_000
const LOG_TAIL_CHARS = 1_500

/** As many different free ports as asked, chosen by the operating system. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const holders = await Promise.all(Array.from({ length: count }, holdPort))
  const ports = holders.map((holder) => holder.port)
  await Promise.all(holders.map((holder) => holder.release()))
  return ports
}

/** A maker of user names that no run before has used, with the one password of the instance. */
export function freshUsers(password: string): () => TestUser {
  const run = randomBytes(3).toString('hex')
  let count = 0
  return () => {
    count += 1
    return { name: `u${run}x${count}`, password }
  }
}

/** A password that no log or fixture has seen. */
export function freshPassword(): string {
  return `pw${randomBytes(9).toString('hex')}`
}

/** Runs `start` again when it fails, since a port found free can be taken before the server binds it. */
export async function startWithRetries<T>(start: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start()
    } catch (error) {
      if (attempt >= SERVER_STARTS_MAX) throw error
    }
  }
}

export interface ReadyWait {
  readonly what: string
  readonly port: number
  /** Must take connections too. */
  readonly tlsPort: number
  readonly logFile: string
  readonly hasExited: () => boolean
}

/** Resolves with the greeting as soon as the server greets; rejects with the end of its log when it exits or stays silent. */
export async function greetingOf(wait: ReadyWait): Promise<string> {
  const giveUpAt = Date.now() + SERVER_READY_MS_MAX
  while (Date.now() < giveUpAt) {
    const greeting = (await takesConnections(wait.tlsPort)) ? await readGreeting(wait.port) : null
    // Looked at after the greeting: a foreign server on the same port must not pass for one that failed to bind.
    if (wait.hasExited()) throw new Error(`${wait.what} ended while starting:\n${await logTail(wait.logFile)}`)
    if (greeting !== null) return greeting
    await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS))
  }
  throw new Error(`${wait.what} did not greet within ${SERVER_READY_MS_MAX} ms:\n${await logTail(wait.logFile)}`)
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    const finish = (takes: boolean): void => {
      socket.destroy()
      resolve(takes)
    }
    socket.once('connect', () => finish(true))
    socket.once('error', () => finish(false))
  })
}

function readGreeting(port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    let received = ''
    const finish = (greeting: string | null): void => {
      socket.destroy()
      resolve(greeting)
    }
    socket.setEncoding('latin1').setTimeout(GREETING_WAIT_MS_MAX, () => finish(null))
    socket.on('data', (text: string) => {
      received += text
      if (received.includes('\r\n')) finish(received.startsWith('* OK') ? received.trimEnd() : null)
    })
    socket.on('error', () => finish(null))
    socket.on('close', () => finish(null))
  })
}

async function logTail(logFile: string): Promise<string> {
  const log = await readFile(logFile, 'utf8').catch(() => '(no log)')
  return log.slice(-LOG_TAIL_CHARS)
}

function holdPort(): Promise<{ readonly port: number; release(): Promise<void> }> {
  return new Promise((resolve, reject) => {
    const holder = createServer()
    holder.once('error', reject)
    holder.listen(0, '127.0.0.1', () => {
      const address = holder.address()
      if (address === null || typeof address === 'string') return reject(new Error('No port was given.'))
      resolve({ port: address.port, release: () => new Promise((done) => holder.close(() => done())) })
    })
  })
}
