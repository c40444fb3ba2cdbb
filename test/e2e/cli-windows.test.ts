/** Which messages the command line keeps, as it was told once, and what it stops before. */

import { UidSet } from '@tidemail/core'
import { sampleMessages } from '@tidemail/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CliLab } from './cli-lab.ts'
import { failed, type JsonLine, succeeded } from './cli-process.ts'

let lab: CliLab

beforeEach(async () => {
  lab = await CliLab.start({ messages: 120 })
})
afterEach(() => lab.close())

const run = async (...words: string[]): Promise<string> => succeeded(await lab.sandbox.run(words)).output
const result = async (...words: string[]): Promise<JsonLine | undefined> =>
  succeeded(await lab.sandbox.run([...words, '--json']))
    .json()
    .at(-1)
const inbox = async (): Promise<JsonLine | undefined> =>
  succeeded(await lab.sandbox.run(['list', '--json']))
    .json()
    .find(({ path }) => path === 'INBOX')

describe('sync', () => {
  it('keeps the newest messages from then on, until it is told otherwise', async () => {
    expect(await result('sync', ...lab.words, '--last-messages', '10', '--headers-only')).toMatchObject({
      messagesFetched: 10,
      partsFetched: 0,
    })
    lab.model.append('INBOX', sampleMessages({ count: 3, seed: 8 }))
    expect(await result('sync')).toMatchObject({ messagesFetched: 3 })
    expect(await inbox()).toMatchObject({ total: 10, toFetch: 0, leftOut: 113 })
    expect(await run('list')).toMatch(/ 10 .*INBOX {2}\(113 older left out\)\n/)
    expect(await result('sync', '--whole')).toMatchObject({ messagesFetched: 113 })
    expect(await inbox()).toMatchObject({ total: 123, leftOut: 0 })
  })

  it.each([
    ['--new-only', 0],
    ['--last-days=1', 0],
    ['--last-messages=4', 4],
  ])('keeps what %s says', async (option, total) => {
    await run('sync', ...lab.words, option)
    expect(await inbox()).toMatchObject({ total, leftOut: 120 - total })
  })

  it('refuses two of these at once', async () => {
    failed(await lab.sandbox.run(['sync', ...lab.words, '--whole', '--last-days', '3']), 'input.usage', 64)
  })

  // Verifies: FIELD-12
  it('stops before it removes all of a mailbox, and goes on when it is told to', async () => {
    await run('sync', ...lab.words)
    lab.model.open('INBOX').remove(UidSet.ALL)
    const { notes } = failed(await lab.sandbox.run(['sync']), 'sync.mass-delete', 65)
    expect(notes).toMatch(/120 of 120 messages of INBOX are gone .*\nhint: .*--allow-deletions/)
    expect(await inbox()).toMatchObject({ total: 120 })
    expect(await result('sync', '--allow-deletions', 'INBOX')).toMatchObject({ outcome: 'done', messagesRemoved: 120 })
    expect(await inbox()).toMatchObject({ total: 0 })
  })
})

describe('backfill', () => {
  it('fetches older messages, keeps them, and lets go of them', async () => {
    await run('sync', ...lab.words, '--last-messages', '10')
    expect(await run('backfill', 'INBOX', '--messages', '30')).toBe('30 messages fetched; 80 more are on the server only.\n')
    await run('sync')
    expect(await inbox()).toMatchObject({ total: 40 })
    expect(await result('backfill', 'inbox', '--release')).toMatchObject({
      kind: 'result',
      messagesFetched: 0,
      messagesLeftOut: 110,
    })
    expect(await inbox()).toMatchObject({ total: 10 })
  })

  it('refuses a mailbox that is not there', async () => {
    await run('sync', ...lab.words)
    failed(await lab.sandbox.run(['backfill', 'Nowhere']), 'input.unknown-mailbox', 65)
  })
})
