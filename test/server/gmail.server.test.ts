/** Labels of Gmail, for which Dovecot stands in: a message is in many mailboxes, and its content is downloaded and kept once. */

import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { MessageView } from '@tidemail/core'
import { SERVER_MASKS, SERVER_PROFILES, type StandIn } from '@tidemail/testing'
import { describe, expect, it } from 'vitest'
import { numbered } from '../e2e/numbered-mail.ts'
import { type RealAccount, withAccount } from '../e2e/real-account.ts'
import { onServers } from '../e2e/real-servers.ts'

const ALL_MAIL = '[Gmail]/All Mail'
const LABELLED = ['INBOX', ALL_MAIL, 'Travel']
const TEXT = 'High water at noon.\r\n'
const FILE = 'QUJD\r\n'.repeat(5_000)
const CONTENT_OCTETS = TEXT.length + FILE.length

const GMAIL = SERVER_PROFILES.gmail
const WITHOUT_IDS: StandIn = { ...GMAIL, mask: SERVER_MASKS.gmail }

/** Counts the octets of parts that come by. */
class PartOctets {
  #octets = 0

  count(line: string): void {
    this.#octets += Number(/\bBODY\[[^\]]*\](?:<\d+>)? \{(\d+)\}$/.exec(line)?.[1] ?? 0)
  }

  /** Since it was last asked. */
  take(): number {
    const octets = this.#octets
    this.#octets = 0
    return octets
  }
}

interface Labelled {
  readonly account: RealAccount
  readonly octets: PartOctets
}

function withFile(): Uint8Array {
  return Buffer.from(
    'From: a@lab.example\r\nSubject: tides\r\nMessage-ID: <tides@lab.example>\r\nMIME-Version: 1.0\r\n' +
      `Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n${TEXT}\r\n` +
      '--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n' +
      `Content-Disposition: attachment; filename=tides\r\n\r\n${FILE}\r\n--b--\r\n`,
  )
}

/** The octets of parts that it took until store and server were equal, where the policy holds all of it. */
async function syncEqual({ account, octets }: Labelled): Promise<number> {
  const taken = await syncDone({ account, octets })
  expect(await account.compareWithServer()).toEqual([])
  return taken
}

async function syncDone({ account, octets }: Labelled): Promise<number> {
  // Whoever compares with the server reads through the same proxy.
  octets.take()
  expect(await account.sync()).toMatchObject({ outcome: 'done' })
  return octets.take()
}

async function only(account: RealAccount, name: string): Promise<MessageView> {
  const messages = await account.messages(name)
  expect(messages, name).toHaveLength(1)
  return messages[0] as MessageView
}

async function expectWhole(account: RealAccount, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const { reference, heldSections } = await only(account, name)
    expect(heldSections, name).toEqual(['1', '2'])
    expect(Buffer.from((await account.engine.part(reference, '2')) ?? []).toString(), name).toBe(FILE)
  }
}

/** A rival takes the label off. */
async function takeOff(account: RealAccount, name: string): Promise<void> {
  await account.rivalIn(name, 'UID STORE 1 +FLAGS.SILENT (\\Deleted)', 'UID EXPUNGE 1')
}

/** Files that hold bytes of messages. */
async function bodyFiles({ storeFolder }: RealAccount): Promise<number> {
  const found = await readdir(join(storeFolder, 'bodies'), { recursive: true, withFileTypes: true })
  return found.filter((entry) => entry.isFile()).length
}

