/** Plays the same commands to the in-memory server and to Dovecot, and compares what they answer. */

import { type DovecotServer, ImapServer, RawImap, sampleMessages, startDovecot } from '@tidemail/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Marks, normalForm } from './differential-normal-form.ts'
import { DIFFERENTIAL_SCRIPTS, type DifferentialScript } from './differential-scripts.ts'

interface Login {
  readonly port: number
  readonly user: { readonly name: string; readonly password: string }
}

const samples = sampleMessages({ count: 24, seed: 3 })

describe('the in-memory server answers like Dovecot', () => {
  let dovecot: DovecotServer
  let server: ImapServer

  beforeAll(async () => {
    dovecot = await startDovecot()
    const users = Object.fromEntries(DIFFERENTIAL_SCRIPTS.map((_, i) => [`user${i}`, 'secret']))
    server = await ImapServer.start({ users, without: ['OBJECTID', 'REPLACE'] })
  })

  afterAll(async () => {
    await server?.close()
    await dovecot?.stop()
  })

  it.each(DIFFERENTIAL_SCRIPTS.map((script, i) => ({ ...script, i })))('$name', async ({ i, ...script }) => {
    const expected = await play(script, { port: dovecot.port, user: dovecot.user() })
    const actual = await play(script, { port: server.port, user: { name: `user${i}`, password: 'secret' } })
    expect(actual).toEqual(expected)
    expect(actual.length).toBeGreaterThan(script.lines.length)
  })
})

/** The commands, each followed by its answer in normal form. */
async function play(script: DifferentialScript, { port, user }: Login): Promise<string[]> {
  const clients = { A: await RawImap.connect({ host: '127.0.0.1', port }), B: await RawImap.connect({ host: '127.0.0.1', port }) }
  const marks = new RankedMarks()
  const values = { uidValidity: '1', modSeq: '1' }
  const selected = { A: '', B: '' }
  const transcript: string[] = []
  try {
    await clients.A.login(user)
    await clients.B.login(user)
    for (const line of script.lines) {
      const who = line.startsWith('B') ? 'B' : 'A'
      if (line.startsWith('B! ')) {
        const { lines } = await clients.B.ok(`STATUS ${line.slice(3)} (UIDVALIDITY HIGHESTMODSEQ)`)
        values.uidValidity = /UIDVALIDITY (\d+)/.exec(lines[0]?.text ?? '')?.[1] ?? ''
        values.modSeq = /HIGHESTMODSEQ (\d+)/.exec(lines[0]?.text ?? '')?.[1] ?? ''
        continue
      }
      const command = line.slice(2)
      const opened = /^(?:SELECT|EXAMINE) "?([^" ]+)/.exec(command)?.[1]
      if (opened !== undefined) selected[who] = opened
      const answer = await clients[who].command(partsOf(command, values))
      transcript.push(line, ...normalForm(answer, { command, selected: selected[who], marks }))
    }
  } finally {
    for (const client of Object.values(clients)) client.close()
  }
  return transcript.map((line) => marks.rank(line))
}

/** The command with `<n>` as literals. */
function partsOf(command: string, values: { readonly uidValidity: string; readonly modSeq: string }): (string | Uint8Array)[] {
  const filled = command.replace('$UV', values.uidValidity).replace('$MS', values.modSeq)
  return filled.split(/<(\d+)>(?=$| )/).map((part, i) => (i % 2 === 0 ? part : (samples[Number(part) - 1]?.bytes ?? part)))
}

/** Mod-sequences are compared by their order within a mailbox, UIDVALIDITYs by the order in which the mailbox had them. */
class RankedMarks implements Marks {
  readonly #modSeqs = new Map<string, Set<bigint>>()
  readonly #validities = new Map<string, string[]>()

  modSeq(mailbox: string, value: string): string {
    const key = mailbox.toUpperCase()
    const known = this.#modSeqs.get(key) ?? new Set()
    this.#modSeqs.set(key, known.add(BigInt(value)))
    return `{${key} ${value}}`
  }

  uidValidity(mailbox: string, value: string): string {
    const key = mailbox.toUpperCase()
    const known = this.#validities.get(key) ?? []
    if (!known.includes(value)) known.push(value)
    this.#validities.set(key, known)
    return `uv${known.indexOf(value) + 1} of ${key}`
  }

  rank(line: string): string {
    return line.replace(/\{([^ {}]+) (\d+)\}/g, (_, mailbox: string, value: string) => {
      const ordered = [...(this.#modSeqs.get(mailbox) ?? [])].sort((a, b) => (a < b ? -1 : 1))
      return `#${ordered.indexOf(BigInt(value)) + 1}`
    })
  }
}
