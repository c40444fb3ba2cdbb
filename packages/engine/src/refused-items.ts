/** Finds out whether a FETCH was refused for the name of the content in it, which the server announces, and does without the name then (FIELD-5). */

import { can, type FetchStep, type Observation, type Step } from '@tidemail/core'
import { distrustCapability } from './distrust.ts'
import type { Work } from './work.ts'

/** What names contents, in the order in which it is asked for. */
const CONTENT_NAMES = [
  { capability: 'OBJECTID', item: 'EMAILID' },
  { capability: 'X-GM-EXT-1', item: 'X-GM-MSGID' },
] as const
/** How often the same steps are carried out: as planned, and once without each name. */
export const RUNS_MAX: number = 1 + CONTENT_NAMES.length

/** Carries out steps that only read, and all of them again where one was refused for what it asked beside. */
export async function runReads(work: Work, steps: readonly Step[]): Promise<Observation[]> {
  for (let runs = 1; ; runs += 1) {
    const observations = await work.run(steps)
    if (runs === RUNS_MAX || !(await mayReadAgain(work, steps, observations))) return observations
  }
}

/** Whether it is worth planning the steps anew: the refusal has passed, or it was for a name that is not asked for any more. */
export async function mayReadAgain(work: Work, steps: readonly Step[], observations: readonly Observation[]): Promise<boolean> {
  const fetch = refusedFetch(work, steps, observations)
  if (fetch === null) return false
  // Asked once more as before: a refusal that passes by itself teaches nothing.
  if (await isAnswered(work, fetch)) return true
  const name = CONTENT_NAMES.find(({ capability }) => can(work.server, capability))
  if (name === undefined) return false
  const reason = `the server refuses a FETCH with ${name.item}, and answers it without`
  const now = work.options.clock.now()
  const doubted = { capability: name.capability, reason, learntBy: 'synchronisation' as const, since: now, expiresAt: now }
  const { session } = work.options
  session.heed?.([...work.server.distrusted, doubted])
  const isForTheName = await isAnswered(work, fetch)
  session.heed?.(work.server.distrusted)
  if (isForTheName) await distrustCapability(work, name.capability, reason)
  return isForTheName
}

/** The first refused fetch that may have asked for the name of a content; null where the server has none, or the session cannot do without. */
export function refusedFetch(work: Work, steps: readonly Step[], observations: readonly Observation[]): FetchStep | null {
  const isAnnounced = CONTENT_NAMES.some(({ capability }) => work.server.capabilities.includes(capability))
  if (!isAnnounced || work.options.session.heed === undefined) return null
  const refused = new Set(observations.flatMap((item) => (item.kind === 'done' && item.outcome === 'rejected' ? [item.id] : [])))
  return steps.find((step): step is FetchStep => step.kind === 'fetch' && step.items !== 'flags' && refused.has(step.id)) ?? null
}

/** Asks for the name along with other items: what is planned anew is not asked twice. */
async function isAnswered(work: Work, refused: FetchStep): Promise<boolean> {
  const reason = 'see what the refusal was for'
  const { path, uidValidity } = refused.mailbox
  const open = work.options.selection.mailbox
  const isOpen = open?.path === path && open.uidValidity === uidValidity
  const items = refused.items === 'summary' ? 'identity' : 'summary'
  const fetch: Step = { kind: 'fetch', id: work.name('fetch'), mailbox: refused.mailbox, uids: refused.uids, items, reason }
  const opening: Step[] = isOpen ? [] : [{ kind: 'open', id: work.name('open'), path, access: 'examine', reason }]
  const observations = await work.run([...opening, fetch])
  work.assertAlive()
  return observations.some((item) => item.kind === 'done' && item.id === fetch.id && item.outcome === 'ok')
}
