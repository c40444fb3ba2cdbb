/** `tidemail watch`: goes on by itself until it is interrupted. */

import { sampleMessages } from '@tidemail/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CliLab } from './cli-lab.ts'
import { failed, type JsonLine, type Running, Sandbox, succeeded } from './cli-process.ts'

let lab: CliLab

beforeEach(async () => {
  lab = await CliLab.start({ messages: 2, mailboxes: { Archive: 'archive', Work: null } })
})
afterEach(() => lab.close())

/** Resolves when the command has printed what the claim is true of. */
function printed({ child }: Running, claim: (lines: readonly JsonLine[]) => boolean): Promise<void> {
  let text = ''
  return new Promise((resolve, reject) => {
    child.once('close', () => reject(new Error(`It ended: ${text}`)))
    child.stdout?.on('data', (piece: Buffer) => {
      text += piece.toString()
      const whole = text.slice(0, text.lastIndexOf('\n') + 1).trimEnd()
      if (whole !== '' && claim(whole.split('\n').map((line) => JSON.parse(line) as JsonLine))) resolve()
    })
  })
}

const watches = (lines: readonly JsonLine[]): number => lines.filter(({ phase }) => phase === 'watching').length

async function totals(): Promise<Record<string, unknown>> {
  const lines = succeeded(await lab.sandbox.run(['list', '--json'])).json()
  return Object.fromEntries(lines.flatMap(({ kind, path, total }) => (kind === 'mailbox' ? [[String(path), total]] : [])))
}

describe('tidemail watch', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'takes in what comes and sends what is asked for until %s, and ends well',
    async (signal) => {
      const watch = lab.sandbox.start(['watch', ...lab.words, '--json'])
      await printed(watch, (lines) => lines.some(({ kind }) => kind === 'watching'))
      const again = printed(watch, (lines) => watches(lines) > 0)
      lab.model.append('Work', sampleMessages({ count: 3, seed: 4 }))
      await again
      const { inbox } = lab.model
      const flagged = new Promise<void>((resolve) => {
        inbox.listen(() => inbox.get(1)?.flags.includes('\\Flagged') === true && resolve())
      })
      succeeded(await lab.sandbox.run(['flag', 'INBOX', '1', '--add', 'flagged']))
      await flagged
      watch.child.kill(signal)
      const lines = succeeded(await watch.finished).json()
      expect(lines).toContainEqual({ kind: 'watching', way: 'notify', mailboxes: 'all' })
      expect(lines.at(-1)).toEqual({ kind: 'result', syncedAt: expect.any(Number) })
      expect(await totals()).toMatchObject({ INBOX: 2, Work: 3 })
    },
  )

  it('says in words what it waits for, over the connections it may use', async () => {
    await lab.close()
    lab = await CliLab.start({ messages: 0, without: ['NOTIFY'] })
    const watch = lab.sandbox.start(['watch', 'Archive', '--connections', '2', ...lab.words])
    const isSaid = new Promise<void>((resolve) => {
      let text = ''
      watch.child.stdout?.on('data', (piece: Buffer) => {
        text += piece.toString()
        if (text.includes('changes of INBOX, Archive as the server tells of them')) resolve()
      })
    })
    await isSaid
    watch.child.kill('SIGINT')
    succeeded(await watch.finished)
  })

  it('gives up where only the user can help', async () => {
    const wrong = new Sandbox({ password: 'wrong' })
    try {
      failed(await wrong.run(['watch', ...lab.wordsFor(wrong)]), 'remote.auth-rejected', 77)
    } finally {
      wrong.remove()
    }
  })
})
