import {
  accountId,
  type BodySeen,
  boxEpoch,
  type FetchBodyStep,
  type MailboxRecord,
  type MissingPart,
  mailboxId,
  type Uid,
  uidValidity,
} from '@tidemail/core'
import { sampleMailbox } from '@tidemail/testing/simulated'
import { describe, expect, it } from 'vitest'
import {
  PART_CHUNK_BYTES_MAX,
  PART_CHUNK_PARTS_MAX,
  PART_PIECE_BYTES,
  PART_RUN_BYTES_MAX,
  planParts,
  takeParts,
} from './plan-parts.ts'
import { stepNamer } from './step-ids.ts'

const MAILBOX: MailboxRecord = sampleMailbox(mailboxId(1), {
  accountId: accountId('me'),
  box: boxEpoch(2),
  path: 'INBOX',
  uidValidity: uidValidity(7),
})
const P = PART_PIECE_BYTES

function part(uid: number, sizeBytes: number, heldBytes = 0): MissingPart {
  return { uid: uid as Uid, section: '2', sizeBytes, heldBytes }
}

function fetches(missing: readonly MissingPart[]): FetchBodyStep[] {
  return planParts(MAILBOX, missing, stepNamer(), 'a test').flatMap((step) => (step.kind === 'fetch-body' ? [step] : []))
}

/** One line a step: `1 2 3` for messages, `4@0` for a piece of one. */
function lines(missing: readonly MissingPart[]): string[] {
  return fetches(missing).map(({ parts }) =>
    parts.map(({ uid, range }) => (range === undefined ? `${uid}` : `${uid}@${range.offset / P}`)).join(' '),
  )
}

describe('a plan for parts', () => {
  it('opens the mailbox and fetches small ones together, up to the octets of a chunk', () => {
    const half = PART_CHUNK_BYTES_MAX / 2
    expect(planParts(MAILBOX, [part(1, 1)], stepNamer(), 'a test').map(({ kind }) => kind)).toEqual(['open', 'fetch-body'])
    expect(lines([part(1, half), part(2, half), part(3, 1)])).toEqual(['1 2', '3'])
    expect(planParts(MAILBOX, [], stepNamer(), 'a test')).toEqual([])
  })

  it('fetches so many in one step, however small they are', () => {
    const many = Array.from({ length: PART_CHUNK_PARTS_MAX + 1 }, (_, i) => part(i + 1, 1))
    expect(fetches(many).map(({ parts }) => parts.length)).toEqual([PART_CHUNK_PARTS_MAX, 1])
  })

  it.each<[string, MissingPart, readonly string[]]>([
    ['of just a piece in one', part(1, P), ['1']],
    ['of more in pieces', part(1, P + 1), ['1@0', '1@1']],
    ['that was begun from where it ends', part(1, 3 * P, 2 * P), ['1@2']],
    ['that was begun in pieces to its end, however small it is', part(1, 10, 4), [`1@${4 / P}`]],
    ['that goes on beyond its announced size by one piece more', part(1, 2 * P, 2 * P), ['1@2']],
  ])('fetches a part %s', (_name, missing, expected) => {
    expect(lines([missing])).toEqual(expected)
  })

  it('asks for so much at once, and leaves the rest to the next plan', () => {
    const pieces = PART_RUN_BYTES_MAX / P
    expect(lines([part(1, 100 * P), part(2, 1)])).toEqual(Array.from({ length: pieces }, (_, i) => `1@${i}`))
    expect(lines([part(2, 1), part(1, 100 * P)]).at(-1)).toBe(`1@${pieces - 1}`)
  })
})

describe('what comes of parts', () => {
  /** What is made of an answer of so many octets, or of none, to the only step of a plan. */
  function taken(missing: MissingPart, octets: number | null): string {
    const [step] = fetches([missing])
    if (step === undefined) throw new Error('Nothing is planned.')
    const offset = step.parts[0]?.range?.offset ?? 0
    const bytes = octets === null ? null : new Uint8Array(octets)
    const mailbox = { path: 'INBOX', uidValidity: uidValidity(7) }
    const seen: BodySeen = { kind: 'body', id: step.id, mailbox, uid: missing.uid, section: '2', offset, bytes }
    const { writes, doubtful } = takeParts(MAILBOX, step, [seen])
    const [write] = [...writes, ...doubtful]
    if (write === undefined) return 'nothing'
    const what = write.kind === 'put-part' ? 'part' : write.isLast ? 'last piece' : 'piece'
    return `${what} of ${write.bytes.length}${doubtful.length > 0 ? ', doubtful' : ''}`
  }

  it.each<[string, MissingPart, number | null, string]>([
    ['as long as announced', part(1, 10), 10, 'part of 10'],
    ['of another length', part(1, 10), 9, 'part of 9, doubtful'],
    ['that is not there', part(1, 10), null, 'nothing'],
  ])('is, of a small one %s: %#', (_name, missing, octets, expected) => {
    expect(taken(missing, octets)).toBe(expected)
  })

  it.each<[string, MissingPart, number | null, string]>([
    ['the first of several', part(1, 3 * P), P, `piece of ${P}`],
    ['the one that ends it', part(1, 2 * P + 5, 2 * P), 5, 'last piece of 5'],
    ['the one that ends it with its last octet', part(1, 2 * P, P), P, `last piece of ${P}`],
    ['a short one in the middle, as a server gives that is asked for too much', part(1, 3 * P, P), 7, 'piece of 7'],
    ['nothing before the announced end', part(1, 3 * P, P), 0, 'last piece of 0, doubtful'],
    ['NIL before the announced end', part(1, 3 * P, P), null, 'last piece of 0, doubtful'],
    ['more than was announced, and more to come', part(1, P + 5, P), P, `piece of ${P}`],
    ['more than was announced, to the end', part(1, P + 5, P), 9, 'last piece of 9, doubtful'],
    ['a part that is not there', part(1, 3 * P), null, 'nothing'],
    ['an empty part', part(1, 3 * P), 0, 'last piece of 0, doubtful'],
  ])('is, of pieces, %s', (_name, missing, octets, expected) => {
    expect(taken(missing, octets)).toBe(expected)
  })
})
