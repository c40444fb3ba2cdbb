/** Makes mail to test with: varied, deterministic by a seed, with CRLF line ends and nothing of a real person. */

import type { Flag } from '@tidemail/core'
import { attachmentBody, encodedWord, plainBody, type SampleBody, twoFacedBody } from './sample-mail-body.ts'

export interface SampleMessage {
  readonly bytes: Uint8Array
  readonly flags: readonly Flag[]
  /** INTERNALDATE in milliseconds since 1970, whole seconds. */
  readonly internalDate: number
}

export interface SampleMailOptions {
  readonly count: number
  readonly seed: number
}

const PEOPLE = [
  'Ada Moor',
  'Björn Åström',
  'Chidi Okafor',
  'Danica Ćirić',
  'Emi Tanaka',
  'Farah Haddad',
  'Gustavo Núñez',
] as const
const TOPICS = [
  'Tide tables for March',
  'Protokoll der Sitzung – Entwürfe',
  'Re: the harbour survey',
  '潮の満ち引きについて',
  'Facture n° 2026-114',
  'Lunch?',
  'Отчёт за неделю',
  'Two questions about the lighthouse and the very long subject line that has to be folded by whoever writes it',
] as const
const KEYWORDS = ['$Forwarded', '$MDNSent', 'project', 'later'] as const

const START_MS = 1_767_225_600_000
const STEP_MS_MAX = 7_200_000

/** Messages from oldest to newest; a prefix of a longer series is the same series. */
export function sampleMessages({ count, seed }: SampleMailOptions): SampleMessage[] {
  const chance = seededChance(seed)
  const ids: string[] = []
  const messages: SampleMessage[] = []
  let internalDate = START_MS
  for (let number = 1; number <= count; number += 1) {
    internalDate += 1000 * (1 + Math.floor((chance.next() * STEP_MS_MAX) / 1000))
    messages.push(sampleMessage({ number, seed, chance, ids, internalDate }))
  }
  return messages
}

/** What a generator draws from. */
export interface Chance {
  /** From 0 up to, not including, 1. */
  next(): number
  pick<T>(choices: readonly [T, ...T[]] | readonly T[]): T
}

interface Making {
  readonly number: number
  readonly seed: number
  readonly chance: Chance
  /** The Message-IDs so far, for replies. */
  readonly ids: string[]
  readonly internalDate: number
}

function sampleMessage({ number, seed, chance, ids, internalDate }: Making): SampleMessage {
  const from = chance.pick(PEOPLE)
  const to = chance.pick(PEOPLE)
  const parent = chance.next() < 0.4 ? ids.at(-1 - Math.floor(chance.next() * Math.min(5, ids.length))) : undefined
  const subject = `${parent === undefined ? '' : 'Re: '}${chance.pick(TOPICS)} ${number}`
  const hasMessageId = chance.next() >= 0.08
  const messageId = `<${number}.${seed}@sample.example>`
  if (hasMessageId) ids.push(messageId)
  const body = chooseBody(chance)
  const header = [
    `Date: ${mailDate(internalDate - 1000 * Math.floor(chance.next() * 90))}`,
    `From: ${mailAddress(from)}`,
    `To: ${mailAddress(to)}`,
    ...(chance.next() < 0.2 ? [`Cc: ${mailAddress(chance.pick(PEOPLE))}, ${mailAddress(chance.pick(PEOPLE))}`] : []),
    `Subject: ${encodedWord(subject)}`,
    ...(hasMessageId ? [`Message-ID: ${messageId}`] : []),
    ...(parent === undefined ? [] : [`In-Reply-To: ${parent}`, `References: ${parent}`]),
    'MIME-Version: 1.0',
    ...body.header,
  ]
  const text = `${[...header, '', ...body.lines].join('\r\n')}\r\n`
  return { bytes: Uint8Array.from(text, (character) => character.charCodeAt(0)), flags: chooseFlags(chance), internalDate }
}

function chooseBody(chance: Chance): SampleBody {
  const draw = chance.next()
  if (draw < 0.55) return plainBody(chance)
  return draw < 0.85 ? twoFacedBody(chance) : attachmentBody(chance)
}

function chooseFlags(chance: Chance): Flag[] {
  const flags: Flag[] = []
  if (chance.next() < 0.6) flags.push('\\Seen')
  if (chance.next() < 0.1) flags.push('\\Flagged')
  if (chance.next() < 0.2) flags.push('\\Answered')
  if (chance.next() < 0.1) flags.push(chance.pick(KEYWORDS))
  return flags
}

function mailAddress(name: string): string {
  const mailbox = name
    .normalize('NFD')
    .replace(/[^A-Za-z ]/g, '')
    .toLowerCase()
    .replace(/ /g, '.')
  const isAscii = /^[A-Za-z ]*$/.test(name)
  return `${isAscii ? `"${name}"` : encodedWord(name)} <${mailbox}@sample.example>`
}

/** `Thu, 01 Jan 2026 00:00:00 +0000`. */
function mailDate(milliseconds: number): string {
  return new Date(milliseconds).toUTCString().replace('GMT', '+0000')
}

/** A small generator (mulberry32): the same seed, the same series, on every machine. */
function seededChance(seed: number): Chance {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  return { next, pick: <T>(choices: readonly T[]): T => choices[Math.floor(next() * choices.length)] as T }
}
