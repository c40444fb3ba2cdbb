/** Checks what a resynchronisation by deltas relies on: ENABLE, mod-sequences that rise, changed flags, VANISHED (RFC 7162). */

import { type ModSeq, UidSet } from '@tidemail/core'
import type { Bench } from './bench.ts'
import { asClaimed, type Check, type CheckResult, contradicts, missing, notOffered } from './check.ts'

export const CHECK_ENABLE: Check = {
  id: 'enable',
  what: 'ENABLE is confirmed',
  async run({ server: { capabilities, enabled } }) {
    if (!capabilities.includes('ENABLE')) return notOffered('ENABLE')
    const wanted = ['QRESYNC', 'CONDSTORE'].find((name) => capabilities.includes(name))
    if (wanted === undefined) return { verdict: 'not offered', sentence: 'There is nothing that would have to be enabled.' }
    if (enabled.includes(wanted)) return asClaimed(`ENABLED named ${enabled.join(' and ')}.`)
    return missing(`ENABLE ${wanted} was answered without naming it.`, ...(wanted === 'QRESYNC' ? ['QRESYNC'] : []))
  },
}

export const CHECK_MOD_SEQUENCES: Check = {
  id: 'mod-sequences',
  what: 'HIGHESTMODSEQ rises with every change',
  async run(bench) {
    if (!hasModSeqs(bench)) return notOffered('CONDSTORE')
    const [first, second] = await bench.deliver(2)
    if (first === undefined || second === undefined) return missing('No message could be put into the mailbox.')
    const acts: [string, () => Promise<unknown>][] = [
      ['a message came', () => bench.deliver(1)],
      ['flags changed', () => bench.must('rival', bench.store('rival', UidSet.of(first), ['\\Flagged']))],
    ]
    // Only QRESYNC has an expunge raise it (RFC 7162 §3.2).
    if (bench.server.enabled.includes('QRESYNC')) acts.push(['a message went', () => bench.remove(UidSet.of(second))])
    let before = (await bench.status('own')).highestModSeq
    for (const [what, act] of acts) {
      await act()
      const after = (await bench.status('own')).highestModSeq
      const complaint = complaintOf(before, after, what)
      if (complaint !== null) return complaint
      before = after
    }
    return asClaimed(`It rose when ${acts.map(([what]) => what).join(', when ')}.`)
  },
}

export const CHECK_CHANGED_FLAGS: Check = {
  id: 'changed-flags',
  what: 'CHANGEDSINCE tells the flags that changed, and no others',
  async run(bench) {
    if (!hasModSeqs(bench)) return notOffered('CONDSTORE')
    const [changed, same] = await bench.deliver(2)
    if (changed === undefined || same === undefined) return missing('No message could be put into the mailbox.')
    const since = (await bench.open('own')).opened.highestModSeq
    if (since === null) return missing('The mailbox has no HIGHESTMODSEQ.', 'CONDSTORE', 'QRESYNC')
    await bench.must('rival', bench.store('rival', UidSet.of(changed), ['\\Answered']))
    await bench.open('own')
    const rows = await bench.rows('own', UidSet.ALL, 'flags', since)
    const told = rows.find(({ uid }) => uid === changed)
    if (told?.flags?.includes('\\Answered') !== true)
      return missing('A flag that another session set was not told.', 'CONDSTORE', 'QRESYNC')
    if (rows.some(({ uid }) => uid === same))
      return contradicts('A message that had not changed was told, too.', 'CONDSTORE', 'QRESYNC')
    return asClaimed('The flag that another session set was told, and nothing else.')
  },
}

export const CHECK_VANISHED: Check = {
  id: 'vanished',
  what: 'SELECT (QRESYNC) tells what another session removed and changed',
  async run(bench) {
    if (!bench.has('QRESYNC')) return notOffered('QRESYNC')
    if (!bench.server.enabled.includes('QRESYNC')) return missing('QRESYNC could not be enabled.', 'QRESYNC')
    const [gone, changed, same] = await bench.deliver(3)
    if (gone === undefined || changed === undefined || same === undefined)
      return missing('No message could be put into the mailbox.')
    const { opened } = await bench.open('own')
    const known = UidSet.from((await bench.rows('own', UidSet.ALL, 'flags')).map(({ uid }) => uid))
    if (opened.highestModSeq === null) return missing('The mailbox has no HIGHESTMODSEQ.', 'QRESYNC')
    await bench.must('own', bench.leave())
    await bench.open('rival')
    await bench.must('rival', bench.store('rival', UidSet.of(changed), ['\\Flagged']))
    await bench.remove(UidSet.of(gone))
    const since = { uidValidity: opened.mailbox.uidValidity, modSeq: opened.highestModSeq, knownUids: known }
    const again = await bench.open('own', { known: since })
    return judgeResync(again, { gone, changed, living: [changed, same] })
  },
}

function judgeResync(
  { opened, observations }: Awaited<ReturnType<Bench['open']>>,
  { gone, changed, living }: { readonly gone: number; readonly changed: number; readonly living: readonly number[] },
): CheckResult {
  if (!opened.isResynced) return missing('The parameters of QRESYNC were not taken.', 'QRESYNC')
  const vanished = observations.flatMap((item) => (item.kind === 'vanished' ? [item.uids] : []))
  if (living.some((uid) => vanished.some((uids) => uids.has(uid)))) {
    return contradicts('VANISHED named a message that is there.', 'QRESYNC')
  }
  if (!vanished.some((uids) => uids.has(gone)))
    return missing('VANISHED did not name a message that another session removed.', 'QRESYNC')
  const isTold = observations.some(
    (item) => item.kind === 'row' && item.uid === changed && item.flags?.includes('\\Flagged') === true,
  )
  if (!isTold) return missing('A flag that another session set was not told.', 'QRESYNC')
  return asClaimed('VANISHED named the message that another session removed, and the flag it set was told.')
}

function complaintOf(before: ModSeq | null, after: ModSeq | null, what: string): CheckResult | null {
  const distrust = ['CONDSTORE', 'QRESYNC']
  if (before === null || after === null) return missing('The mailbox has no HIGHESTMODSEQ.', ...distrust)
  if (after > before) return null
  const how = after < before ? `It went back from ${before} to ${after}` : `It stayed at ${before}`
  return contradicts(`${how} when ${what}.`, ...distrust)
}

function hasModSeqs(bench: Bench): boolean {
  return bench.has('CONDSTORE') || bench.has('QRESYNC')
}
