/** What the simulated user can do: one row each. An act draws what it needs from its own seed, and enters in the ledger what it asks for. */

import { type EntrySeq, type MailboxView, type MessageReference, type MessageView, SyncError } from '@tidemail/core'
import type { MailEngine } from '@tidemail/engine'
import type { Entry, Operation, Receipt } from '@tidemail/replay-log'
import type { Ledger } from './ledger.ts'
import { MAILBOX_ACTS } from './mailbox-acts.ts'
import { FLAGS } from './some-flags.ts'
import { UPLOAD_ACTS } from './upload-acts.ts'
import type { SeededRandom } from './virtual-time.ts'

/** What an act has to work with. */
export interface UserScene {
  readonly engine: MailEngine
  readonly random: SeededRandom
  readonly ledger: Ledger
  readonly mailbox: MailboxView
  readonly mailboxes: readonly MailboxView[]
  /** Messages that the user has in view; some may be gone since. */
  readonly chosen: readonly MessageView[]
  /** A message that nobody has seen yet. */
  newMessage(): { readonly id: string; readonly bytes: Uint8Array }
  /** Messages that the user uploaded before. */
  readonly uploaded: { readonly id: string; readonly bytes: Uint8Array }[]
  /** The draft that the user is writing on, as last saved, and the Message-IDs of its versions. */
  readonly draft: { last: MessageReference | null; ids: string[] }
  /** The operations of the last act, while they can be taken back whole. */
  readonly last: { readonly seqs: readonly EntrySeq[] }
}

export type UserActName =
  | 'flag'
  | 'flag unless changed'
  | 'move'
  | 'copy'
  | 'expunge'
  | 'delete'
  | 'append'
  | 'three in a row'
  | 'save a draft'
  | 'submit'
  | 'undo'
  | 'take back'
  | 'retry'
  | 'retarget'
  | 'discard'
  | 'create a mailbox'
  | 'rename a mailbox'
  | 'delete a mailbox'
  | 'subscribe'

export interface UserAct {
  readonly name: UserActName
  /** How often it is drawn, against the others. */
  readonly weight: number
  /** Whether it needs messages to act on. */
  readonly isOnMessages: boolean
  act(scene: UserScene): Promise<void>
}

const MESSAGE_ACTS: readonly UserAct[] = [
  {
    name: 'flag',
    weight: 4,
    isOnMessages: true,
    async act({ engine, random, ledger, chosen }) {
      const flag = random.pick(FLAGS)
      const change = random.chance(0.6) ? { add: [flag], remove: [] } : { add: [], remove: [flag] }
      ledger.askFlags(idsOf(chosen), change)
      await engine.flag(referencesOf(chosen), change).accepted
    },
  },
  {
    // Only messages that nobody else changed (RFC 7162 §3.1.3).
    name: 'flag unless changed',
    weight: 2,
    isOnMessages: true,
    async act({ engine, random, ledger, chosen }) {
      const flag = random.pick(FLAGS)
      const change = random.chance(0.6) ? { add: [flag], remove: [] } : { add: [], remove: [flag] }
      ledger.askFlags(idsOf(chosen), change)
      await engine.flag(referencesOf(chosen), { ...change, when: 'unchanged' }).accepted
    },
  },
  {
    name: 'move',
    weight: 3,
    isOnMessages: true,
    async act({ engine, random, ledger, chosen, mailboxes }) {
      const to = random.pick(mailboxes.filter(({ id }) => chosen.every((message) => message.mailboxId !== id)))
      ledger.ask('move', idsOf(chosen))
      await engine.move(referencesOf(chosen), to.id).accepted
    },
  },
  {
    name: 'copy',
    weight: 2,
    isOnMessages: true,
    async act({ engine, random, ledger, chosen, mailboxes }) {
      const to = random.pick(mailboxes.filter(({ id }) => chosen.every((message) => message.mailboxId !== id)))
      ledger.ask('copy', idsOf(chosen))
      await engine.copy(referencesOf(chosen), to.id).accepted
    },
  },
  {
    name: 'expunge',
    weight: 2,
    isOnMessages: true,
    async act({ engine, ledger, chosen }) {
      ledger.ask('expunge', idsOf(chosen))
      await engine.expunge(referencesOf(chosen)).accepted
    },
  },
  {
    name: 'delete',
    weight: 2,
    isOnMessages: true,
    async act({ engine, ledger, chosen, mailbox, mailboxes, random }) {
      const trash = random.pick(mailboxes)
      ledger.ask('move', idsOf(chosen))
      // What is in Trash already goes for good; where a message of an old page is by now, the app cannot tell.
      if (chosen.some(({ mailboxId }) => mailboxId === trash.id) || mailbox.id === trash.id) ledger.ask('expunge', idsOf(chosen))
      await engine.delete(referencesOf(chosen), { to: trash.id }).accepted
    },
  },
  {
    name: 'undo',
    weight: 1,
    isOnMessages: false,
    async act({ engine, random, ledger }) {
      const known: readonly (Entry | Receipt)[] = random.chance(0.7)
        ? await engine.entries()
        : await engine.receipts({ limit: 5 })
      if (known.length === 0) return
      const { operation, seq } = random.pick(known)
      ledger.askBack(operation)
      ledger.withdraw(uploadsOf(operation))
      await ifAllowed(engine.undo(seq))
    },
  },
  {
    // The last act, from its end.
    name: 'take back',
    weight: 2,
    isOnMessages: false,
    async act({ engine, last, ledger }) {
      const known = [...(await engine.entries()), ...(await engine.receipts({ limit: 20 }))]
      for (const seq of last.seqs.toReversed()) {
        const operation = known.find((one) => one.seq === seq)?.operation
        if (operation === undefined) return
        ledger.askBack(operation)
        ledger.withdraw(uploadsOf(operation))
        await engine.undo(seq)
      }
    },
  },
  {
    name: 'retry',
    weight: 1,
    isOnMessages: false,
    async act({ engine, ledger, random }) {
      const parked = (await engine.entries()).filter(({ progress }) => progress.some(({ state }) => state === 'parked'))
      if (parked.length === 0) return
      const entry = random.pick(parked)
      const { seq } = entry
      allowRepeat(ledger, entry)
      await ifAllowed(engine.retry(seq))
    },
  },
  {
    name: 'retarget',
    weight: 1,
    isOnMessages: false,
    async act({ engine, ledger, mailbox, random }) {
      const parked = (await engine.entries()).filter(({ progress }) => progress.some(({ state }) => state === 'parked'))
      if (parked.length === 0) return
      const entry = random.pick(parked)
      const { seq } = entry
      allowRepeat(ledger, entry)
      await ifAllowed(engine.retarget(seq, mailbox.id))
    },
  },
  {
    name: 'discard',
    weight: 1,
    isOnMessages: false,
    async act({ engine, random, ledger }) {
      const parked = (await engine.entries()).filter(({ progress }) => progress.some(({ state }) => state === 'parked'))
      if (parked.length > 0) await discard(engine, ledger, random.pick(parked).seq)
    },
  },
]

