/** Asks the server what became of the steps of a claim (H-9). */

import { type MailboxRecord, type Observation, uidValidity } from '@tidemail/core'
import { concludeProbe, type Probe, type ProbeFindings, planProbe } from '@tidemail/planner'
import type { Claim } from '@tidemail/replay-log'
import { sha256Hex } from './digest.ts'
import { runReads } from './refused-items.ts'
import type { Work } from './work.ts'

/** Null where the steps leave nothing behind that could be looked for. */
export function probeOf(work: Work, claim: Claim): Probe | null {
  return planProbe(claim, sourceOf(work, claim), work.name)
}

/** Null when the probe itself was not answered. */
export async function probeServer(work: Work, probe: Probe): Promise<ProbeFindings | null> {
  const { fence } = probe.claim
  const observations = await runReads(work, probe.steps)
  work.assertAlive()
  const target = fence === null ? null : (work.mailboxes.get(fence.mailboxId) ?? null)
  let conclusion = concludeProbe(probe, observations, target, new Map())
  if (conclusion.kind === 'need-digests') {
    conclusion = concludeProbe(probe, observations, target, await digests(work, probe, conclusion.uids))
  }
  return conclusion.kind === 'concluded' ? conclusion : null
}

/** The digests of messages in the target: only the bytes tell whether they are ours. */
async function digests(work: Work, { claim }: Probe, uids: readonly MessageUid[]): Promise<Map<number, string | null>> {
  const { fence } = claim
  if (fence === null) return new Map()
  const mailbox = { path: fence.path, uidValidity: uidValidity(fence.uidValidity) }
  const reason = 'only the bytes tell whether this is ours'
  const observations = await work.run([
    { kind: 'open', id: work.name('open'), path: fence.path, access: 'examine', reason },
    {
      kind: 'fetch-body',
      id: work.name('body'),
      mailbox,
      parts: uids.map((uid) => ({ uid, section: '', sizeBytes: 0 })),
      reason,
    },
  ])
  const found = new Map<number, string | null>(uids.map((uid) => [uid, null]))
  for (const item of observations)
    if (item.kind === 'body' && item.bytes !== null) found.set(item.uid, await sha256Hex(item.bytes))
  return found
}

type MessageUid = Extract<Observation, { kind: 'body' }>['uid']

/** Of moves that were sent as one, only the first has targets that the server knows. */
function sourceOf(work: Work, { members }: Claim): MailboxRecord | null {
  const [source] = members.flatMap(({ targets }) => (targets.kind === 'stored' ? [targets.mailboxId] : []))
  return source === undefined ? null : (work.mailboxes.get(source) ?? null)
}
