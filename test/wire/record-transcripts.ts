/**
 * Records fixtures/wire anew, on the real servers of this machine: `npx tsx -C @tidemail/source test/wire/record-transcripts.ts [folder...]`.
 * With `--observed` the sessions stay, and only what is observed of them is written anew, for which no server is needed.
 */

import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { type RealServer, startCourier, startCyrus, startDovecot } from '@tidemail/testing'
import { type RealAccountOptions, withAccount } from '../e2e/real-account.ts'
import { play } from '../e2e/scenario.ts'
import { normalRecords } from './normal-records.ts'
import { playRecords } from './play-records.ts'
import { foldersOf, scenariosIn, type TranscriptFolder, type TranscriptScenario } from './transcript-scenarios.ts'
import { readRecords, type WireRecord, writeRecords } from './wire-record.ts'
import { WireTap } from './wire-tap.ts'

const FIXTURES = new URL('../../fixtures/wire/', import.meta.url)
const SESSION_OCTETS_MAX = 40_000

const wanted = process.argv.slice(2).filter((word) => !word.startsWith('--'))
const isWanted = (folder: string): boolean => wanted.length === 0 || wanted.some((name) => folder.startsWith(name))

if (process.argv.includes('--observed')) await observeAll()
else for (const start of [startDovecot, startCyrus, startCourier]) await recordServer(await start())

async function observeAll(): Promise<void> {
  for (const folder of (await readdir(FIXTURES)).filter(isWanted)) {
    const files = (await readdir(new URL(`${folder}/`, FIXTURES))).filter((file) => !file.endsWith('.observed.txt'))
    for (const file of files) {
      const place = new URL(`${folder}/${file}`, FIXTURES)
      await observe(place, readRecords(await readFile(place, 'utf8')))
    }
  }
}

async function observe(place: URL, records: readonly WireRecord[]): Promise<void> {
  const { observed } = await playRecords(records)
  await writeFile(new URL(place.href.replace(/\.txt$/, '.observed.txt')), observed)
}

async function recordServer(real: RealServer): Promise<void> {
  try {
    for (const place of foldersOf(real.name, real.version)) {
      if (isWanted(place.folder)) await recordFolder(real, place)
    }
  } finally {
    await real.stop()
  }
}

async function recordFolder(real: RealServer, place: TranscriptFolder): Promise<void> {
  const folder = new URL(`${place.folder}/`, FIXTURES)
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  for (const scenario of scenariosIn(place.column)) {
    const note: WireRecord = { kind: 'note', text: `${titleOf(real, place)}: ${scenario.name.replaceAll('-', ' ')}` }
    const records = [note, ...(await recordScenario(real, place, scenario))]
    const text = writeRecords(records)
    if (text.length > SESSION_OCTETS_MAX) throw new Error(`${place.folder}/${scenario.name} has ${text.length} octets.`)
    const file = new URL(`${scenario.name}.txt`, folder)
    await writeFile(file, text)
    await observe(file, records)
  }
  process.stdout.write(`${place.folder}: ${(await readdir(folder)).length / 2} sessions\n`)
}

function titleOf({ name, version }: RealServer, { column }: TranscriptFolder): string {
  const real = `${name} ${version}`
  if (column.profile !== null) return `${real} behind a proxy, standing in for ${column.profile}`
  return column.isBest ? real : `${real}, in the tier ${column.name.split(' ').at(-1)}`
}

async function recordScenario(
  real: RealServer,
  { column: { standIn } }: TranscriptFolder,
  { lines, act, keep }: TranscriptScenario,
): Promise<readonly WireRecord[]> {
  const taps: WireTap[] = []
  const through: RealAccountOptions['through'] = async (port, remoteTo) => {
    const tap = await WireTap.start(port)
    taps.push(tap)
    return tap.remote(remoteTo(tap.port))
  }
  const proxy = standIn === null ? {} : { proxy: standIn, readsThroughProxy: true as const }
  try {
    return await withAccount(real, { policy: { bodies: 'none' }, through, ...proxy }, async (account) => {
      await play(account, lines)
      await act?.(account)
      // Logs out, so that the session is whole.
      await account.reopen()
      const sessions = taps.flatMap((tap) => tap.sessions)
      return normalRecords(sessions.at(keep === 'first' ? 0 : -1) ?? [], account.user)
    })
  } finally {
    await Promise.all(taps.map((tap) => tap.close()))
  }
}
