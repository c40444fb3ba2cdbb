/** Computes the view a second time, as the real store does, and compares it with the naive one (I-STORE-3, H-17). */

import { type AccountId, foldView, type MailboxRecord, type MessageStore, type MessageView, normaliseFlags } from '@tidemail/core'
import { decodeEntry, effectsOf } from '@tidemail/replay-log'
import type { MemoryState } from '@tidemail/testing/simulated'
import type { Finding } from '../finding.ts'

const ALL = 100_000

/** `store` is one on the same disk. */
export async function checkView(store: MessageStore, state: MemoryState, accountId: AccountId): Promise<Finding[]> {
  const found: Finding[] = []
  for (const mailbox of state.mailboxes.values()) {
    const { messages } = await store.view.page({ mailboxId: mailbox.id, limit: ALL })
    const naive = messages.map((message) => line(nameOf(message), message.flags)).sort()
    const folded = foldedLines(state, mailbox, accountId).sort()
    if (naive.join('\n') === folded.join('\n')) continue
    found.push({
      check: 'I-STORE-3',
      what: `${mailbox.path} shows\n  ${naive.join('\n  ')}\nand folds to\n  ${folded.join('\n  ')}`,
    })
  }
  for (const record of state.entries.values()) {
    const effects = effectsOf(decodeEntry(record))
    if (show(effects) === show(record.effects)) continue
    found.push({
      check: 'H-17',
      what: `entry ${record.seq} does ${show(record.effects)} to the view, and its progress says ${show(effects)}`,
    })
  }
  return found
}

function foldedLines(state: MemoryState, mailbox: MailboxRecord, accountId: AccountId): string[] {
  const entries = [...state.entries.values()].filter((entry) => entry.accountId === accountId).sort((a, b) => a.seq - b.seq)
  const overlay = foldView(
    { mailboxId: mailbox.id, box: mailbox.box },
    entries.flatMap(({ effects }) => effects),
  )
  const lines: string[] = []
  for (const [uid, row] of state.rows.get(mailbox.box) ?? []) {
    if (!overlay.hidden.has(uid)) lines.push(line(String(uid), overlay.flagsOf(uid, row.flags)))
  }
  for (const { flagsOf, local, origin } of overlay.placed) {
    const base = origin.kind === 'new' ? origin.message.flags : state.rows.get(origin.box)?.get(origin.uid)?.flags
    if (base !== undefined && isHeld(state, origin)) lines.push(line(`local:${local}`, flagsOf(base)))
  }
  return lines
}

/** A message of a box that its mailbox has left behind shows nothing. */
function isHeld(
  state: MemoryState,
  origin: { readonly kind: string; readonly mailboxId?: MailboxRecord['id']; readonly box?: number },
): boolean {
  if (origin.kind === 'new' || origin.mailboxId === undefined) return true
  return state.mailboxes.get(origin.mailboxId)?.box === origin.box
}

function nameOf({ reference }: MessageView): string {
  return reference.kind === 'stored' ? String(reference.uid) : `local:${reference.local}`
}

function line(name: string, flags: readonly string[]): string {
  return `${name} ${normaliseFlags(flags).join(' ')}`
}

/** One text for equal values, whatever the order of keys. */
function show(value: unknown): string {
  return JSON.stringify(value, (_, held: unknown) => {
    if (!(held instanceof Object) || Array.isArray(held)) return held
    if ('ranges' in held) return held.ranges
    return Object.fromEntries(Object.entries(held).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}
