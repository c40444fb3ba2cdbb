/** Brings mailboxes forward to what the server has now: many in one run, each written as soon as its answers are complete. */

import {
  type MailboxId,
  type MailboxRecord,
  type Observation,
  type Opened,
  type Rejection,
  type StatusSeen,
  type Tier,
  UidSet,
} from '@tidemail/core'
import {
  expungesOf,
  type ForwardNews,
  type ForwardPlan,
  type ForwardRequest,
  type ForwardResult,
  type HeldFlags,
  planForward,
  planVerification,
  policyOf,
  takeForward,
  type Visit,
} from '@tidemail/planner'
import { changeLog } from './change-log.ts'
import { distrust, rememberForgetting } from './distrust.ts'
import { mayLose } from './guard-deletions.ts'
import { withWindow } from './hold-windows.ts'
import { hearLateEvidence } from './late-evidence.ts'
import { mayReadAgain, refusedFetch } from './refused-items.ts'
import type { Work } from './work.ts'

/** Mailboxes asked about in one run. */
export const FORWARD_MAILBOXES_MAX = 16
/** Times one mailbox is looked at in one pass: first look, list of UIDs, a lower tier, a new UIDVALIDITY. */
const LOOKS_MAX = 5

/** Looks at each visited mailbox; those whose answers do not satisfy are looked at again, alone. */
export async function bringForward(
  work: Work,
  visits: readonly Visit[],
  newMessages: ForwardRequest['newMessages'],
): Promise<ForwardOutcome> {
  const outcome: ForwardOutcome = { taken: new Set(), refused: new Map() }
  for (let at = 0; at < visits.length; at += FORWARD_MAILBOXES_MAX) {
    const visited = visits.slice(at, at + FORWARD_MAILBOXES_MAX)
    for (const { mailbox, distrust: caught } of visited)
      if (caught?.holds === 'lasting') await distrust(work, current(work, mailbox), caught)
    await hearLateEvidence(work, visited)
    const plans = visited.map((visit) => planForward(requestOf(work, visit, newMessages), work.name))
    const unsatisfied = await lookAtAll(work, plans, outcome)
    for (const { plan, observations, result } of unsatisfied) await lookAgain(work, { plan, observations, result }, outcome)
    work.assertAlive()
  }
  return outcome
}

function requestOf(work: Work, visit: Visit, newMessages: ForwardRequest['newMessages']): ForwardRequest {
  const mailbox = current(work, visit.mailbox)
  const { clock, policy } = work.options
  const { hold } = policyOf(mailbox, policy)
  return { mailbox, status: visit.status, tier: visit.tier, newMessages, hold, ...expungesOf(work.server, clock.now()) }
}

/** What became of the mailboxes that were looked at; those in neither were not to be understood. */
export interface ForwardOutcome {
  readonly taken: Set<MailboxId>
  readonly refused: Map<MailboxId, Rejection | null>
}

interface Look {
  readonly plan: ForwardPlan
  readonly observations: readonly Observation[]
  readonly result: ForwardResult
}

async function lookAtAll(work: Work, plans: readonly ForwardPlan[], outcome: ForwardOutcome): Promise<Look[]> {
  const unsatisfied: Look[] = []
  const owner = new Map(plans.flatMap((plan, i) => plan.steps.map((step) => [step.id, i] as const)))
  const collected: Observation[][] = plans.map(() => [])
  const left = plans.map((plan) => plan.steps.length)
  let at = 0
  for await (const item of work.stream(plans.flatMap((plan) => plan.steps))) {
    if (item.kind === 'done' || item.kind === 'opened') at = owner.get(item.id) ?? at
    collected[at]?.push(item)
    if (item.kind !== 'done') continue
    left[at] = (left[at] ?? 1) - 1
    const plan = plans[at]
    if (left[at] !== 0 || plan === undefined) continue
    const observations = collected[at] ?? []
    const result = takeForward(plan, observations, await heldFlags(work, plan))
    const look = { plan, observations, result }
    if (isDoubtful(work, look) || !(await settleLook(work, plan, result, outcome))) unsatisfied.push(look)
  }
  return unsatisfied
}

