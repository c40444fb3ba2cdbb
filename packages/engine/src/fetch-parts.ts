/** Fetches parts that are missing of one mailbox, as much as comes at once, and keeps each of them as soon as it is here. */

import { type BodySeen, type FetchBodyStep, type MailboxRecord, type MissingPart, UidSet, type UidsSeen } from '@tidemail/core'
import { type PartWrite, planParts, planStillThere, takeParts } from '@tidemail/planner'
import type { Work } from './work.ts'

export interface PartsRun {
  /** Parts that were asked for, and those of which something was kept; by {@link partName}. */
  readonly asked: ReadonlySet<string>
  readonly kept: ReadonlySet<string>
  /** Parts that are held now. */
  readonly heldCount: number
  /** Whether all was answered with OK. */
  readonly isComplete: boolean
}

export function partName({ uid, section }: Pick<MissingPart, 'uid' | 'section'>): string {
  return `${uid} ${section}`
}

/** `reason` is why the parts are fetched, as a person can read it. */
export async function fetchParts(
  work: Work,
  mailbox: MailboxRecord,
  { missing, reason }: { readonly missing: readonly MissingPart[]; readonly reason: string },
): Promise<PartsRun> {
  const planned = planParts(mailbox, missing, work.name, reason)
  const fetches = new Map(planned.flatMap((step) => (step.kind === 'fetch-body' ? [[step.id, step] as const] : [])))
  const kept = new Set<string>()
  const doubtful: PartWrite[] = []
  let heldCount = 0
  const keep = async (writes: readonly PartWrite[]): Promise<void> => {
    const expect = { boxes: [{ mailboxId: mailbox.id, box: mailbox.box }] }
    if (!(await work.commit(`store parts of ${mailbox.path}`, writes, expect))) return
    for (const write of writes) kept.add(partName(write))
    heldCount += writes.filter((write) => write.kind === 'put-part' || write.isLast).length
  }
  const isComplete = await eachAnswered(work, mailbox, planned, async (id, bodies) => {
    const step: FetchBodyStep | undefined = fetches.get(id)
    if (step === undefined) return
    const taken = takeParts(mailbox, step, bodies)
    doubtful.push(...taken.doubtful)
    await keep(taken.writes)
  })
  if (doubtful.length > 0) await keep(await ofMessagesThere(work, mailbox, doubtful))
  work.options.tally.partsFetched += heldCount
  return { asked: new Set([...fetches.values()].flatMap(({ parts }) => parts.map(partName))), kept, heldCount, isComplete }
}

/**
 * Runs the steps and hands over what each of them brought: a piece at once, small parts together. Dovecot sends the tagged replies of commands that wait
 * behind each other late; what has come of a section has come, whether the reply to it does or not. True when all were answered with OK.
 */
async function eachAnswered(
  work: Work,
  mailbox: MailboxRecord,
  planned: Parameters<Work['run']>[0],
  take: (id: string, bodies: readonly BodySeen[]) => Promise<void>,
): Promise<boolean> {
  // A mailbox that is open is not opened again (RFC 4549 §5.2).
  const steps = work.isOpen(mailbox) ? planned.filter((step) => step.kind !== 'open') : planned
  const pieces = new Set(
    steps.filter((step) => step.kind === 'fetch-body' && step.parts[0]?.range !== undefined).map(({ id }) => id),
  )
  const waiting = new Map<string, BodySeen[]>()
  let isComplete = true
  for await (const item of work.stream(steps)) {
    if (item.kind === 'body' && pieces.has(item.id)) await take(item.id, [item])
    else if (item.kind === 'body') waiting.set(item.id, [...(waiting.get(item.id) ?? []), item])
    if (item.kind !== 'done') continue
    if (item.outcome !== 'ok') isComplete = false
    const bodies = waiting.get(item.id) ?? []
    waiting.delete(item.id)
    if (bodies.length > 0) await take(item.id, bodies)
  }
  work.assertAlive()
  return isComplete
}

/**
 * Courier makes up a body for a message that another session has expunged since the mailbox was opened: what is of another length than was announced is
 * kept only where its message is there when the mailbox is opened anew.
 */
async function ofMessagesThere(
  work: Work,
  mailbox: MailboxRecord,
  doubtful: readonly PartWrite[],
): Promise<readonly PartWrite[]> {
  const answers = await work.run(planStillThere(mailbox, UidSet.from(doubtful.map(({ uid }) => uid)), work.name))
  work.assertAlive()
  const there = answers.findLast((item): item is UidsSeen => item.kind === 'uids')?.uids ?? UidSet.EMPTY
  return doubtful.filter(({ uid }) => there.has(uid))
}
