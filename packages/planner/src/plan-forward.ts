/**
 * Decides what to ask so that a mailbox's whole UID set, and everything held of it, is brought forward to what the server has now.
 */

import {
  type FetchStep,
  type KnownState,
  type MailboxIdentity,
  type MailboxRecord,
  type OpenStep,
  type SearchStep,
  type StatusSeen,
  type Step,
  type Tier,
  UID_MAX,
  UidSet,
  type UidValidity,
} from '@tidemail/core'
import type { Hold } from './policy.ts'
import { sequenceMatchOf } from './sequence-match.ts'
import type { StepNamer } from './step-ids.ts'
import { UID_SET_OCTETS_MAX } from './uid-set-limit.ts'

/** New messages are fetched at once up to this many; more are listed first and fetched newest first, in chunks. */
export const DIRECT_FETCH_MESSAGES_MAX = 500
/** Known UIDs are told to the server up to this length; longer ones cost more than what they save (H-15). */
export const KNOWN_UIDS_OCTETS_MAX = 200

export interface ForwardRequest {
  readonly mailbox: MailboxRecord
  readonly status: StatusSeen | null
  readonly tier: Tier
  /** `fetch`: with the summaries of new messages. `list`: their UIDs only, as before an upload (RFC 4549 §3: upload comes first). */
  readonly newMessages: 'fetch' | 'list'
  /** Which messages the policy holds; left out: all. */
  readonly hold?: Hold
  /** What the server is known to do with expunges; left out: it remembers them. */
  readonly expunges?: 'forgotten'
}

/** A planned look at one mailbox; `takeForward` understands the answers. */
export interface ForwardPlan {
  readonly request: ForwardRequest
  readonly openId: string
  /** The step that names all UIDs there are, if there is one. */
  readonly wholeListId: string | null
  /** A list of all UIDs that did not add up. */
  readonly doubtedList: UidSet | null
  /** Whether the answers state the flags of everything held that changed: what lets the mod-sequence move. */
  readonly bringsFlags: boolean
  readonly steps: readonly Step[]
}

/** Plans the first look at a mailbox of which the UIDVALIDITY is known, from the store or from STATUS; else only opens it. */
export function planForward(request: ForwardRequest, name: StepNamer): ForwardPlan {
  const uidValidity = request.status?.uidValidity ?? request.mailbox.uidValidity
  const open = openStep(request, name)
  const base = { request, openId: open.id, doubtedList: null }
  if (uidValidity === null) return { ...base, wholeListId: null, bringsFlags: false, steps: [open] }
  const identity = { path: request.mailbox.path, uidValidity }
  const isFirst = request.mailbox.checkpoint === null || request.mailbox.uidValidity !== uidValidity
  if (isFirst) return { ...base, ...firstLook(request, identity, open, name) }
  // Mod-sequences that are new to us say nothing of what is held: look at the flags of everything once.
  const tier = request.mailbox.checkpoint?.highestModSeq === null ? 'plain' : request.tier
  switch (tier) {
    case 'qresync':
      return { ...base, wholeListId: null, bringsFlags: true, steps: [open, ...newMessages(request, identity, name)] }
    case 'condstore':
      return { ...base, ...condstoreLook(request, identity, open, name) }
    case 'plain':
      return { ...base, ...plainLook(request, identity, open, name) }
  }
}

/** After a look whose answers do not add up: the list of all UIDs decides, when it adds up or is the same twice (I-SYNC-2). */
export function planVerification(
  plan: ForwardPlan,
  doubt: { readonly uidValidity: UidValidity; readonly list: UidSet | null },
  name: StepNamer,
): ForwardPlan {
  const { path } = plan.request.mailbox
  const reason = 'what the server reported does not add up to EXISTS'
  const open: OpenStep = { kind: 'open', id: name('open'), path, access: 'select', reason }
  const search = searchStep({ path, uidValidity: doubt.uidValidity }, UidSet.ALL, reason, name)
  return { ...plan, wholeListId: search.id, doubtedList: doubt.list, steps: [open, search] }
}

function openStep(request: ForwardRequest, name: StepNamer): OpenStep {
  const { mailbox, tier } = request
  const known = tier === 'qresync' ? knownState(request) : null
  return {
    kind: 'open',
    id: name('open'),
    path: mailbox.path,
    access: 'select',
    reason: known === null ? 'see what is in it' : 'learn what changed since the last look',
    ...(known === null ? {} : { known }),
  }
}

function knownState({ mailbox: { checkpoint, uidValidity }, expunges }: ForwardRequest): KnownState | null {
  if (checkpoint === null || uidValidity === null || checkpoint.highestModSeq === null) return null
  const state = { uidValidity, modSeq: checkpoint.highestModSeq }
  const { known } = checkpoint
  if (known.isEmpty) return state
  // Whatever the server has forgotten, it tells of nothing but these.
  if (known.toString().length <= KNOWN_UIDS_OCTETS_MAX) return { ...state, knownUids: known }
  const sequenceMatch = expunges === 'forgotten' ? sequenceMatchOf(checkpoint) : null
  if (sequenceMatch === null) return state
  // Beside the sample one range covers what is known (RFC 7162 §3.2.5.2): the sample says the rest in fewer octets.
  return { ...state, knownUids: UidSet.range(1, Math.max(checkpoint.uidNext - 1, known.max ?? 1)), sequenceMatch }
}

type Look = Pick<ForwardPlan, 'wholeListId' | 'bringsFlags' | 'steps'>