/** Whether it may not be the mailbox that was refused, but what was asked of it. */
function isDoubtful(work: Work, { plan, observations, result }: Look): boolean {
  return result.kind === 'refused' && refusedFetch(work, plan.steps, observations) !== null
}

/** What is held of the flags of a mailbox without mod-sequences that are believed, which tells all of them each time. */
async function heldFlags(work: Work, { request: { mailbox, tier } }: ForwardPlan): Promise<HeldFlags | undefined> {
  const { checkpoint } = mailbox
  if (checkpoint === null || checkpoint.covered.isEmpty || (checkpoint.highestModSeq !== null && tier !== 'plain'))
    return undefined
  const rows = await work.options.store.planning.flags(mailbox.id, checkpoint.covered)
  return new Map(rows.map(({ uid, flags }) => [uid, flags]))
}

/** Does what the result says; false when the mailbox must be looked at once more. */
async function settleLook(work: Work, plan: ForwardPlan, result: ForwardResult, outcome: ForwardOutcome): Promise<boolean> {
  const { mailbox } = plan.request
  switch (result.kind) {
    case 'taken': {
      const { id, box } = mailbox
      const gone = (mailbox.checkpoint?.known ?? UidSet.EMPTY).difference(result.mailbox.checkpoint?.known ?? UidSet.EMPTY)
      if (!mayLose(work, mailbox, gone)) return true
      // In one write with the first look: what comes after it is new.
      const writes = result.writes.map((write) =>
        write.kind === 'put-mailbox' ? { ...write, mailbox: withWindow(work, write.mailbox) } : write,
      )
      const isWritten = await work.commit(`bring ${mailbox.path} forward`, writes, { boxes: [{ mailboxId: id, box }] })
      if (isWritten) {
        outcome.taken.add(mailbox.id)
        count(work, mailbox.path, result.news)
        if (result.isForgetful) await rememberForgetting(work, mailbox)
      }
      return isWritten
    }
    case 'refused':
      outcome.refused.set(mailbox.id, result.rejection)
      work.problem({
        code: 'sync.incomplete',
        message: `The server refused to ${result.what === 'open' ? 'open' : 'tell what is in'} ${mailbox.path}: ${result.rejection?.text ?? 'no reason given'}`,
        mailbox: mailbox.path,
        seq: null,
      })
      return true
    case 'lost':
      return true
    case 'verify':
    case 'moved':
    case 'lower-tier':
    case 'reset':
    case 'sample-refused':
      return false
  }
}

async function lookAgain(work: Work, first: Look, outcome: ForwardOutcome): Promise<void> {
  let { plan, observations, result } = first
  for (let looks = 1; looks < LOOKS_MAX; looks += 1) {
    if (result.kind === 'refused' && !(await mayReadAgain(work, plan.steps, observations))) {
      await settleLook(work, plan, result, outcome)
      return
    }
    if (result.kind === 'verify') {
      plan = planVerification(plan, result, work.name)
      observations = [...observations, ...(await work.run(plan.steps))]
    } else if (result.kind === 'reset' && result.opened.exists === 0) {
      // Nothing more is to be asked of an empty mailbox.
      plan = { ...plan, request: await nextRequest(work, plan, result), steps: [], wholeListId: null, bringsFlags: true }
    } else if (result.kind === 'reset' && isPlannedFor(plan, result.opened)) {
      // STATUS had told of the new UIDVALIDITY: what was asked for under it holds.
      plan = { ...plan, request: await nextRequest(work, plan, result) }
    } else if (result.kind === 'reset') {
      const { opened } = result
      const again = planForward(await nextRequest(work, plan, result), work.name)
      // What is open is not opened again (RFC 4549 §5.2): a server without lasting UIDs would give it another UIDVALIDITY each time.
      const isOpen = work.isOpen(current(work, again.request.mailbox))
      plan = isOpen ? { ...again, openId: opened.id, steps: again.steps.filter(({ kind }) => kind !== 'open') } : again
      observations = [...(isOpen ? [opened] : []), ...(await work.run(plan.steps))]
    } else {
      plan = planForward(await nextRequest(work, plan, result), work.name)
      observations = await work.run(plan.steps)
    }
    work.assertAlive()
    result = takeForward(plan, observations, await heldFlags(work, plan))
    if (!isDoubtful(work, { plan, observations, result }) && (await settleLook(work, plan, result, outcome))) return
  }
  work.problem({
    code: 'sync.incomplete',
    message: `${first.plan.request.mailbox.path} could not be taken in: the server's answers contradict each other.`,
    mailbox: first.plan.request.mailbox.path,
    seq: null,
  })
}