onServers(['dovecot'], (server) => {
  /** A message with a file, under three labels, that the server has and the store not yet. */
  async function withLabels(standIn: StandIn, test: (labelled: Labelled) => Promise<void>): Promise<void> {
    const octets = new PartOctets()
    const rewriteLine = (line: string): string | null => {
      octets.count(line)
      return standIn.rewriteLine === undefined ? line : standIn.rewriteLine(line)
    }
    const proxy = { ...standIn, rewriteLine }
    await withAccount(server(), { policy: { bodies: 'all' }, proxy, readsThroughProxy: true }, async (account) => {
      for (const name of [ALL_MAIL, 'Travel', 'Later']) await account.create(name)
      await account.seed('INBOX', [{ bytes: withFile(), flags: ['\\Seen'] }])
      for (const name of [ALL_MAIL, 'Travel']) await account.rivalIn('INBOX', `UID COPY 1 ${account.wireName(name)}`)
      await test({ account, octets })
    })
  }

  describe('a message under three labels of Gmail', () => {
    // Verifies: DC-8474-8.3b
    it('is downloaded once, kept once, and there in each of them', async () => {
      await withLabels(GMAIL, async (labelled) => {
        const { account } = labelled
        expect(await syncEqual(labelled)).toBe(CONTENT_OCTETS)
        expect(await bodyFiles(account)).toBe(2)
        await expectWhole(account, LABELLED)
        const ids = await Promise.all(LABELLED.map(async (name) => (await only(account, name)).emailId))
        expect(new Set(ids).size).toBe(1)
        expect(ids[0]).toMatch(/^gm:[1-9]\d*$/)
      })
    })

    it('is downloaded for each of them where the server does not say that it is one', async () => {
      await withLabels(WITHOUT_IDS, async (labelled) => {
        expect(await syncEqual(labelled)).toBe(LABELLED.length * CONTENT_OCTETS)
      })
    })

    // Verifies: DC-8474-8.3b
    it('costs nothing more when it gets a label, or changes one for another', async () => {
      await withLabels(GMAIL, async (labelled) => {
        const { account } = labelled
        await syncEqual(labelled)
        await account.rivalIn('INBOX', 'UID COPY 1 Later')
        expect(await syncEqual(labelled)).toBe(0)
        await expectWhole(account, [...LABELLED, 'Later'])
        await account.rivalIn('Travel', 'UID MOVE 1 Archive')
        await account.engine.move((await only(account, 'Later')).reference, await account.mailboxId('Sent')).accepted
        expect(await syncEqual(labelled)).toBe(0)
        await expectWhole(account, ['INBOX', ALL_MAIL, 'Archive', 'Sent'])
        expect(await bodyFiles(account)).toBe(2)
      })
    })

    it('has in each mailbox the flags that this mailbox tells of it', async () => {
      await withLabels(GMAIL, async (labelled) => {
        const { account } = labelled
        await syncEqual(labelled)
        const flags = (): Promise<readonly (readonly string[])[]> =>
          Promise.all(LABELLED.map(async (name) => (await only(account, name)).flags))
        await account.engine.flag((await only(account, 'Travel')).reference, { add: ['\\Flagged'] }).accepted
        expect(await syncEqual(labelled)).toBe(0)
        expect(await flags()).toEqual([['\\Seen'], ['\\Seen'], ['\\Flagged', '\\Seen']])
        // Gmail has one star for all labels, and tells of it in each.
        for (const name of ['INBOX', ALL_MAIL]) await account.rivalIn(name, 'UID STORE 1 +FLAGS (\\Flagged)')
        expect(await syncEqual(labelled)).toBe(0)
        expect(await flags()).toEqual(LABELLED.map(() => ['\\Flagged', '\\Seen']))
      })
    })

    it('stays whole under the others when a label is taken off by a rival or by us, or a mailbox lets go of it', async () => {
      await withLabels(GMAIL, async (labelled) => {
        const { account } = labelled
        await account.rivalIn('INBOX', 'UID COPY 1 Later')
        await syncEqual(labelled)
        await takeOff(account, 'INBOX')
        await account.engine.expunge((await only(account, 'Travel')).reference).accepted
        expect(await syncEqual(labelled)).toBe(0)
        for (const name of ['INBOX', 'Travel']) expect(await account.messages(name)).toEqual([])
        await expectWhole(account, [ALL_MAIL, 'Later'])

        await account.seed('Later', [numbered(2)])
        await account.reopen({ bodies: 'all', mailboxes: { Later: { hold: { lastMessages: 1 }, bodies: 'none' } } })
        expect(await syncDone(labelled)).toBe(0)
        expect((await only(account, 'Later')).envelope.subject).toBe('Message 2')
        await expectWhole(account, [ALL_MAIL])
        expect(await bodyFiles(account)).toBe(2)
      })
    })

    it('leaves nothing behind when the last label is taken off', async () => {
      await withLabels(GMAIL, async (labelled) => {
        const { account } = labelled
        await syncEqual(labelled)
        for (const name of LABELLED) await takeOff(account, name)
        expect(await syncEqual(labelled)).toBe(0)
        expect(await bodyFiles(account)).toBe(0)
      })
    })
  })
})
