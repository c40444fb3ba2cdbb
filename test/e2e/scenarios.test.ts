/** The same scenarios on every server end equal, whatever the server can and cannot do. */

import { sampleMessages } from '@tidemail/testing'
import { expect, it } from 'vitest'
import { withAccount } from './real-account.ts'
import { ALL_SERVERS, onServers } from './real-servers.ts'
import { play } from './scenario.ts'
import { type Line, local, log, rival, server, sync, syncWithParked } from './scenario-lines.ts'

// Verifies: I-SYNC-1, I-SYNC-2, I-SYNC-5, I-STORE-2, I-STORE-3, I-LOG-2, I-LOG-3, DC-4549-3.3, DC-4549-3.4, DC-4549-5.1c, DC-4549-5.1-5
const SCENARIOS: Readonly<Record<string, readonly Line[]>> = {
  'new mail arrives': [
    server`INBOX | 1 ; Archive |`,
    rival`append 2 -> INBOX ; append 3 -> Archive \Seen`,
    sync,
    local`INBOX | 1 | 2 ; Archive | 3 \Seen`,
  ],
  'flags and keywords of a rival arrive, and go': [
    server`INBOX | 1 \Seen $Old | 2 | 3`,
    rival`flags 1 -\Seen -$Old ; flags 2 +\Flagged +$Later`,
    sync,
    local`INBOX | 1 | 2 $Later \Flagged | 3`,
  ],
  'what a rival expunges goes': [
    server`INBOX | 1 | 2 | 3 | 4`,
    rival`expunge 2 ; expunge 4 ; append 5 -> INBOX`,
    sync,
    local`INBOX | 1 | 3 | 5`,
  ],
  'a rival expunges everything, then new mail comes': [
    server`INBOX | 1 | 2`,
    rival`expunge 1 ; expunge 2`,
    sync,
    local`INBOX |`,
    rival`append 3 -> INBOX`,
    sync,
    local`INBOX | 3`,
  ],
  'mailboxes come and go': [
    server`INBOX | 1 ; Work | 2`,
    rival`create Plans ; append 3 -> Plans ; delete Work`,
    sync,
    local`INBOX | 1 ; Plans | 3`,
  ],
  'a mailbox gets a new UIDVALIDITY': [
    server`INBOX | 1 ; Work | 2 | 3 \Seen`,
    rival`renew Work ; append 4 -> Work`,
    sync,
    local`INBOX | 1 ; Work | 2 | 3 \Seen | 4`,
  ],
  'a flag meets a message that a rival expunged': [
    server`INBOX | 1 | 2`,
    log`flags 1 +\Seen ; flags 2 +\Seen`,
    local`INBOX | 1 \Seen | 2 \Seen`,
    rival`expunge 1`,
    sync,
    server`INBOX | 2 \Seen`,
  ],
  'both change flags of one message': [
    server`INBOX | 1 \Answered`,
    log`flags 1 +\Seen -\Answered`,
    rival`flags 1 +\Flagged +$Theirs`,
    sync,
    server`INBOX | 1 \Flagged \Seen $Theirs`,
  ],
  'both move one message': [
    server`INBOX | 1 | 2 ; Work | ; Plans |`,
    log`move 1 -> Work ; move 2 -> Work`,
    rival`move 1 -> Plans`,
    sync,
    server`Plans | 1 ; Work | 2`,
  ],
  'a message is copied, then expunged': [
    server`INBOX | 1 \Seen ; Work |`,
    log`copy 1 -> Work ; expunge INBOX/1`,
    local`Work | 1 \Seen`,
    sync,
    server`Work | 1 \Seen`,
  ],
  'what is not uploaded yet is flagged, moved and moved again': [
    server`INBOX | ; Work | ; Plans |`,
    log`append 1 -> INBOX \Draft ; flags 1 +\Seen -\Draft ; move 1 -> Work ; move 1 -> Plans`,
    local`Plans | 1 \Seen`,
    sync,
    server`Plans | 1 \Seen`,
  ],
  'a moved message is flagged and moved back': [
    server`INBOX | 1 ; Work |`,
    log`move 1 -> Work ; flags 1 +$Done ; move 1 -> INBOX`,
    local`INBOX | 1 $Done`,
    sync,
    server`INBOX | 1 $Done`,
  ],
  'what is undone while it waits is never done': [
    server`INBOX | 1 | 2 ; Work |`,
    log`flags 1 +\Seen ; move 2 -> Work ; undo ; append 3 -> INBOX ; undo`,
    local`INBOX | 1 \Seen | 2`,
    sync,
    server`INBOX | 1 \Seen | 2`,
  ],
  'what is uploaded and expunged before it was sent is not there': [
    server`INBOX | 1`,
    log`append 2 -> INBOX ; expunge 2`,
    local`INBOX | 1`,
    sync,
    server`INBOX | 1`,
  ],
  'mailboxes with odd names are as good as others': [
    server`INBOX | 1 | 2 | 3 | 4 ; Entwürfe & Co | 5 ; 潮の表 | ; Tom's list #2 |`,
    log`move 1 -> Entwürfe & Co ; copy 3 -> 潮の表 ; append 7 -> Tom's list #2 \Seen`,
    sync,
    server`INBOX | 2 | 3 | 4 ; Entwürfe & Co | 1 | 5 ; 潮の表 | 3 ; Tom's list #2 | 7 \Seen`,
    rival`move 2 -> Entwürfe & Co ; delete 潮の表 ; create Été`,
    sync,
    local`INBOX | 3 | 4 ; Entwürfe & Co | 1 | 2 | 5 ; Tom's list #2 | 7 \Seen`,
  ],
}