/** Whether all that was planned behind the open is about the life that the mailbox was found in. */
function isPlannedFor({ steps }: ForwardPlan, { mailbox }: Opened): boolean {
  const looks = steps.flatMap((step) => ('mailbox' in step ? [step.mailbox] : []))
  return looks.length > 0 && looks.every(({ uidValidity }) => uidValidity === mailbox.uidValidity)
}

async function nextRequest(work: Work, plan: ForwardPlan, result: ForwardResult): Promise<ForwardRequest> {
  const { request } = plan
  if (result.kind === 'lower-tier')
    return { ...request, tier: result.tier, mailbox: await lowered(work, request.mailbox, result) }
  if (result.kind === 'reset') {
    const mailbox = await resetMailbox(work, current(work, request.mailbox), result.opened)
    return { ...request, mailbox, status: statusOf(result.opened) }
  }
  if (result.kind === 'refused') return { ...request, mailbox: current(work, request.mailbox) }
  const again = { ...request, mailbox: current(work, request.mailbox), status: null }
  if (result.kind !== 'sample-refused') return again
  const { expunges: _unsampled, ...rest } = again
  return rest
}

/** What STATUS would say of a mailbox that was just opened. */
function statusOf({ mailbox, exists, uidNext, highestModSeq, objectId }: Opened): StatusSeen {
  const { path, uidValidity } = mailbox
  return { kind: 'status', path, messages: exists, uidNext, uidValidity, highestModSeq, objectId }
}

/** One look at everything sets a mailbox right whose mod-sequences began anew; what is not reported as it should be will not be the next time. */
async function lowered(work: Work, mailbox: MailboxRecord, caught: { tier: Tier; reason: string }): Promise<MailboxRecord> {
  if (caught.tier === 'condstore') await distrust(work, current(work, mailbox), caught)
  return current(work, mailbox)
}

/** RFC 4549 §4.1: nothing known under the old UIDVALIDITY holds; entries on its UIDs are parked and shown, uploads survive (I-STORE-2). */
async function resetMailbox(work: Work, mailbox: MailboxRecord, opened: Opened): Promise<MailboxRecord> {
  const { box } = await work.options.store.planning.allocateMailbox()
  const fresh: MailboxRecord = {
    ...mailbox,
    box,
    formerBox: mailbox.box,
    uidValidity: opened.mailbox.uidValidity,
    objectId: opened.objectId,
    checkpoint: null,
    partsHeldFor: null,
    tierLimit: null,
  }
  await changeLog(work, {
    reason: `${mailbox.path} has a new UIDVALIDITY`,
    mailboxes: (now) => new Map([...now, [mailbox.id, fresh]]),
    writes: [{ kind: 'put-mailbox', mailbox: fresh }],
  })
  return current(work, fresh)
}

function current(work: Work, mailbox: MailboxRecord): MailboxRecord {
  return work.mailboxes.get(mailbox.id) ?? mailbox
}

function count(work: Work, path: string, news: ForwardNews): void {
  work.tellMessages(path)
  const { tally } = work.options
  tally.mailboxesOpened += 1
  tally.messagesFetched += news.fetched
  tally.messagesRemoved += news.removed
  tally.flagsChanged += news.flagsChanged
}
