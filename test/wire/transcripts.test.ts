/** Every session of fixtures/wire, played again: the adapter asks what it asked, observes what it observed, and keeps the rules of the wire. */

import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ALL_SERVERS } from '../e2e/server-names.ts'
import { columnsOf } from '../server/resync-columns.ts'
import { playRecords } from './play-records.ts'
import { describeBreaches, lintTranscripts } from './transcript-lint.ts'
import { readRecords, type WireRecord, writeRecords } from './wire-record.ts'

const FIXTURES = new URL('../../fixtures/wire/', import.meta.url)
const SESSION_OCTETS_MAX = 40_000
/** A scenario that every server plays. */
const EVERYWHERE = 'changes.txt'

const folders = readdirSync(FIXTURES).sort()
const filesIn = (folder: string): readonly string[] =>
  readdirSync(new URL(`${folder}/`, FIXTURES)).filter((file) => file.endsWith('.txt') && !file.endsWith('.observed.txt'))
const textOf = (folder: string, file: string): string => readFileSync(new URL(`${folder}/${file}`, FIXTURES), 'utf8')

describe.each(folders)('the sessions with %s', (folder) => {
  // Verifies: I-NET-2, I-SYNC-5, DC-4549-2.2, DC-9051-5.5, DC-7162-4
  it.concurrent.each(filesIn(folder))('are played octet for octet: %s', async (file) => {
    const records = readRecords(textOf(folder, file))
    const { observed, transcript } = await playRecords(records)
    expect(observed).toBe(textOf(folder, file.replace('.txt', '.observed.txt')))
    const history = file === 'first-sync.txt' ? 'whole' : 'partial'
    expect(describeBreaches(lintTranscripts([transcript], { history }))).toEqual([])
  })
})

describe('the recorded sessions', () => {
  it('are of each server, each tier and each profile', () => {
    const columns = ALL_SERVERS.flatMap((server) => columnsOf(server))
    const missing = columns.filter(({ name, server, profile, isBest }) => {
      const tier = isBest ? '' : `-${name.split(' ').at(-1)}`
      const pattern =
        profile === null ? new RegExp(`^${server}-[\\d.]+${tier}$`) : new RegExp(`^${profile}-by-${server}-[\\d.]+$`)
      return !folders.some((folder) => pattern.test(folder) && filesIn(folder).includes(EVERYWHERE))
    })
    expect(missing.map(({ name }) => name)).toEqual([])
  })

  it('are short, have no secrets, no host and no day of their recording, and are written as they are read', () => {
    for (const folder of folders) {
      for (const file of filesIn(folder)) {
        const text = textOf(folder, file)
        expect(text.length, `${folder}/${file}`).toBeLessThan(SESSION_OCTETS_MAX)
        expect(writeRecords(readRecords(text)), `${folder}/${file}`).toBe(text)
        // What the launchers make up: passwords `pw…`, users `u…x1`, and the second of now as UIDVALIDITY.
        expect(text, `${folder}/${file}`).not.toMatch(/\bpw[0-9a-f]{18}\b|\bu[0-9a-f]{6}x\d+\b|\b1[789]\d{8}\b|localhost/)
      }
    }
  })
})

describe('a played session', () => {
  const session = (): readonly WireRecord[] =>
    readRecords(textOf(folders.find((name) => /^dovecot-[\d.]+$/.test(name)) ?? '', EVERYWHERE))
  const changed = (from: RegExp, to: string): readonly WireRecord[] =>
    session().map((record) => (record.kind === 'line' ? { ...record, text: record.text.replace(from, to) } : record))

  it('fails where the adapter asks for something else', async () => {
    await expect(playRecords(changed(/^(T\d+ UID FETCH .*)ENVELOPE/, '$1ENVELOPES'))).rejects.toThrow(
      /Record \d+: expected .*ENVELOPES/,
    )
  })

  it('fails where the adapter asks for less, or more', async () => {
    const commands = session()
    const last = commands.findLastIndex((record) => record.kind === 'line' && record.from === 'C')
    const another: WireRecord = { kind: 'line', from: 'C', text: 'T99 NOOP' }
    await expect(playRecords(commands.toSpliced(last, 0, another))).rejects.toThrow(/expected " NOOP"/)
    await expect(playRecords(commands.slice(0, last))).rejects.toThrow()
  })

  it('observes otherwise where the server says something else', async () => {
    const { observed } = await playRecords(session())
    const { observed: other } = await playRecords(changed(/^(\* \d+ FETCH \(.*FLAGS \()/, '$1\\Answered '))
    expect(other).not.toBe(observed)
  })
})
