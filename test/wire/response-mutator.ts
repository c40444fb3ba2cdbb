/** Changes what a server says, response by response, as a seed tells: lines nobody asked for, lines broken, doubled, lost and out of order. */

import type { SeededRandom } from '../sim/virtual-time.ts'

export const MUTATION_KINDS = [
  'unasked',
  'unknown code',
  'shuffled',
  'cut literal',
  'cut',
  'doubled',
  'lost',
  'other case',
  'other number',
  'garbage',
  'wrong tag',
  'ended',
] as const
export type MutationKind = (typeof MUTATION_KINDS)[number]

interface Mutation {
  readonly kind: MutationKind
  /** What comes in place of one response, each without its line end. */
  readonly mutate: (response: string, random: SeededRandom) => readonly string[]
}

export class ResponseMutator {
  /** How each response that was changed was changed, in order. */
  readonly kinds: MutationKind[] = []
  readonly #random: SeededRandom
  readonly #oneIn: number
  #held: string[] = []

  /** Every so many responses one is changed. */
  constructor(random: SeededRandom, { oneIn }: { readonly oneIn: number }) {
    this.#random = random
    this.#oneIn = oneIn
  }

  /** How many responses were changed. */
  get mutated(): number {
    return this.kinds.length
  }

  /** A response without its line end; literals may stand in it. */
  mutate(response: string): readonly string[] {
    const isFetch = /^\* \d+ FETCH /i.test(response) && !response.endsWith('}')
    if (this.#held.length > 0 && (!isFetch || this.#random.below(3) === 0)) return this.#release(response, isFetch)
    if (this.#random.below(this.#oneIn) !== 0) return [response]
    if (isFetch && this.#random.below(4) === 0) {
      this.kinds.push('shuffled')
      this.#held.push(response)
      return []
    }
    const { kind, mutate } = this.#pick(response)
    this.kinds.push(kind)
    return mutate(response, this.#random)
  }

  #pick(response: string): Mutation {
    if (/\{\d+\}/.test(response) && this.#random.below(LITERAL_ONE_IN) === 0) return CUT_LITERAL
    const gentle = response.startsWith('* ') ? GENTLE : GENTLE_WITH_TAG
    const pick = this.#random.below(ROUGH_ONE_IN) === 0 ? ROUGH : gentle
    return pick[this.#random.below(pick.length)] ?? DOUBLED
  }

  /** FETCH responses come in any order, but none comes after the tagged reply. */
  #release(response: string, isFetch: boolean): readonly string[] {
    const held = this.#held.reverse()
    this.#held = []
    return isFetch ? [response, ...held] : [...held, response]
  }
}

/** What a session seldom survives is rarer than the rest, or nothing would be heard of most of the answers. */
const ROUGH_ONE_IN = 40
/** A literal that ends too early takes what follows for its own. */
const LITERAL_ONE_IN = 25

const UNASKED: readonly ((random: SeededRandom) => string)[] = [
  (random) => `* ${number(random)} EXISTS`,
  (random) => `* ${number(random)} EXPUNGE`,
  (random) => `* ${number(random)} RECENT`,
  (random) => `* VANISHED ${set(random)}`,
  (random) => `* VANISHED (EARLIER) ${set(random)}`,
  (random) => `* ${number(random)} FETCH (FLAGS (\\Flagged))`,
  (random) => `* ${number(random)} FETCH (UID ${number(random)} FLAGS (\\Seen $odd))`,
  (random) => `* ${number(random)} FETCH (UID ${number(random)} MODSEQ (${number(random)}) FLAGS ())`,
  (random) => `* ${number(random)} FETCH (X-ODD (NIL "a" (1 2)))`,
  (random) => `* OK [X-ODD ${number(random)} "a ] b"] what`,
  (random) => `* OK [HIGHESTMODSEQ ${number(random)}] so high`,
  (random) => `* OK [UIDNEXT ${number(random)}] next`,
  (random) => `* OK [UNSEEN ${number(random)}] here`,
  () => '* OK [NOMODSEQ] none',
  () => '* OK [CLOSED] closed',
  () => '* OK [ALERT] The disk is full.',
  (random) => `* OK [COPYUID 7 ${set(random)} ${set(random)}] copied`,
  (random) => `* OK [APPENDUID 7 ${number(random)}] appended`,
  () => '* NO [OVERQUOTA] too much',
  () => '* NO [EXPUNGEISSUED] some are gone',
  () => '* BAD [CLIENTBUG] what was that',
  () => '* LIST (\\HasNoChildren) "/" "Strange"',
  () => '* LIST (\\NonExistent) "/" Archive',
  () => '* LIST (\\Noselect \\Trash) NIL INBOX',
  (random) => `* STATUS INBOX (MESSAGES ${number(random)} UIDNEXT ${number(random)})`,
  (random) => `* STATUS "Nowhere" (MESSAGES ${number(random)} UIDVALIDITY ${number(random)} HIGHESTMODSEQ 4)`,
  (random) => `* SEARCH ${number(random)} ${number(random)}`,
  (random) => `* ESEARCH (TAG "T3") UID ALL ${set(random)}`,
  (random) => `* ESEARCH (TAG "T${random.below(9)}") UID`,
  () => '* FLAGS (\\Seen)',
  () => '* OK [PERMANENTFLAGS ()] none of them',
  () => '* CAPABILITY IMAP4rev1',
  () => '* ENABLED CONDSTORE',
  () => '* METADATA INBOX (/shared/comment NIL)',
  () => '* X-ODD {3}\r\nabc (1',
]

const INSERTED: Mutation = { kind: 'unasked', mutate: inserted }
const ODD_CODE: Mutation = { kind: 'unknown code', mutate: oddCode }
const DOUBLED: Mutation = { kind: 'doubled', mutate: (response) => [response, response] }
const SWAPPED_CASE: Mutation = { kind: 'other case', mutate: swappedCase }
const OTHER_NUMBER: Mutation = { kind: 'other number', mutate: otherNumber }
const LOST: Mutation = { kind: 'lost', mutate: () => [] }
const CUT_LITERAL: Mutation = { kind: 'cut literal', mutate: withLiteralCut }

const GENTLE: readonly Mutation[] = [INSERTED, INSERTED, INSERTED, DOUBLED, SWAPPED_CASE, OTHER_NUMBER, LOST, ODD_CODE]

/** Another tag is a reply to nothing, and ends the session. */
const GENTLE_WITH_TAG: readonly Mutation[] = [INSERTED, INSERTED, ODD_CODE]

const broken = (mutate: Mutation['mutate']): Mutation => ({ kind: 'garbage', mutate })

const ROUGH: readonly Mutation[] = [
  DOUBLED,
  SWAPPED_CASE,
  OTHER_NUMBER,
  LOST,
  broken((response) => ['*', response]),
  { kind: 'ended', mutate: () => ['* BYE Server shutting down.'] },
  { kind: 'wrong tag', mutate: (response) => ['FF OK done', response] },
  { kind: 'wrong tag', mutate: (response) => ['+ go on', response] },
  { kind: 'cut', mutate: (response, random) => [response.slice(0, random.below(response.length + 1))] },
  { kind: 'cut literal', mutate: (response, random) => [response.replace(/\{(\d+)\}/, () => `{${number(random)}}`)] },
  broken((response, random) => spliced(response, random, { taken: 0, put: garbage(random) })),
  broken((response, random) => spliced(response, random, { taken: 1 + random.below(20), put: garbage(random) })),
  broken((response, random) => spliced(response, random, { taken: 1 + random.below(3), put: '' })),
  broken((response, random) => spliced(response, random, { taken: 0, put: '()"[]{}\\* NIL~%'.charAt(random.below(14)) })),
  broken((_, random) => [garbage(random)]),
  { kind: 'cut literal', mutate: (response) => ['* 1 FETCH (BODY[] {5}\r\nab', response] },
  broken((response) => [`* OK ${'('.repeat(300)}`, `* X-ODD ${'('.repeat(300)}`, response]),
]

function inserted(response: string, random: SeededRandom): readonly string[] {
  const say = UNASKED[random.below(UNASKED.length)]
  return say === undefined ? [response] : [say(random), response]
}

function oddCode(response: string): readonly string[] {
  return [response.replace(/^(\S+ OK )(\[[^\]]*\] ?)?/, '$1[X-ODD (a {1} "b")] ')]
}

/** Fewer octets than announced where they stand in the response, else more announced than come. */
function withLiteralCut(response: string, random: SeededRandom): readonly string[] {
  const found = /\{(\d+)\}\r\n/.exec(response)
  if (found === null)
    return [response.replace(/\{(\d+)\}$/, (_all, octets: string) => `{${Number(octets) + 1 + random.below(40)}}`)]
  const start = found.index + found[0].length
  const octets = Number(found[1])
  const left = octets === 0 ? 0 : random.below(octets)
  return [response.slice(0, start + left) + response.slice(start + octets)]
}

function swappedCase(response: string): readonly string[] {
  return [response.replace(/[a-z]/gi, (letter) => (letter < 'a' ? letter.toLowerCase() : letter.toUpperCase()))]
}

function otherNumber(response: string, random: SeededRandom): readonly string[] {
  const numbers = [...response.matchAll(/\d+/g)]
  const found = numbers[random.below(Math.max(numbers.length, 1))]
  if (found === undefined) return [response, response]
  return [response.slice(0, found.index) + number(random) + response.slice(found.index + found[0].length)]
}

function spliced(
  response: string,
  random: SeededRandom,
  { taken, put }: { readonly taken: number; readonly put: string },
): readonly string[] {
  const at = random.below(response.length + 1)
  return [response.slice(0, at) + put + response.slice(at + taken)]
}

function number(random: SeededRandom): string {
  const huge = [
    '0',
    '4294967295',
    '4294967296',
    '9223372036854775807',
    '9223372036854775808',
    '99999999999999999999999',
    '-1',
    '007',
  ]
  return random.below(12) === 0 ? (huge[random.below(huge.length)] ?? '0') : String(1 + random.below(12))
}

function set(random: SeededRandom): string {
  const sets = [
    () => number(random),
    () => `${number(random)}:${number(random)}`,
    () => `${number(random)},${number(random)}`,
    () => '1:*',
  ]
  return (sets[random.below(sets.length)] ?? (() => '1'))()
}

function garbage(random: SeededRandom): string {
  return Array.from({ length: 1 + random.below(12) }, () => String.fromCharCode(random.below(256))).join('')
}
