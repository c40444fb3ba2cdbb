/** What can happen while we have work of our own, or when a look does not come to its end. */

import type { Fault, ProxiedCommand } from '@tidemail/testing'
import { local, log, reopen, restartServer, rival, server, sync, syncCutBy, syncOnly } from '../e2e/scenario-lines.ts'
import { type ResyncScenario, scenario } from './resync-scenario.ts'

const reads = ({ name }: ProxiedCommand): boolean => name === 'UID FETCH' || name === 'UID SEARCH'
const opens = ({ name }: ProxiedCommand): boolean => name === 'SELECT'
const looks = ({ name }: ProxiedCommand): boolean => name === 'LIST' || name === 'STATUS'
const answerLost = (command: (one: ProxiedCommand) => boolean, loses: 'tagged-reply' | 'everything'): Fault => ({
  kind: 'lose-answer',
  command,
  how: 'rst',
  loses,
})

// Verifies: I-SYNC-1, I-SYNC-3, I-SYNC-5, DC-4549-2.1, DC-4549-5.1-4, DC-4549-5.1-5, FIELD-5, FIELD-6
export const SHARED_WORK_SCENARIOS: readonly ResyncScenario[] = [
  // We have work of our own.
  scenario('both change flags of different messages', [
    server`INBOX | 1..4`,
    log`flags 1 +\Seen ; flags 2 +\Flagged`,
    rival`flags 3 +\Seen ; flags 4 +\Answered`,
    sync,
    server`INBOX | 1 \Seen | 2 \Flagged | 3 \Seen | 4 \Answered`,
  ]),
  scenario('both change flags of the same message', [
    server`INBOX | 1 \Seen`,
    log`flags 1 +\Flagged -\Seen`,
    rival`flags 1 +\Answered`,
    sync,
    server`INBOX | 1 \Answered \Flagged`,
  ]),
  scenario('both set the same flag', [
    server`INBOX | 1 | 2`,
    log`flags 1 +\Seen`,
    rival`flags 1 +\Seen ; flags 2 +\Seen`,
    sync,
    server`INBOX | 1 \Seen | 2 \Seen`,
  ]),
  scenario(
    'we set a keyword, a rival another',
    [server`INBOX | 1`, log`flags 1 +$Ours`, rival`flags 1 +$Theirs`, sync, server`INBOX | 1 $Ours $Theirs`],
    {
      needs: 'keywords',
    },
  ),
  scenario('we flag what a rival expunged', [
    server`INBOX | 1..3`,
    log`flags 1..3 +\Seen`,
    rival`expunge 2`,
    sync,
    server`INBOX | 1 \Seen | 3 \Seen`,
  ]),
  scenario('both expunge the same message', [
    server`INBOX | 1..3`,
    log`expunge 2`,
    rival`expunge 2`,
    sync,
    server`INBOX | 1 | 3`,
  ]),
  scenario('we expunge what a rival flagged', [
    server`INBOX | 1..3`,
    log`expunge 2`,
    rival`flags 2 +\Flagged`,
    sync,
    server`INBOX | 1 | 3`,
  ]),
  scenario('we move what a rival flagged', [
    server`INBOX | 1..3 ; Work |`,
    log`move 2 -> Work`,
    rival`flags 2 +\Flagged`,
    sync,
    server`INBOX | 1 | 3 ; Work | 2 \Flagged`,
  ]),
  scenario('we move into a mailbox where a rival appends', [
    server`INBOX | 1..3 ; Work | 4`,
    log`move 1..2 -> Work`,
    rival`append 5 -> Work ; expunge 4`,
    sync,
    server`INBOX | 3 ; Work | 1 | 2 | 5`,
  ]),
  scenario(
    'both upload',
    [server`INBOX | 1`, log`append 2 -> INBOX \Seen`, rival`append 3 -> INBOX`, sync, server`INBOX | 1 | 2 \Seen | 3`],
    { except: { microsoft365: 'of what was uploaded the size is kept as it was sent, and this server tells another' } },
  ),
  scenario('we copy while a rival expunges others', [
    server`INBOX | 1..4 ; Work |`,
    log`copy 1..2 -> Work`,
    rival`expunge 3..4`,
    sync,
    server`INBOX | 1..2 ; Work | 1..2`,
  ]),
  scenario('we expunge, and a rival marked another as \\Deleted', [
    server`INBOX | 1..4`,
    log`expunge 1`,
    rival`flags 2..3 +\Deleted`,
    sync,
    server`INBOX | 2..3 \Deleted | 4`,
  ]),
  scenario('we make a mailbox that a rival makes too', [
    server`INBOX | 1`,
    log`create Work ; move 1 -> Work`,
    rival`create Work ; append 2 -> Work`,
    sync,
    server`Work | 1 | 2`,
  ]),
  scenario('we rename a mailbox in which a rival works', [
    server`INBOX | 1 ; Work | 2 | 3`,
    log`rename Work -> Done`,
    rival`append 4 -> Work ; expunge 2`,
    sync,
    server`INBOX | 1 ; Done | 3 | 4`,
  ]),
  scenario('we delete a mailbox that a rival deleted', [
    server`INBOX | 1 ; Work | 2`,
    log`delete Work`,
    rival`delete Work`,
    sync,
    server`INBOX | 1`,
  ]),

  // Visits that are not whole.
  scenario('one mailbox is synchronised, and then all', [
    server`INBOX | 1 ; Work | 2 | 3 ; Plans | 4`,
    rival`append 5 -> INBOX ; flags 2 +\Seen ; expunge 4`,
    syncOnly('INBOX'),
    local`INBOX | 1 | 5 ; Work | 2 | 3 ; Plans | 4`,
    rival`append 6 -> INBOX ; expunge 3`,
    sync,
    local`INBOX | 1 | 5 | 6 ; Work | 2 \Seen`,
  ]),
  scenario('the app is started again between two looks', [
    server`INBOX | 1..4`,
    rival`flags 1 +\Seen`,
    sync,
    reopen,
    rival`flags 2 +\Seen ; expunge 3 ; append 5 -> INBOX`,
    sync,
    local`INBOX | 1..2 \Seen | 4 | 5`,
  ]),
  scenario('the connection breaks in the middle of new messages', [
    server`INBOX | 1..4`,
    rival`append 5..30 -> INBOX ; expunge 2 ; flags 3 +\Seen`,
    syncCutBy({ kind: 'cut-after', direction: 'down', bytes: 3_000, how: 'rst' }),
    sync,
    local`INBOX | 1 | 3 \Seen | 4 | 5..30`,
  ]),
  scenario('the answer of a FETCH is not heard to its end', [
    server`INBOX | 1..4`,
    rival`append 5..8 -> INBOX ; expunge 2`,
    syncCutBy(answerLost(reads, 'tagged-reply')),
    rival`append 9 -> INBOX ; expunge 1`,
    sync,
    local`INBOX | 3 | 4 | 5..9`,
  ]),
  scenario('the answer of a SELECT is not heard to its end', [
    server`INBOX | 1..4`,
    rival`append 5 -> INBOX ; expunge 2 ; flags 3 +\Seen`,
    syncCutBy(answerLost(opens, 'tagged-reply')),
    sync,
    local`INBOX | 1 | 3 \Seen | 4 | 5`,
  ]),
  scenario('nothing of the answer of a SELECT is heard, and the app is started again', [
    server`INBOX | 1..4`,
    rival`expunge 4 ; flags 1 +\Answered`,
    syncCutBy(answerLost(opens, 'everything')),
    reopen,
    sync,
    local`INBOX | 1 \Answered | 2 | 3`,
  ]),
  scenario('half of the list of mailboxes is heard', [
    server`INBOX | 1 ; Work | 2 ; Plans | 3`,
    rival`delete Plans ; append 4 -> Work`,
    syncCutBy(answerLost(looks, 'everything')),
    sync,
    local`INBOX | 1 ; Work | 2 | 4`,
  ]),
  scenario('the connection breaks at the first look at a large mailbox', [
    server`INBOX |`,
    rival`append 1..700 -> INBOX`,
    syncCutBy({ kind: 'cut-after', direction: 'down', bytes: 30_000, how: 'rst' }),
    rival`expunge 3,5..601`,
    sync,
    local`INBOX | 1 | 2,4..602 | 603..700`,
  ]),
  scenario(
    'the server is started again between two looks',
    [
      server`INBOX | 1..3 ; Work | 4`,
      rival`append 5 -> INBOX ; flags 1 +\Seen`,
      restartServer,
      sync,
      rival`expunge 2 ; append 6 -> Work`,
      sync,
      local`INBOX | 1 \Seen | 3 | 5 ; Work | 4 | 6`,
    ],
    { isAlone: true },
  ),
]
