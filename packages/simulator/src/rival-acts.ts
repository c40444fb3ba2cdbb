/** What another client, or the administrator, can do on the server meanwhile: one row each. */

import { UidSet } from '@tidemail/core'
import type { ModelAccount, ModelMailbox } from '@tidemail/testing/simulated'
import { messageIdIn } from './equality.ts'
import type { Ledger } from './ledger.ts'
import { FLAGS } from './some-flags.ts'
import type { SeededRandom } from './virtual-time.ts'

export interface RivalScene {
  readonly account: ModelAccount
  readonly random: SeededRandom
  readonly ledger: Ledger
  readonly mailbox: ModelMailbox
  readonly chosen: UidSet
  readonly now: number
  /** Without UID EXPUNGE nobody can spare what is marked after the last look (RFC 4549 §4.2.4). */
  readonly mayMeetExpunge: boolean
  newMessage(): { readonly id: string; readonly bytes: Uint8Array }
}

export type RivalActName =
  | 'append'
  | 'flag'
  | 'mark for deletion'
  | 'expunge'
  | 'move'
  | 'new UIDVALIDITY'
  | 'forgotten expunges'
  | 'mailbox comes or goes'
  | 'mailbox is renamed'

interface RivalAct {
  readonly name: RivalActName
  readonly weight: number
  /** Whether it takes away what proves that a step of ours took effect: messages, their UIDs, or the names of mailboxes. */
  readonly takesProof: boolean
  /** Answers whether anything happened. */
  act(scene: RivalScene): boolean
}

/** The mailbox that comes and goes. */
const COMING = 'Extra'
const RENAMED = 'Renamed'

export const RIVAL_ACTS: readonly RivalAct[] = [
  {
    name: 'append',
    weight: 8,
    takesProof: false,
    act({ ledger, mailbox, newMessage, now, random }) {
      const { bytes, id } = newMessage()
      ledger.meet(id)
      const flags = random.chance(0.3) ? [random.pick(FLAGS)] : []
      mailbox.append([{ bytes, flags, internalDate: Math.floor(now / 1000) * 1000 }])
      return true
    },
  },
  {
    name: 'flag',
    weight: 8,
    takesProof: false,
    act({ chosen, mailbox, random }) {
      mailbox.store(chosen, { direction: random.pick(['add', 'remove'] as const), flags: [random.pick(FLAGS)] })
      return true
    },
  },
  {
    // Without UID EXPUNGE our own removals must spare these (RFC 4549 §4.2.4).
    name: 'mark for deletion',
    weight: 4,
    takesProof: false,
    act({ chosen, ledger, mailbox, mayMeetExpunge }) {
      ledger.allowMarking(idsIn(mailbox, chosen))
      if (mayMeetExpunge) ledger.ask('expunge', idsIn(mailbox, chosen))
      mailbox.store(chosen, { direction: 'add', flags: ['\\Deleted'] })
      return true
    },
  },
  {
    name: 'expunge',
    weight: 4,
    takesProof: true,
    act({ chosen, ledger, mailbox }) {
      ledger.allowLoss(idsIn(mailbox, chosen))
      mailbox.remove(chosen)
      return true
    },
  },
  {
    name: 'move',
    weight: 4,
    takesProof: true,
    act({ account, chosen, ledger, mailbox, mayMeetExpunge, random }) {
      const marked = idsIn(mailbox, chosen.intersect(markedIn(mailbox)))
      ledger.allowMarking(marked)
      if (mayMeetExpunge) ledger.ask('expunge', marked)
      ledger.allowMistaking(idsIn(mailbox, chosen))
      const others = account.mailboxes.filter((other) => other !== mailbox)
      account.move(mailbox, chosen, random.pick(others).path)
      return true
    },
  },
  {
    name: 'new UIDVALIDITY',
    weight: 1,
    takesProof: true,
    act({ ledger, mailbox, random }) {
      if (random.chance(0.5)) return false
      ledger.allowMarking(idsIn(mailbox, markedIn(mailbox)))
      mailbox.bumpUidValidity()
      return true
    },
  },
  {
    name: 'forgotten expunges',
    weight: 1,
    takesProof: false,
    act({ mailbox }) {
      mailbox.forgetExpunges()
      return true
    },
  },
  {
    name: 'mailbox comes or goes',
    weight: 2,
    takesProof: true,
    act({ account, ledger }) {
      const there = account.mailbox(COMING) ?? account.mailbox(RENAMED)
      if (there === undefined) account.create(COMING)
      else {
        ledger.allowLoss([...there.messages, ...there.arrivals].map(({ bytes }) => messageIdIn(bytes)))
        account.delete(there.path)
      }
      return true
    },
  },
  {
    name: 'mailbox is renamed',
    weight: 1,
    takesProof: true,
    act({ account, ledger }) {
      const there = account.mailbox(COMING)
      if (there === undefined || account.mailbox(RENAMED) !== undefined) return false
      ledger.allowMarking(idsIn(there, markedIn(there)))
      account.rename(COMING, RENAMED)
      return true
    },
  },
]

export function rivalAct(name: RivalActName): RivalAct {
  const found = RIVAL_ACTS.find((candidate) => candidate.name === name)
  if (found === undefined) throw new Error(`nobody can ${name}`)
  return found
}

function idsIn(mailbox: ModelMailbox, uids: UidSet): string[] {
  return mailbox.select(uids).map(({ bytes }) => messageIdIn(bytes))
}

/** Under other names a mark may be anybody's: nobody can tell any more that it is ours. */
function markedIn(mailbox: ModelMailbox): UidSet {
  return UidSet.from(mailbox.messages.filter(({ flags }) => flags.includes('\\Deleted')).map(({ uid }) => uid))
}

/** Each message with this chance. */
export function someOf(mailbox: ModelMailbox, random: SeededRandom, chance: number): UidSet {
  return UidSet.from(mailbox.messages.filter(() => random.chance(chance)).map(({ uid }) => uid))
}
