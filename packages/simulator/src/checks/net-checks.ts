/** Checks each step that changes the server, as it is sent: its UIDs, its claim, and the quiet that a lost answer demands. */

import { isMutating, type Observation, type Step } from '@tidemail/core'
import { GHOST_QUIET_MS_MAX } from '@tidemail/planner'
import { type Claim, decodeClaim, isOpenClaim } from '@tidemail/replay-log'
import type { MemoryState } from '@tidemail/testing/simulated'
import type { Finding } from '../finding.ts'

type ClaimRecord = Parameters<typeof decodeClaim>[0]

export class NetChecks {
  /** By `path UIDVALIDITY`: the UIDs that the server has named. */
  readonly #given = new Map<string, Set<number>>()
  /** By path: until when nothing may be sent that changes the mailbox. */
  readonly #quietUntil = new Map<string, number>()
  /** How many steps were answered. */
  answered = 0
  readonly #claims = new WeakMap<ClaimRecord, Claim>()

  hear(item: Observation): void {
    switch (item.kind) {
      case 'row':
        this.#give(item.mailbox, [item.uid])
        return
      case 'uids':
        this.#give(item.mailbox, item.uids.values())
        return
      case 'appended':
        this.#give(item.target, item.uids)
        return
      case 'done':
        if (item.outcome === 'ok' || item.outcome === 'rejected') this.answered += 1
        return
      case 'copied':
        this.#give(item.target, item.pairs.destinations.values())
        return
    }
  }

  /** What was given under the old name holds under the new one. */
  rename(from: string, { path, uidValidity }: { readonly path: string; readonly uidValidity: number }): void {
    const given = this.#given.get(`${from} ${uidValidity}`)
    if (given !== undefined) this.#give({ path, uidValidity }, given)
  }

  /** The connection ended with this step unanswered. */
  lose(step: Step, now: number): void {
    if (!isMutating(step)) return
    for (const path of mailboxesOf(step)) this.#quietUntil.set(path, now + GHOST_QUIET_MS_MAX)
  }

  check(step: Step, now: number, state: MemoryState): Finding[] {
    if (!isMutating(step)) return []
    const found: Finding[] = []
    if (now > step.notAfter) found.push({ check: 'H-8', what: `${nameOf(step)} is sent ${now - step.notAfter} ms too late` })
    if (!this.#isClaimed(step, state)) found.push({ check: 'H-2', what: `${nameOf(step)} is sent without a claim` })
    for (const path of mailboxesOf(step)) {
      const wait = (this.#quietUntil.get(path) ?? 0) - now
      const check = 'target' in step && step.target === path && 'mailbox' in step ? 'H-7 of a target' : 'H-7'
      if (wait > 0) found.push({ check, what: `${nameOf(step)} is sent ${wait} ms before ${path} is quiet` })
    }
    return [...found, ...this.#checkUids(step)]
  }

  /** `id` is that of the claim. */
  checkSubmission(id: string, now: number, { claims }: MemoryState): Finding[] {
    const record = [...claims.values()].find((candidate) => candidate.id === id)
    const submission = record === undefined ? undefined : decodeClaim(record).submission
    if (submission === undefined) return [{ check: 'H-2', what: 'a message is handed over without a claim' }]
    const delayMs = now - submission.notAfter
    return delayMs > 0 ? [{ check: 'H-8', what: `a message is handed over ${delayMs} ms too late` }] : []
  }

  #checkUids(step: Step): Finding[] {
    if (!('mailbox' in step) || !('uids' in step)) return []
    const { path, uidValidity } = step.mailbox
    const given = this.#given.get(`${path} ${uidValidity}`) ?? new Set()
    const invented = [...step.uids.values()].filter((uid) => !given.has(uid))
    if (invented.length === 0) return []
    return [{ check: 'I-NET-2', what: `${nameOf(step)} names UIDs ${invented} that the server has not given` }]
  }

  /** A subscription that follows a mailbox which was renamed is nobody's operation, and may be repeated. */
  #isClaimed(step: Step, { claims }: MemoryState): boolean {
    if (step.kind === 'subscribe' || step.kind === 'unsubscribe') return true
    return [...claims.values()].some((record) => {
      const claim = this.#claims.get(record) ?? decodeClaim(record)
      this.#claims.set(record, claim)
      return isOpenClaim(claim) && claim.lostAt === null && claim.steps.some((claimed) => isSame(claimed, step))
    })
  }

  #give({ path, uidValidity }: { readonly path: string; readonly uidValidity: number }, uids: Iterable<number>): void {
    const key = `${path} ${uidValidity}`
    const given = this.#given.get(key) ?? new Set()
    for (const uid of uids) given.add(uid)
    this.#given.set(key, given)
  }
}

function isSame(a: Step, b: Step): boolean {
  return a.id === b.id && nameOf(a) === nameOf(b)
}

/** `store INBOX 1:3 -> Archive`. */
export function nameOf(step: Step): string {
  const uids = 'uids' in step ? ` ${step.uids}` : ''
  const target = 'target' in step ? ` -> ${step.target}` : ''
  const flags = step.kind === 'store' ? ` ${step.direction} ${step.flags.join(' ')}` : ''
  const path = 'mailbox' in step ? ` ${step.mailbox.path}` : 'path' in step ? ` ${step.path}` : ''
  return `${step.kind}${path}${uids}${flags}${target}`
}

function mailboxesOf(step: Step): string[] {
  const source = 'mailbox' in step ? [step.mailbox.path] : 'path' in step ? [step.path] : []
  return [...source, ...('target' in step ? [step.target] : [])]
}
