/** Fetches the parts that the policy wants: texts of all mailboxes first, then what is attached, newest first. */

import { type MailboxRecord, type PartsWanted, UidSet } from '@tidemail/core'
import { PARTS_ROUNDS, type PartsRound, partsKey, partsKeysAtLeast, partsWanted, policyOf } from '@tidemail/planner'
import { fetchParts, partName } from './fetch-parts.ts'
import { linkParts } from './link-parts.ts'
import { inboxFirst } from './resync.ts'
import type { Work } from './work.ts'

/** Runs for one mailbox in one pass: more than any needs; it ends a loop that a server could cause. */
const PARTS_RUNS_MAX = 100_000

/** The parts that the policy wants under the conditions as they are, of every mailbox that may miss some. */
export async function prefetchParts(work: Work): Promise<void> {
  /** Asked for in vain, by mailbox: not asked for again in this pass. */
  const refused = new Map<MailboxRecord['id'], Set<string>>()
  for (const round of PARTS_ROUNDS) {
    const mailboxes = [...work.mailboxes.values()].map((mailbox) => ({ mailbox })).toSorted(inboxFirst)
    for (const { mailbox } of mailboxes.filter((one) => work.isWanted(one.mailbox))) {
      const inVain = refused.get(mailbox.id) ?? new Set()
      refused.set(mailbox.id, inVain)
      await new MailboxParts(work, mailbox, round, inVain).fetch()
    }
  }
  if (work.options.only === null) await releaseParts(work)
}

/** What one mailbox misses in one round. */
class MailboxParts {
  readonly #work: Work
  readonly #id: MailboxRecord['id']
  readonly #round: PartsRound
  /** Asked for in vain. */
  readonly #refused: Set<string>
  #held = 0
  #isComplete = true

  constructor(work: Work, { id }: MailboxRecord, round: PartsRound, refused: Set<string>) {
    this.#work = work
    this.#id = id
    this.#round = round
    this.#refused = refused
  }

  async fetch(): Promise<void> {
    for (let runs = 0; runs < PARTS_RUNS_MAX; runs += 1) {
      const next = this.#wanted()
      if (next === null) return
      const { mailbox, wanted } = next
      const all = await this.#work.options.store.planning.missingParts(mailbox.id, wanted)
      const missing = all.filter((part) => !this.#refused.has(partName(part)))
      if (missing.length === 0) return this.#end(mailbox, wanted)
      this.#work.options.onPhase('fetching-bodies')
      if (runs === 0 && (await linkParts(this.#work.options, mailbox, UidSet.from(missing.map(({ uid }) => uid))))) continue
      const run = await fetchParts(this.#work, mailbox, { missing, reason: 'the policy wants these parts here' })
      for (const name of run.asked) if (!run.kept.has(name)) this.#refused.add(name)
      this.#isComplete &&= run.isComplete
      this.#held += run.heldCount
      const total = this.#held + missing.length - run.heldCount
      this.#work.options.onProgress({ done: this.#held, total, mailbox: mailbox.path })
      await this.#work.attendRequests()
    }
  }

  /** As it is now: the conditions may have changed since the run before. Null when nothing is missing, as far as is known. */
  #wanted(): { readonly mailbox: MailboxRecord; readonly wanted: PartsWanted } | null {
    const { policy, conditions, clock } = this.#work.options
    const mailbox = this.#work.mailboxes.get(this.#id)
    if (mailbox === undefined || mailbox.checkpoint === null) return null
    const own = policyOf(mailbox, policy)
    const wanted = partsWanted(own, { round: this.#round, conditions: conditions(), now: clock.now() })
    if (wanted === null || partsKeysAtLeast(own, wanted).includes(mailbox.partsHeldFor ?? '')) return null
    return { mailbox, wanted }
  }

  async #end(mailbox: MailboxRecord, wanted: PartsWanted): Promise<void> {
    if (!this.#isComplete) {
      const message = `Not all of ${mailbox.path} could be read.`
      this.#work.problem({ code: 'sync.incomplete', message, mailbox: mailbox.path, seq: null })
      return
    }
    const partsHeldFor = partsKey(policyOf(mailbox, this.#work.options.policy), wanted)
    const write = { kind: 'put-mailbox', mailbox: { ...mailbox, partsHeldFor } } as const
    await this.#work.commit(`${mailbox.path} holds the parts that the policy wants`, [write])
  }
}

/** What was kept of messages that had left was looked through by every mailbox. */
async function releaseParts(work: Work): Promise<void> {
  const { accountId, released } = work.options
  if (!released.isPossible) return
  if (await work.commit('let go of messages that have left', [{ kind: 'release-parts', accountId }])) released.isPossible = false
}