/** Of which any follows any; recorded histories draw from these. */
const ACTS_IN_A_ROW: readonly UserActName[] = ['flag', 'move', 'copy', 'expunge', 'delete']

/** Three acts on the same messages before anything of them is sent: where folding could leave one out. */
const THREE_IN_A_ROW: UserAct = {
  name: 'three in a row',
  weight: 2,
  isOnMessages: true,
  async act(scene) {
    for (let number = 0; number < 3; number += 1) await userAct(scene.random.pick(ACTS_IN_A_ROW)).act(scene)
  },
}

export const USER_ACTS: readonly UserAct[] = [...MESSAGE_ACTS, ...UPLOAD_ACTS, THREE_IN_A_ROW, ...MAILBOX_ACTS]

export function userAct(name: UserActName): UserAct {
  const found = USER_ACTS.find((candidate) => candidate.name === name)
  if (found === undefined) throw new Error(`the user cannot ${name}`)
  return found
}

/** Gives an entry up; an upload that is given up may never be seen again. */
export async function discard(engine: MailEngine, ledger: Ledger, seq: Parameters<MailEngine['discard']>[0]): Promise<void> {
  const entry = (await engine.entries()).find((candidate) => candidate.seq === seq)
  if (entry !== undefined) ledger.allowLoss(uploadsOf(entry.operation))
  await ifAllowed(engine.discard(seq))
}

/** What nobody can tell of may take effect once more when the user lets it be tried again. */
export function allowRepeat(ledger: Ledger, { operation, progress }: Entry): void {
  const uncertain = progress.filter(({ parkedFor }) => parkedFor === 'uncertain')
  if (uncertain.length > 0) ledger.allowRepeat()
  if (operation.kind !== 'submit') return
  const isDeed = uncertain.some(({ targets }) => targets.kind === 'local' && targets.locals.has(operation.deed))
  if (isDeed) ledger.submissions.allowRepeat(uploadsOf(operation))
}

/** What an app must expect: what it speaks of is gone, was sent, or is there already. */
const EXPECTED: readonly string[] = [
  'input.not-undoable',
  'input.not-retargetable',
  'input.not-conditional',
  'input.unknown-operation',
  'input.unknown-message',
  'input.unknown-mailbox',
  'input.mailbox-exists',
  'input.bad-name',
]

export function isExpected(error: unknown): boolean {
  return error instanceof SyncError && EXPECTED.includes(error.code)
}

/** The messages that an operation brings along. */
function uploadsOf(operation: Operation): string[] {
  return 'message' in operation ? [operation.message.envelope.messageId ?? ''] : []
}

async function ifAllowed(promise: Promise<unknown>): Promise<void> {
  await promise.catch((error: unknown) => {
    if (!isExpected(error)) throw error
  })
}

function idsOf(messages: readonly MessageView[]): string[] {
  return messages.map(({ envelope }) => envelope.messageId ?? '')
}

function referencesOf(messages: readonly MessageView[]): MessageView['reference'][] {
  return messages.map(({ reference }) => reference)
}
