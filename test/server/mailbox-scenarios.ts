/** What can happen to mailboxes, and to messages between them, from one look to the next. */

import { local, rival, server, sync } from '../e2e/scenario-lines.ts'
import { type ResyncScenario, scenario } from './resync-scenario.ts'

// Verifies: I-SYNC-1, I-SYNC-5, DC-4549-3.3, DC-4549-4.1.1
export const MAILBOX_SCENARIOS: readonly ResyncScenario[] = [
  // Between mailboxes.
  scenario('a rival moves a message to another mailbox', [
    server`INBOX | 1 | 2 ; Work | 3`,
    rival`move 2 -> Work`,
    sync,
    local`INBOX | 1 ; Work | 2 | 3`,
  ]),
  scenario('a rival moves messages to and fro', [
    server`INBOX | 1 | 2 ; Work | 3`,
    rival`move 1 -> Work ; move 3 -> INBOX ; move 1 -> INBOX`,
    sync,
    local`INBOX | 1 | 2 | 3 ; Work |`,
  ]),
  scenario('a rival copies a message', [
    server`INBOX | 1 \Seen ; Work |`,
    rival`copy 1 -> Work`,
    sync,
    local`INBOX | 1 \Seen ; Work | 1 \Seen`,
  ]),
  scenario('a rival copies a message into the mailbox it is in', [
    server`INBOX | 1 | 2`,
    rival`copy 1 -> INBOX`,
    sync,
    local`INBOX | 1 | 1 | 2`,
  ]),
  scenario('a rival moves all messages into a mailbox that is new', [
    server`INBOX | 1..6`,
    rival`create Later ; move 1..6 -> Later`,
    sync,
    local`Later | 1..6`,
  ]),

  // Mailboxes.
  scenario('a mailbox is made', [
    server`INBOX | 1`,
    rival`create Work`,
    sync,
    rival`append 2 -> Work`,
    sync,
    local`INBOX | 1 ; Work | 2`,
  ]),
  scenario('a mailbox is deleted', [server`INBOX | 1 ; Work | 2 | 3`, rival`delete Work`, sync, local`INBOX | 1`]),
  scenario('a mailbox is made and deleted between two looks', [
    server`INBOX | 1`,
    rival`create Work ; append 2 -> Work ; delete Work`,
    sync,
    local`INBOX | 1`,
  ]),
  scenario('a mailbox is renamed', [
    server`INBOX | 1 ; Work | 2 \Seen | 3`,
    rival`rename Work -> Done`,
    sync,
    local`INBOX | 1 ; Done | 2 \Seen | 3`,
  ]),
  scenario('a mailbox is renamed, and changes', [
    server`INBOX | 1 ; Work | 2 | 3`,
    rival`rename Work -> Done ; append 4 -> Done ; flags 2 +\Seen ; expunge 3`,
    sync,
    local`INBOX | 1 ; Done | 2 \Seen | 4`,
  ]),
  scenario('a mailbox with children is renamed', [
    server`INBOX | 1 ; Work | 2 ; Work/Deep | 3 ; Work/Deep/Er | 4`,
    rival`rename Work -> Done`,
    sync,
    local`INBOX | 1 ; Done | 2 ; Done/Deep | 3 ; Done/Deep/Er | 4`,
  ]),
  scenario('two mailboxes change names', [
    server`INBOX | ; Ebb | 1 | 2 | 3 ; Flood | 4`,
    rival`rename Ebb -> Between ; rename Flood -> Ebb ; rename Between -> Flood`,
    sync,
    local`Ebb | 4 ; Flood | 1 | 2 | 3`,
  ]),
  scenario(
    'two mailboxes that look the same from outside change names',
    [
      server`INBOX | ; Ebb | 1 ; Flood | 2`,
      rival`rename Ebb -> Between ; rename Flood -> Ebb ; rename Between -> Flood`,
      sync,
      local`Ebb | 2 ; Flood | 1`,
    ],
    { except: { cyrus: 'UIDVALIDITY is the second of creation, and STATUS tells MAILBOXID as octets of another place' } },
  ),
  scenario('a mailbox is made again under the name it had', [
    server`INBOX | 1 ; Work | 2 | 3`,
    rival`renew Work ; expunge Work/2 ; append 4 -> Work`,
    sync,
    local`INBOX | 1 ; Work | 3 | 4`,
  ]),
  scenario('a mailbox is made again, empty', [
    server`INBOX | 1 ; Work | 2 | 3`,
    rival`expunge 2..3 ; renew Work`,
    sync,
    local`INBOX | 1 ; Work |`,
  ]),
  scenario('a parent cannot be selected', [
    server`INBOX | 1`,
    rival`create Rivers/Severn/Bore ; append 2 -> Rivers/Severn/Bore`,
    sync,
    local`INBOX | 1 ; Rivers/Severn/Bore | 2`,
  ]),
  scenario('a parent is made selectable, and its child goes', [
    server`INBOX | 1 ; Rivers/Severn | 2`,
    rival`delete Rivers/Severn ; create Coasts/West ; append 3 -> Coasts/West`,
    sync,
    local`INBOX | 1 ; Coasts/West | 3`,
  ]),
  scenario(
    'a parent goes and its child stays',
    [server`INBOX | 1 ; Work | 2 ; Work/Deep | 3`, rival`delete Work`, sync, local`INBOX | 1 ; Work/Deep | 3`],
    { except: { cyrus: 'DELETE of a parent is refused while it has a child' } },
  ),
  scenario('INBOX is INBOX in any case', [
    server`INBOX | 1`,
    rival`append 2 -> inbox ; append 3 -> Inbox \Seen`,
    sync,
    local`INBOX | 1 | 2 | 3 \Seen`,
  ]),
  scenario('names beyond ASCII', [
    server`INBOX | 1 ; Übung & Maß | 2 ; 潮の表 | 3`,
    rival`create Ебб ; append 4 -> Ебб ; rename 潮の表 -> Été ; expunge 2`,
    sync,
    local`INBOX | 1 ; Ебб | 4 ; Été | 3`,
  ]),
  scenario(
    'names beyond the Basic Multilingual Plane',
    [
      server`INBOX | 1 ; Ebbe 🌊 Flut | 2`,
      rival`append 3 -> Ebbe 🌊 Flut ; create 🌊`,
      sync,
      local`INBOX | 1 ; Ebbe 🌊 Flut | 2 | 3`,
    ],
    { except: { courier: 'such names are refused' } },
  ),
  scenario('names with &, apostrophes and hashes', [
    server`INBOX | 1 ; A&B&-C | 2 ; Tom's #2 | 3`,
    rival`append 4 -> A&B&-C ; expunge 3 ; create &`,
    sync,
    local`INBOX | 1 ; A&B&-C | 2 | 4`,
  ]),
  scenario(
    'names with quotes, percent signs and braces',
    [
      server`INBOX | 1 ; a "b" c | 2 ; 100% {5} | 3`,
      rival`append 4 -> a "b" c ; flags 3 +\Seen`,
      sync,
      local`INBOX | 1 ; a "b" c | 2 | 4 ; 100% {5} | 3 \Seen`,
    ],
    { except: { cyrus: 'such names are refused' } },
  ),
  scenario(
    'names with a backslash',
    [server`INBOX | 1 ; a\b | 2`, rival`append 3 -> a\b`, sync, local`INBOX | 1 ; a\b | 2 | 3`],
    {
      except: { cyrus: 'such names are refused' },
    },
  ),
  scenario(
    'names with blanks at their ends',
    [
      server`INBOX | 1 ; ␣before | 2 ; after␣ | 3`,
      rival`append 4 -> ␣before ; expunge 3`,
      sync,
      local`INBOX | 1 ; ␣before | 2 | 4`,
    ],
    { except: { cyrus: 'such names are refused' } },
  ),
  scenario('subscriptions come and go', [
    server`INBOX | ; Work | 1 ; Plans | 2`,
    rival`subscribe Work ; subscribe Plans`,
    sync,
    rival`unsubscribe Work ; append 3 -> Work`,
    sync,
    local`Work | 1 | 3 ; Plans | 2`,
  ]),
  scenario('mail in mailboxes of special use', [
    server`INBOX | 1 | 2 ; Drafts | 3 \Draft ; Sent | 4 \Seen ; Trash | 5`,
    rival`move 1 -> Trash ; append 6 -> Drafts \Draft ; expunge 5`,
    sync,
    local`INBOX | 2 ; Drafts | 3 \Draft | 6 \Draft ; Sent | 4 \Seen ; Trash | 1`,
  ]),
]
