/** What the adapter makes of answers to NAMESPACE: what can be read is told, what cannot does no harm (RFC 2342, RFC 9051 §6.3.10). */

import type { Step } from '@tidemail/core'
import { afterEach, describe, expect, it } from 'vitest'
import { SeededRandom } from '../sim/virtual-time.ts'
import { ResponseMutator } from './response-mutator.ts'
import { closeScripted, connectScripted, ofKind, outcomes, step } from './scripted-session.ts'

afterEach(closeScripted)

const ask: Step = { kind: 'namespaces', id: 'ask', reason: 'a test' }
const none = { personal: [], otherUsers: [], shared: [] }
const place = (prefix: string, delimiter: string | null) => ({ prefix, delimiter })
const ROUNDS = 400

describe('namespaces', () => {
  it.each([
    // Courier, Cyrus with Debian's defaults, Dovecot.
    [
      '(("INBOX." ".")) NIL (("#shared." ".")("shared." "."))',
      { ...none, personal: [place('INBOX.', '.')], shared: [place('#shared.', '.'), place('shared.', '.')] },
    ],
    [
      '(("INBOX." ".")) (("user." ".")) (("" "."))',
      { personal: [place('INBOX.', '.')], otherUsers: [place('user.', '.')], shared: [place('', '.')] },
    ],
    ['(("" "/")) NIL NIL', { ...none, personal: [place('', '/')] }],
    ['NIL NIL NIL', none],
    ['NIL NIL (("" NIL))', { ...none, shared: [place('', null)] }],
    ['(("" "/")("#mh/" "/" "X-PARAM" ("FLAG1" "FLAG2"))) nil NIL', { ...none, personal: [place('', '/'), place('#mh/', '/')] }],
    ['(({6}\r\nINBOX/ "/")) NIL NIL', { ...none, personal: [place('INBOX/', '/')] }],
    ['(("" "\\\\")) (("&AOk-/" "/")) NIL', { ...none, personal: [place('', '\\')], otherUsers: [place('é/', '/')] }],
  ])('are told as %s says', async (answer, told) => {
    const { run } = await connectScripted('NAMESPACE', (peer) => peer.answer('NAMESPACE', `* NAMESPACE ${answer}`, 'OK done'))
    const seen = await run(ask)
    expect(ofKind(seen, 'namespaces')).toEqual([{ kind: 'namespaces', ...told }])
    expect(outcomes(seen)).toBe('ask:ok')
  })

  // Verifies: DC-9051-7.1a
  it.each([
    '* NAMESPACE',
    '* NAMESPACE ',
    '* NAMESPACE NIL',
    '* NAMESPACE ((',
    '* NAMESPACE "" "" ""',
    '* NAMESPACE (("" "/")) NIL',
    '* NAMESPACE (NIL) NIL NIL',
    '* NAMESPACE ((NIL "/")) NIL NIL',
    '* NAMESPACE (("INBOX.")) NIL NIL',
    '* NAMESPACE (("a" ("/"))) NIL NIL',
    '* NAMESPACE ) NIL NIL',
    `* NAMESPACE (("${'x'.repeat(2_000)}" "/")) NIL NIL`,
    '* OK nothing',
  ])('are not told of by %s, and LIST is answered as before', async (line) => {
    const { run } = await connectScripted('NAMESPACE', async (peer) => {
      await peer.answer('NAMESPACE', line, 'OK done')
      await peer.answer('LIST', '* LIST () "/" "Work"', 'OK listed')
      await peer.answer('LSUB', 'OK listed')
    })
    const seen = await run(ask, step.list('list'))
    expect(ofKind(seen, 'namespaces')).toEqual([])
    expect(ofKind(seen, 'mailbox').map(({ path }) => path)).toEqual(['Work'])
    expect(outcomes(seen)).toBe('ask:ok list:ok')
  })

  it('are not known where the server refuses', async () => {
    const { run } = await connectScripted('NAMESPACE', async (peer) => {
      await peer.answer('NAMESPACE', 'BAD what')
      await peer.answer('LIST', 'OK listed')
      await peer.answer('LSUB', 'OK listed')
    })
    expect(outcomes(await run(ask, step.list('list')))).toBe('ask:rejected list:ok')
  })

  // Verifies: H-5, DC-9051-7.1a
  it('are readable or nothing, whatever happens to the answer on the way', async () => {
    const answer = '* NAMESPACE (("INBOX." ".")) (("user." "." "X" ("a" {1}\r\nb))) (("" "."))'
    const kinds: string[] = []
    await connectScripted('NAMESPACE', async (peer) => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const mutator = new ResponseMutator(new SeededRandom(round), { oneIn: 1 })
        const tag = await peer.expect('NAMESPACE')
        peer.send(...mutator.mutate(answer).filter((line) => isHarmless(line)), `${tag} OK done`)
        kinds.push(...mutator.kinds)
      }
    }).then(async ({ run }) => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const seen = await run(ask)
        for (const { personal, otherUsers, shared } of ofKind(seen, 'namespaces'))
          for (const { prefix, delimiter } of [...personal, ...otherUsers, ...shared])
            expect([typeof prefix, delimiter === null || delimiter.length > 0]).toEqual(['string', true])
        expect(outcomes(seen)).toBe('ask:ok')
      }
    })
    expect(new Set(kinds).size).toBeGreaterThan(3)
  })
})

/** What is no answer to NAMESPACE the fuzz of the whole adapter tries; a literal that never comes is waited for by right. */
function isHarmless(line: string): boolean {
  return /^\* NAMESPACE/i.test(line) && !/\{\d+\}$/.test(line) && !/\{(?!1\})\d+\}\r\n/.test(line)
}
