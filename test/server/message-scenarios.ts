/** What can happen to messages between two looks at a mailbox, one scenario a name. */

import { local, reopen, reopenWith, rival, server, sync } from '../e2e/scenario-lines.ts'
import { type ResyncScenario, scenario } from './resync-scenario.ts'

// Verifies: I-SYNC-1, I-SYNC-2, I-SYNC-5, DC-4549-4.3.1a, DC-4549-4.3.1b, DC-7162-6a, FIELD-1, FIELD-7, FIELD-8
export const MESSAGE_SCENARIOS: readonly ResyncScenario[] = [
  // Nothing, and news at the end.
  scenario('nothing happened', [server`INBOX | 1 | 2 \Seen`, sync, sync, local`INBOX | 1 | 2 \Seen`]),
  scenario('an empty account stays empty', [server`INBOX |`, sync, reopen, sync, local`INBOX |`]),
  scenario('the first message comes to an empty mailbox', [server`INBOX |`, rival`append 1 -> INBOX`, sync, local`INBOX | 1`]),
  scenario('one message more', [server`INBOX | 1 | 2`, rival`append 3 -> INBOX`, sync, local`INBOX | 1 | 2 | 3`]),
  scenario('many messages more', [
    server`INBOX | 1..3`,
    rival`append 4..60 -> INBOX \Seen`,
    sync,
    local`INBOX | 1..3 | 4..60 \Seen`,
  ]),
  scenario('new messages in several mailboxes', [
    server`INBOX | 1 ; Work | ; Plans | 2 ; Archive |`,
    rival`append 3 -> Work ; append 4 -> Plans ; append 5 -> Archive`,
    sync,
    local`INBOX | 1 ; Work | 3 ; Plans | 2 | 4 ; Archive | 5`,
  ]),
  scenario('new messages at each of several looks', [
    server`INBOX | 1`,
    rival`append 2 -> INBOX`,
    sync,
    rival`append 3 -> INBOX \Seen`,
    sync,
    rival`append 4 -> INBOX ; append 5 -> INBOX`,
    sync,
    local`INBOX | 1 | 2 | 3 \Seen | 4 | 5`,
  ]),

  // Messages that go.
  scenario('the first message goes', [server`INBOX | 1..5`, rival`expunge 1`, sync, local`INBOX | 2..5`]),
  scenario('one in the middle goes', [server`INBOX | 1..5`, rival`expunge 3`, sync, local`INBOX | 1 | 2 | 4 | 5`]),
  scenario('the last message, of the highest UID, goes', [server`INBOX | 1..5`, rival`expunge 5`, sync, local`INBOX | 1..4`]),
  scenario('the last message goes, and then the one before', [
    server`INBOX | 1..5`,
    rival`expunge 5`,
    sync,
    rival`expunge 4`,
    sync,
    local`INBOX | 1..3`,
  ]),
  scenario('several go from everywhere', [
    server`INBOX | 1..9`,
    rival`expunge 1 ; expunge 4 ; expunge 5 ; expunge 9`,
    sync,
    local`INBOX | 2 | 3 | 6..8`,
  ]),
  scenario('the mailbox is emptied', [server`INBOX | 1..5`, rival`expunge 1..5`, sync, local`INBOX |`]),
  scenario('the mailbox is emptied and filled anew', [
    server`INBOX | 1..3`,
    rival`expunge 1..3 ; append 4 -> INBOX ; append 5 -> INBOX`,
    sync,
    local`INBOX | 4 | 5`,
  ]),
  scenario('the only message goes and none comes, twice over', [
    server`INBOX | 1`,
    rival`expunge 1`,
    sync,
    rival`append 2 -> INBOX`,
    sync,
    rival`expunge 2`,
    sync,
    local`INBOX |`,
  ]),
  scenario('every second of 1,000 messages goes', [
    server`INBOX | 1..1000`,
    rival`expunge 2,4..1000`,
    sync,
    local`INBOX | 1,3..999`,
  ]),

  // Both at once.
  scenario('as many go as come: EXISTS is equal and the UIDs are others', [
    server`INBOX | 1..4`,
    rival`expunge 2 ; append 5 -> INBOX`,
    sync,
    local`INBOX | 1 | 3 | 4 | 5`,
  ]),
  scenario('all go and as many come: EXISTS is equal and no UID is', [
    server`INBOX | 1..3`,
    rival`expunge 1..3 ; append 4..6 -> INBOX`,
    sync,
    local`INBOX | 4..6`,
  ]),
  scenario('more come than go', [
    server`INBOX | 1..4`,
    rival`expunge 4 ; append 5..7 -> INBOX`,
    sync,
    local`INBOX | 1..3 | 5..7`,
  ]),
  scenario('fewer come than go', [server`INBOX | 1..6`, rival`expunge 1..3 ; append 7 -> INBOX`, sync, local`INBOX | 4..6 | 7`]),
  scenario('a message comes and goes between two looks: UIDNEXT moved and nothing is new', [
    server`INBOX | 1 | 2`,
    rival`append 3 -> INBOX ; expunge 3`,
    sync,
    local`INBOX | 1 | 2`,
    sync,
  ]),
  scenario('several come, and some of them go', [
    server`INBOX | 1 | 2`,
    rival`append 3..8 -> INBOX ; expunge 3 ; expunge 5..8`,
    sync,
    local`INBOX | 1 | 2 | 4`,
  ]),
  scenario('a message comes and goes in an empty mailbox', [
    server`INBOX |`,
    rival`append 1 -> INBOX ; expunge 1`,
    sync,
    local`INBOX |`,
  ]),
  scenario('news, losses and flags at once', [
    server`INBOX | 1..6`,
    rival`expunge 2 ; flags 3 +\Flagged ; append 7 -> INBOX \Answered ; flags 6 +\Seen ; expunge 5`,
    sync,
    local`INBOX | 1 | 3 \Flagged | 4 | 6 \Seen | 7 \Answered`,
  ]),
  scenario('UIDs with gaps, and news between them', [
    server`INBOX | 1..9`,
    rival`expunge 2,4..8`,
    sync,
    rival`append 10 -> INBOX ; append 11 -> INBOX ; expunge 10 ; expunge 3`,
    sync,
    local`INBOX | 1 | 5 | 7 | 9 | 11`,
  ]),

  // Flags.
  scenario('one flag is set', [server`INBOX | 1 | 2`, rival`flags 2 +\Seen`, sync, local`INBOX | 1 | 2 \Seen`]),
  scenario('one flag is taken off', [server`INBOX | 1 \Seen | 2 \Seen`, rival`flags 1 -\Seen`, sync, local`INBOX | 1 | 2 \Seen`]),
  scenario('all system flags, on and off', [
    server`INBOX | 1 | 2 \Seen \Answered \Flagged \Draft \Deleted`,
    rival`flags 1 +\Seen +\Answered +\Flagged +\Draft +\Deleted ; flags 2 -\Seen -\Answered -\Flagged -\Draft -\Deleted`,
    sync,
    local`INBOX | 1 \Answered \Deleted \Draft \Flagged \Seen | 2`,
  ]),
  scenario('a flag is set and taken off between two looks', [
    server`INBOX | 1 | 2 \Seen`,
    rival`flags 1 +\Flagged ; flags 1 -\Flagged ; flags 2 -\Seen ; flags 2 +\Seen`,
    sync,
    local`INBOX | 1 | 2 \Seen`,
  ]),
  scenario('flags of all messages change', [server`INBOX | 1..40`, rival`flags 1..40 +\Seen`, sync, local`INBOX | 1..40 \Seen`]),
  scenario('flags of one message change at each of several looks', [
    server`INBOX | 1`,
    rival`flags 1 +\Seen`,
    sync,
    rival`flags 1 +\Flagged`,
    sync,
    rival`flags 1 -\Seen`,
    sync,
    local`INBOX | 1 \Flagged`,
  ]),
  scenario('a message is flagged, and then goes', [
    server`INBOX | 1 | 2`,
    rival`flags 1 +\Seen ; expunge 1`,
    sync,
    local`INBOX | 2`,
  ]),
  scenario('\\Deleted is set and nothing is expunged', [
    server`INBOX | 1 | 2`,
    rival`flags 1 +\Deleted`,
    sync,
    local`INBOX | 1 \Deleted | 2`,
  ]),
  scenario('a new keyword', [server`INBOX | 1 | 2`, rival`flags 2 +$Harbour`, sync, local`INBOX | 1 | 2 $Harbour`]),
  scenario('a keyword goes from all messages', [
    server`INBOX | 1 $Old | 2 $Old \Seen`,
    rival`flags 1..2 -$Old`,
    sync,
    local`INBOX | 1 | 2 \Seen`,
  ]),
  scenario('a keyword goes and another comes', [
    server`INBOX | 1 $Ebb | 2 $Ebb`,
    rival`flags 1 -$Ebb +$Flood ; flags 2 +$Flood`,
    sync,
    local`INBOX | 1 $Flood | 2 $Ebb $Flood`,
  ]),
  scenario('sixty keywords on one message', [
    server`INBOX | 1 | 2`,
    rival`flags 1 +$Tide{1..60}`,
    sync,
    local`INBOX | 1 $Tide{1..60} | 2`,
  ]),
  scenario('a message comes with keywords nobody has seen', [
    server`INBOX | 1`,
    rival`append 2 -> INBOX \Seen $Never $Seen`,
    sync,
    local`INBOX | 1 | 2 $Never $Seen \Seen`,
  ]),

  // Odd messages.
  scenario('messages without a Message-ID', [
    server`INBOX | 1~bare | 2~bare`,
    rival`append 3~bare -> INBOX ; expunge 1 ; flags 2 +\Seen`,
    sync,
    local`INBOX | 2 \Seen | 3`,
  ]),
  scenario('messages whose Message-ID is none', [
    server`INBOX | 1~odd`,
    rival`append 2~odd -> INBOX ; flags 1 +\Flagged`,
    sync,
    local`INBOX | 1 \Flagged | 2`,
  ]),
  scenario('equal messages twice, and one of them goes', [
    server`INBOX | 1 | 1 | 2`,
    rival`append 2 -> INBOX \Seen ; expunge 1`,
    sync,
    local`INBOX | 1 | 2 | 2 \Seen`,
  ]),
  scenario(
    'messages without a body',
    [
      server`INBOX | 1~empty`,
      rival`append 2~empty -> INBOX ; append 3~empty -> INBOX \Seen`,
      sync,
      local`INBOX | 1 | 2 | 3 \Seen`,
    ],
    {
      policy: { bodies: 'all' },
    },
  ),
  scenario(
    'octets above 127 in headers',
    [server`INBOX | 1~latin`, rival`append 2~latin -> INBOX ; flags 1 +\Seen`, sync, local`INBOX | 1 \Seen | 2`],
    {
      policy: { bodies: 'all' },
    },
  ),

  // Bodies.
  scenario(
    'bodies are held of what is new',
    [server`INBOX | 1 | 2~html`, rival`append 3~html -> INBOX ; append 4 -> INBOX ; expunge 1`, sync, local`INBOX | 2..4`],
    {
      policy: { bodies: 'all' },
    },
  ),
  scenario('the policy goes from none to text to all', [
    server`INBOX | 1 | 2~html`,
    reopenWith({ bodies: 'text' }),
    sync,
    rival`append 3~html -> INBOX`,
    reopenWith({ bodies: 'all' }),
    sync,
    local`INBOX | 1 | 2 | 3`,
  ]),
  scenario(
    'the policy goes back from all to none',
    [
      server`INBOX | 1 | 2~html`,
      reopenWith({ bodies: 'none' }),
      rival`append 3 -> INBOX ; flags 2 +\Seen`,
      sync,
      local`INBOX | 1 | 2 \Seen | 3`,
    ],
    { policy: { bodies: 'all' } },
  ),
  scenario(
    'a mailbox with bodies is made again',
    [server`INBOX | ; Work | 1~html | 2`, rival`renew Work ; append 3~html -> Work`, sync, local`Work | 1 | 2 | 3`],
    {
      policy: { bodies: 'all' },
    },
  ),
]
