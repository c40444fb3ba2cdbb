/** Examines a mail server in a mailbox of its own: what it does against what it claims. */

import { type Clock, type Random, type Remote, type ServerProfile, SyncError } from '@tidemail/core'
import { DISTRUST_LIFE_MS } from '@tidemail/planner'
import { systemClock, systemRandom } from '../system-ports.ts'
import { Bench } from './bench.ts'
import type { Check, CheckResult, CheckSettings, Finding } from './check.ts'
import { CHECK_CHANGED_FLAGS, CHECK_ENABLE, CHECK_MOD_SEQUENCES, CHECK_VANISHED } from './check-changes.ts'
import { CHECK_DATE_AND_SIZE, CHECK_LARGE_MESSAGE, CHECK_NAMES, CHECK_PERMANENT_FLAGS } from './check-contents.ts'
import { CHECK_APPEND_UID, CHECK_COPY_UID, CHECK_MOVE, CHECK_UID_EXPUNGE } from './check-evidence.ts'
import { CHECK_IDLE, CHECK_LIST_STATUS, CHECK_LISTING_LAG, CHECK_SEARCH, NEWS_WAIT_MS_MAX } from './check-listing.ts'
import { CheckStopped } from './two-sessions.ts'

/** One check may take so long, besides the time it is told to wait. */
export const CHECK_DEADLINE_MS_MAX = 60_000

const CHECKS: readonly Check[] = [
  CHECK_ENABLE,
  CHECK_LISTING_LAG,
  CHECK_APPEND_UID,
  CHECK_DATE_AND_SIZE,
  CHECK_SEARCH,
  CHECK_LIST_STATUS,
  CHECK_MOD_SEQUENCES,
  CHECK_CHANGED_FLAGS,
  CHECK_VANISHED,
  CHECK_UID_EXPUNGE,
  CHECK_COPY_UID,
  CHECK_MOVE,
  CHECK_PERMANENT_FLAGS,
  CHECK_NAMES,
  CHECK_LARGE_MESSAGE,
  CHECK_IDLE,
]

export interface ExaminationOptions {
  readonly remote: Remote
  /** How long an idle connection is tried, in milliseconds. Left out, or 0: not at all. */
  readonly idleMs?: number
  /** Called with each finding as it is made. */
  readonly onFinding?: (finding: Finding) => void | Promise<void>
  readonly signal?: AbortSignal
  readonly clock?: Clock
  readonly random?: Random
}

export interface Examination {
  readonly findings: readonly Finding[]
  /** What the server says of itself, with what it must not be trusted with, and what was measured: an engine takes it as `serverProfile`. */
  readonly profile: ServerProfile
  /** The mailbox in which it took place; it is gone again. */
  readonly scratch: string
  /** Scratch mailboxes that are still there: of this examination, or of an earlier one that was ended by force. */
  readonly leftovers: readonly string[]
}

/**
 * Makes a mailbox, tries in it what synchronisation relies on, with two sessions, and removes it, also after an abort. Touches no other mailbox.
 *
 * @example
 * const { findings, profile } = await examineServer({ remote })
 * const mail = await createMailEngine({ store, remote, account, serverProfile: profile })
 *
 * @throws SyncError `remote.*`, `engine.aborted`
 */
export async function examineServer(options: ExaminationOptions): Promise<Examination> {
  const { remote, idleMs = 0, onFinding, clock = systemClock, random = systemRandom } = options
  const signal = options.signal ?? new AbortController().signal
  const bench = new Bench({ remote, clock, random, signal })
  const findings: Finding[] = []
  let unreached: SyncError | null = null
  let left: readonly string[] = []
  try {
    await prepared(bench)
    for (const check of CHECKS) {
      if (signal.aborted) break
      const result = await resultOf(check, bench, { idleMs }, signal)
      // Who cannot be reached twice in a row will not be the third time.
      if (result instanceof SyncError && unreached !== null) throw result
      unreached = result instanceof SyncError ? result : null
      const finding = { id: check.id, what: check.what, ...(result instanceof SyncError ? notChecked(result.message) : result) }
      findings.push(finding)
      await onFinding?.(finding)
    }
  } finally {
    left = await bench.clear()
    await bench.hangUp()
  }
  if (signal.aborted) throw new SyncError('engine.aborted', `The examination was interrupted.${leftSentence(left)}`)
  return {
    findings,
    profile: profileOf(bench.server, findings, clock.now()),
    scratch: bench.path,
    leftovers: [...bench.leftovers, ...left],
  }
}

async function prepared(bench: Bench): Promise<void> {
  try {
    await bench.prepare()
  } catch (error) {
    if (error instanceof CheckStopped) throw new SyncError('remote.try-later', error.message, { cause: error })
    throw error
  }
}

/** What the check found, or why the server could not be reached for it. */
async function resultOf(
  check: Check,
  bench: Bench,
  settings: CheckSettings,
  signal: AbortSignal,
): Promise<CheckResult | SyncError> {
  const waitMs = check.id === 'idle' && settings.idleMs > 0 ? settings.idleMs + NEWS_WAIT_MS_MAX : 0
  const deadlineMs = CHECK_DEADLINE_MS_MAX + waitMs
  const over = new AbortController()
  bench.obey(AbortSignal.any([signal, over.signal]))
  const timer = new AbortController()
  const late = bench.clock.sleep(deadlineMs, AbortSignal.any([timer.signal, signal])).then(() => null)
  const result = check.run(bench, settings).catch((error: unknown) => {
    // What the check is not about stood in its way.
    if (error instanceof CheckStopped) return notChecked(error.message)
    if (error instanceof SyncError) return error
    throw error
  })
  const first = await Promise.race([result, late])
  timer.abort()
  if (first !== null) return first
  // The sessions may still owe an answer: whatever comes next begins with new ones.
  over.abort()
  await bench.hangUp()
  return notChecked(
    signal.aborted ? 'The examination was interrupted.' : `There was no answer within ${deadlineMs / 1000} seconds.`,
  )
}

function notChecked(sentence: string): CheckResult {
  return { verdict: 'not checked', sentence }
}

function profileOf(server: ServerProfile, findings: readonly Finding[], now: number): ServerProfile {
  const distrusted = new Map(server.distrusted.map((entry) => [entry.capability, entry]))
  for (const { distrust = [], sentence, what } of findings) {
    for (const capability of distrust.filter((name) => server.capabilities.includes(name))) {
      if (distrusted.has(capability)) continue
      const reason = `${what}: ${sentence}`
      distrusted.set(capability, { capability, reason, learntBy: 'examination', since: now, expiresAt: now + DISTRUST_LIFE_MS })
    }
  }
  const measured = {
    measuredAt: now,
    listingLagMs: null,
    idleMs: null,
    ...Object.assign({}, ...findings.map((one) => one.measured)),
  }
  return { ...server, distrusted: [...distrusted.values()], measured }
}

function leftSentence(left: readonly string[]): string {
  return left.length === 0 ? '' : ` ${left.join(', ')} is still there.`
}
