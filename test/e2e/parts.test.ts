/** Parts on real servers: a large one cut off again and again, and messages that are in many mailboxes. */

import { PART_PIECE_BYTES } from '@tidemail/planner'
import { expect, it } from 'vitest'
import { type RealAccount, withAccount } from './real-account.ts'
import { ALL_SERVERS, onServers } from './real-servers.ts'

const SIZE = 20_000_000
const POLICY = { bodies: 'all', partBytesMax: 50_000_000, newestMessages: 500 } as const
/** Of all answers but the octets of the part. */
const OTHER_OCTETS_MAX = 100_000
const TEST_MS_MAX = 300_000

function file(): string {
  const lines = Array.from({ length: Math.ceil(SIZE / 78) }, (_, i) => `${String(i).padStart(76, 'A')}\r\n`)
  return lines.join('').slice(0, SIZE)
}

function withFile(content: string): Uint8Array {
  return Buffer.from(
    'From: a@lab.example\r\nSubject: film\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n' +
      '--b\r\nContent-Type: text/plain\r\n\r\nText.\r\n' +
      `--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n${content}\r\n--b--\r\n`,
  )
}

/** Ends when the connection ends after so many octets from the server, all of which came: a reset would throw away what was not read yet. */
async function cutOff(account: RealAccount, octets: number): Promise<number> {
  account.proxy.reset()
  account.proxy.setFault({ kind: 'cut-after', direction: 'down', bytes: octets, how: 'fin' })
  await expect(account.engine.syncOnce()).rejects.toMatchObject({ code: 'remote.disconnected' })
  account.proxy.setFault(null)
  return account.proxy.counts().bytesDown
}

onServers(ALL_SERVERS, (server) => {
  // Verifies: DC-4549-5.2-3a, I-SYNC-3
  it(
    'a file of 20 MB that is cut off three times is resumed: no octet comes twice but those of the pieces that were cut',
    async () => {
      await withAccount(server(), { policy: { bodies: 'none' } }, async (account) => {
        const content = file()
        await account.seed('INBOX', [{ bytes: withFile(content) }])
        await account.sync()
        await account.reopen(POLICY)
        let octets = 0
        for (const megabytes of [3.5, 6.3, 2.8]) {
          octets += await cutOff(account, Math.floor(megabytes * PART_PIECE_BYTES))
          // As when the process ends, too.
          await account.reopen()
        }
        account.proxy.reset()
        expect(await account.sync()).toMatchObject({ outcome: 'done' })
        octets += account.proxy.counts().bytesDown
        const [message] = await account.messages('INBOX')
        if (message === undefined) throw new Error('There is no message.')
        const held = Buffer.from((await account.engine.part(message.reference, '2')) ?? [])
        expect(held.equals(Buffer.from(content))).toBe(true)
        expect(octets).toBeGreaterThan(SIZE)
        expect(octets).toBeLessThan(SIZE + 3 * PART_PIECE_BYTES + OTHER_OCTETS_MAX)
        expect(await account.compareWithServer()).toEqual([])
      })
    },
    TEST_MS_MAX,
  )
})

// Dovecot gives no EMAILID, and who cannot know a message again fetches it again.
onServers(['cyrus'], (server) => {
  // Verifies: DC-8474-8.3b
  it('with EMAILID, a message that is copied and moved by somebody else is not downloaded again', async () => {
    await withAccount(server(), { policy: POLICY }, async (account) => {
      expect(account.rival.has('OBJECTID')).toBe(true)
      await account.seed('INBOX', [{ bytes: withFile('QUJD\r\n'.repeat(50_000)) }])
      await account.create('Work')
      await account.create('Later')
      await account.sync()
      expect(account.proxy.counts().bytesDown).toBeGreaterThan(OTHER_OCTETS_MAX)
      account.proxy.reset()
      await account.rivalIn('INBOX', `UID COPY 1 ${account.wireName('Work')}`, `UID MOVE 1 ${account.wireName('Later')}`)
      await account.sync()
      for (const name of ['Work', 'Later']) {
        const [message] = await account.messages(name)
        expect(message?.heldSections).toEqual(['1', '2'])
      }
      expect(account.proxy.counts().bytesDown).toBeLessThan(OTHER_OCTETS_MAX)
      expect(account.proxy.commands.filter(({ line }) => line.includes('BODY.PEEK['))).toEqual([])
      expect(await account.compareWithServer()).toEqual([])
    })
  })
})