function firstLook(request: ForwardRequest, identity: MailboxIdentity, open: OpenStep, name: StepNamer): Look {
  const messages = request.status?.messages ?? null
  if (messages === 0) return { wholeListId: null, bringsFlags: true, steps: [open] }
  const isSmall = messages !== null && messages <= directMax(request, { isFirst: true }) && request.newMessages === 'fetch'
  const whole = isSmall
    ? summaryStep(identity, UidSet.ALL, 'take in the mailbox', name)
    : searchStep(identity, UidSet.ALL, 'list the messages, to fetch the newest first', name)
  return { wholeListId: whole.id, bringsFlags: true, steps: [open, whole] }
}

/** CONDSTORE tells changed flags, but not what was expunged (RFC 4549 §6.1): the count decides whether a list is needed. */
function condstoreLook(request: ForwardRequest, identity: MailboxIdentity, open: OpenStep, name: StepNamer): Look {
  if (request.newMessages === 'list') return listOnly(identity, open, name)
  const modSeq = request.mailbox.checkpoint?.highestModSeq ?? null
  if (modSeq === null) return plainLook(request, identity, open, name)
  const hasFlagNews = request.status === null || request.status.highestModSeq !== modSeq
  const changed: FetchStep = {
    kind: 'fetch',
    id: name('fetch'),
    mailbox: identity,
    uids: windowed(request) ? heldOnwards(request.mailbox) : UidSet.ALL,
    items: 'flags',
    changedSince: { modSeq, vanished: false },
    reason: 'HIGHESTMODSEQ moved: learn which flags changed',
  }
  const steps = [open, ...(hasFlagNews ? [changed] : []), ...newMessages(request, identity, name)]
  return { wholeListId: null, bringsFlags: hasFlagNews, steps }
}

/** Without mod-sequences: the flags of everything held, then what is new (RFC 4549 §4.3.1). */
function plainLook(request: ForwardRequest, identity: MailboxIdentity, open: OpenStep, name: StepNamer): Look {
  if (request.newMessages === 'list') return listOnly(identity, open, name)
  const list = windowed(request) ? searchStep(identity, UidSet.ALL, 'see which messages there are', name) : null
  const uids =
    list === null ? [UidSet.ALL] : (request.mailbox.checkpoint?.covered ?? UidSet.EMPTY).chunksOfOctets(UID_SET_OCTETS_MAX)
  const reason = `the server gives no usable mod-sequences: look at the flags of every message${list === null ? '' : ' that is held'}`
  const flags = uids.map(
    (set): FetchStep => ({ kind: 'fetch', id: name('fetch'), mailbox: identity, uids: set, items: 'flags', reason }),
  )
  const whole = list ?? flags[0]
  const isEmpty = request.status?.messages === 0
  return {
    wholeListId: whole?.id ?? null,
    bringsFlags: true,
    steps: isEmpty ? [open] : [open, ...newMessages(request, identity, name), ...(list === null ? [] : [list]), ...flags],
  }
}

/** Whether rows are held of some messages only: then the flags of others are nothing to ask for. */
function windowed({ mailbox }: ForwardRequest): boolean {
  return mailbox.window?.box === mailbox.box
}

/** From the oldest message that is held: a short set, whatever is missing in between. */
function heldOnwards({ checkpoint }: MailboxRecord): UidSet {
  return UidSet.range(checkpoint?.covered.min ?? checkpoint?.uidNext ?? 1, UID_MAX)
}

/** How many messages may be fetched with the look itself: not more than the policy holds, and at the first look none of which the date is to be asked. */
function directMax({ hold = 'whole' }: ForwardRequest, { isFirst }: { readonly isFirst: boolean }): number {
  if (typeof hold === 'object' && 'lastMessages' in hold) return Math.min(hold.lastMessages, DIRECT_FETCH_MESSAGES_MAX)
  return isFirst && hold !== 'whole' ? 0 : DIRECT_FETCH_MESSAGES_MAX
}

function listOnly(identity: MailboxIdentity, open: OpenStep, name: StepNamer): Look {
  const search = searchStep(identity, UidSet.ALL, 'see which messages are still there before acting on them', name)
  return { wholeListId: search.id, bringsFlags: false, steps: [open, search] }
}

function newMessages(request: ForwardRequest, identity: MailboxIdentity, name: StepNamer): Step[] {
  const { checkpoint } = request.mailbox
  const from = checkpoint?.uidNext ?? 1
  const to = request.status?.uidNext ?? null
  if (to !== null && to <= from) return []
  if (to === null && request.newMessages === 'list') return []
  const uids = UidSet.range(from, UID_MAX).difference(checkpoint?.known ?? UidSet.EMPTY)
  const expected = to === null ? 0 : Math.min(to - from, request.status?.messages ?? Number.POSITIVE_INFINITY)
  return request.newMessages === 'list' || expected > directMax(request, { isFirst: false })
    ? [searchStep(identity, uids, 'UIDNEXT moved: list the new messages', name)]
    : [summaryStep(identity, uids, 'UIDNEXT moved: fetch the new messages', name)]
}

function searchStep(mailbox: MailboxIdentity, uids: UidSet, reason: string, name: StepNamer): SearchStep {
  return { kind: 'search', id: name('search'), mailbox, uids, reason }
}

function summaryStep(mailbox: MailboxIdentity, uids: UidSet, reason: string, name: StepNamer): FetchStep {
  return { kind: 'fetch', id: name('fetch'), mailbox, uids, items: 'summary', reason }
}
