/** Checks what proves that a step took effect: APPENDUID, COPYUID, a MOVE that moves, a UID EXPUNGE that removes what it names (RFC 4315, RFC 6851). */

import { type Observation, type Uid, UidSet } from '@tidemail/core'
import type { Bench } from './bench.ts'
import { asClaimed, type Check, type CheckResult, contradicts, missing, notOffered } from './check.ts'
import { refusalIn } from './two-sessions.ts'

export const CHECK_APPEND_UID: Check = {
  id: 'append-uid',
  what: 'APPEND tells the UID of the new message',
  async run(bench) {
    if (!bench.has('UIDPLUS')) return notOffered('UIDPLUS')
    const letter = bench.letter()
    const answer = await bench.must('own', bench.append(letter))
    const told = answer.find((item) => item.kind === 'appended')?.uids[0]
    const { uids } = await bench.find('rival', [letter])
    if (told === undefined) return missing('There was no APPENDUID.')
    return told === uids[0]
      ? asClaimed('APPENDUID named the new message.')
      : contradicts(`APPENDUID named ${told}; it is ${uids[0]}.`)
  },
}

export const CHECK_COPY_UID: Check = {
  id: 'copy-uid',
  what: 'COPY tells the UIDs of the copies',
  async run(bench) {
    if (!bench.has('UIDPLUS')) return notOffered('UIDPLUS')
    const uids = await bench.deliver(2)
    await bench.open('own')
    return bench.withMailbox('-copies', async (target) => {
      const answer = await bench.must('own', bench.copy('own', UidSet.from(uids), target))
      return judgeCopies(bench, { answer, uids, target })
    })
  },
}

export const CHECK_MOVE: Check = {
  id: 'move',
  what: 'MOVE moves, and tells the new UIDs',
  async run(bench) {
    if (!bench.has('MOVE')) return notOffered('MOVE')
    const uids = await bench.deliver(2)
    await bench.open('own')
    return bench.withMailbox('-moved', (target) => moved(bench, uids, target))
  },
}

export const CHECK_UID_EXPUNGE: Check = {
  id: 'uid-expunge',
  what: 'UID EXPUNGE removes what it names, and nothing else',
  async run(bench) {
    if (!bench.has('UIDPLUS')) return notOffered('UIDPLUS')
    const [named, other] = await bench.deliver(2)
    if (named === undefined || other === undefined) return missing('No message could be put into the mailbox.')
    await bench.open('own')
    await bench.must('own', bench.store('own', UidSet.of(named, other), ['\\Deleted']))
    const refusal = refusalIn(await bench.run('own', bench.expunge('own', UidSet.of(named))))
    if (refusal !== null) return missing(`It was refused: ${refusal.rejection?.text || refusal.outcome}`, 'UIDPLUS')
    await bench.open('rival')
    const left = (await bench.rows('rival', UidSet.of(named, other), 'flags')).map(({ uid }) => uid)
    if (!left.includes(other)) return contradicts('It removed another message that was marked as deleted.', 'UIDPLUS')
    if (left.includes(named)) return contradicts('The message that it named is still there.', 'UIDPLUS')
    return asClaimed('It removed the message that it named, and left another that was marked as deleted.')
  },
}

async function moved(bench: Bench, uids: readonly Uid[], target: string): Promise<CheckResult> {
  const answer = await bench.run('own', bench.move('own', UidSet.from(uids), target))
  const refusal = refusalIn(answer)
  if (refusal !== null) return missing(`It was refused: ${refusal.rejection?.text || refusal.outcome}`, 'MOVE')
  await bench.open('own')
  const left = (await bench.rows('own', UidSet.from(uids), 'flags')).length
  if (left > 0) return contradicts(`${left} of ${uids.length} messages are still where they were.`, 'MOVE')
  const there = (await bench.open('rival', { path: target })).opened.exists
  if (there !== uids.length) return contradicts(`${uids.length} messages were moved, and ${there} arrived.`, 'MOVE')
  return bench.has('UIDPLUS') ? judgeCopies(bench, { answer, uids, target }) : asClaimed('Both messages arrived.')
}

interface Copies {
  readonly answer: readonly Observation[]
  readonly uids: readonly Uid[]
  readonly target: string
}

/** Whether the pairs that were told are those of the same messages: copies come in the order of their sources. */
async function judgeCopies(bench: Bench, { answer, uids, target }: Copies): Promise<CheckResult> {
  const told = answer.flatMap((item) => (item.kind === 'copied' ? item.pairs.ranges : []))
  if (told.length === 0) return missing('There was no COPYUID.')
  await bench.open('rival', { path: target })
  const there = (await bench.rows('rival', UidSet.ALL, 'flags')).map(({ uid }) => uid as number).toSorted((a, b) => a - b)
  const named = told.flatMap(({ from, to, length }) => Array.from({ length }, (_, i) => [from + i, to + i] as const))
  const expected = [...uids].toSorted((a, b) => a - b).map((uid, i) => `${uid} ${there[i]}`)
  const isRight =
    named
      .map((pair) => pair.join(' '))
      .toSorted()
      .join() === expected.toSorted().join()
  return isRight ? asClaimed('COPYUID named both messages and where they are.') : contradicts('COPYUID named other messages.')
}