/** Names that Cyrus forbids. */
const ODDER_NAMES: readonly Line[] = [
  server`INBOX | 1 | 2 ; a "b" c | 3 ; 100% (old) {5} |`,
  log`move 1 -> a "b" c ; copy 2 -> 100% (old) {5}`,
  rival`flags 3 +\Seen`,
  sync,
  server`INBOX | 2 ; a "b" c | 1 | 3 \Seen ; 100% (old) {5} | 2`,
]

/** Only the server's own identity leads what was asked for under an old UIDVALIDITY to the message as it is now; without one it waits for the user. */
function underOldUidValidity(serverName: string): readonly Line[] {
  const before = [server`INBOX | 1 ; Work | 2 | 3`, log`flags 2 +\Seen ; append 4 -> Work`, rival`renew Work`]
  const hasEmailIds = serverName === 'cyrus'
  return hasEmailIds
    ? [...before, sync, server`INBOX | 1 ; Work | 2 \Seen | 3 | 4`]
    : [...before, syncWithParked(1), server`INBOX | 1 ; Work | 2 | 3 | 4`]
}

onServers(ALL_SERVERS, (real, serverName) => {
  for (const [name, lines] of Object.entries(SCENARIOS)) {
    it(name, () => withAccount(real(), {}, (account) => play(account, lines)))
  }

  it('what was to be done under an old UIDVALIDITY is kept, and done where the server itself tells the message', () =>
    withAccount(real(), {}, (account) => play(account, underOldUidValidity(serverName))))

  if (serverName !== 'cyrus')
    it('mailboxes with quotes, braces and wildcards in their names are as good as others', () =>
      withAccount(real(), {}, (account) => play(account, ODDER_NAMES)))

  it('varied mail goes up and comes down octet for octet, with its dates and flags', async () => {
    // Verifies: I-SYNC-5, DC-4549-4.2.1, DC-4549-4.2.2d
    const policy = { bodies: 'all', partBytesMax: 1_000_000, newestMessages: 500 } as const
    await withAccount(real(), { policy }, async (account) => {
      const mail = sampleMessages({ count: 40, seed: 7 })
      await account.seed('INBOX', mail.slice(0, 20))
      await account.sync()
      expect(await account.compareWithServer()).toEqual([])
      const inbox = await account.mailboxId('INBOX')
      for (const message of mail.slice(20)) await account.engine.append({ to: inbox, ...message }).accepted
      expect(await account.sync()).toMatchObject({ outcome: 'done', problems: [] })
      expect(await account.compareWithServer()).toEqual([])
      const held = (await account.messages('INBOX')).filter((message) => message.heldSections.length > 0)
      expect(held).toHaveLength(40)
      const sent = mail.map(({ bytes, internalDate }) => `${bytes.length} ${internalDate}`)
      const there = (await account.readServer()).mailboxes.flatMap(({ messages }) => messages)
      expect(there.map(({ sizeBytes, internalDate }) => `${sizeBytes} ${internalDate}`).sort()).toEqual(sent.sort())
    })
  })
})
