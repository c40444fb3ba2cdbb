/** What goes in one turn: a server that answers nothing before it has heard everything is answered all the same. */

import { type MailboxIdentity, modSeq, type Step, uidValidity } from '@tidemail/core'
import { afterEach, describe, expect, it } from 'vitest'
import type { Peer } from './scripted-server.ts'
import { BODY_TEXT, closeScripted, connectScripted, known, ofKind, outcomes, selectLines, step } from './scripted-session.ts'

const QRESYNC = 'UIDPLUS MOVE MULTIAPPEND LITERAL+ ESEARCH ENABLE CONDSTORE QRESYNC UNSELECT LIST-EXTENDED LIST-STATUS'

afterEach(closeScripted)

/** Hears all the commands before it answers any. */
async function hearThenAnswer(peer: Peer, exchanges: readonly (readonly [command: string, ...lines: string[]])[]): Promise<void> {
  const tags: string[] = []
  for (const [command] of exchanges) {
    tags.push(await peer.expect(command))
    if (command === 'APPEND') await peer.literal(BODY_TEXT.length + 2)
  }
  for (const [i, [, ...lines]] of exchanges.entries()) peer.send(...lines.slice(0, -1), `${tags[i]} ${lines.at(-1) ?? 'OK done'}`)
}

function ordered(asked: Step, ...ids: readonly string[]): Step {
  return { ...asked, after: ids }
}

// Verifies: H-4
describe('changes to one mailbox', () => {
  it('go in one turn when only their order is given', async () => {
    const { run } = await connectScripted(QRESYNC, async (peer) => {
      await peer.answer('SELECT "INBOX"', ...selectLines())
      await hearThenAnswer(peer, [
        ['UID STORE 1:3 +FLAGS.SILENT (\\Seen)'],
        ['UID STORE 4 +FLAGS.SILENT (\\Seen)'],
        ['UID STORE 5 +FLAGS.SILENT (\\Deleted)'],
        ['UID EXPUNGE 5', '* VANISHED 5', 'OK [HIGHESTMODSEQ 44] done'],
        ['UID MOVE 1', '* OK [COPYUID 9 1 11] moved', '* VANISHED 1', 'OK done'],
        ['UID MOVE 2', '* OK [COPYUID 9 2 12] moved', '* VANISHED 2', 'OK done'],
        ['UID COPY 3', 'OK [COPYUID 9 3 13] copied'],
        ['APPEND', 'OK [APPENDUID 9 14] done'],
        ['APPEND', 'OK [APPENDUID 9 15] done'],
      ])
    })
    const seen = await run(
      step.open('o'),
      step.store('a', '1:3'),
      ordered(step.store('b', '4'), 'a'),
      step.store('c', '5', { flags: ['\\Deleted'] }),
      ordered(step.expunge('d', '5'), 'c'),
      ordered(step.move('e', '1'), 'a'),
      ordered(step.move('f', '2'), 'a', 'e'),
      ordered(step.copy('g', '3'), 'a'),
      step.append('h'),
      step.append('i'),
    )
    expect(outcomes(seen)).toBe('o:ok a:ok b:ok c:ok d:ok e:ok f:ok g:ok h:ok i:ok')
    expect(ofKind(seen, 'copied').map(({ id, pairs }) => `${id} ${pairs.sources}`)).toEqual(['e 1', 'f 2', 'g 3'])
    expect(ofKind(seen, 'appended').map(({ id, uids }) => `${id} ${uids}`)).toEqual(['h 14', 'i 15'])
  })

  it('wait for what they require, and for nothing else', async () => {
    const { run } = await connectScripted(QRESYNC, async (peer) => {
      await peer.answer('SELECT "INBOX"', ...selectLines())
      await hearThenAnswer(peer, [['UID STORE 4'], ['UID COPY 5', 'OK [COPYUID 9 5 11] copied']])
      await hearThenAnswer(peer, [['UID STORE 5'], ['UID STORE 6']])
      await hearThenAnswer(peer, [['UID EXPUNGE 5']])
    })
    const seen = await run(
      step.open('o'),
      step.store('a', '4'),
      step.copy('b', '5'),
      step.store('c', '5', { flags: ['\\Deleted'], requires: ['b'] }),
      step.store('d', '6'),
      { ...step.expunge('e', '5'), requires: ['c'] },
    )
    expect(outcomes(seen)).toBe('o:ok a:ok b:ok c:ok d:ok e:ok')
  })
})

describe('reads', () => {
  const OTHER: MailboxIdentity = { path: 'Other', uidValidity: uidValidity(8) }
  const otherLines = selectLines().map((line) => line.replace('UIDVALIDITY 7', 'UIDVALIDITY 8'))

  it('of several mailboxes go in one turn when their checkpoints are known', async () => {
    const { run } = await connectScripted(QRESYNC, async (peer) => {
      await hearThenAnswer(peer, [
        ['SELECT "INBOX" (QRESYNC (7 30))', ...selectLines()],
        ['UID FETCH 9:4294967295', '* 3 FETCH (UID 9 FLAGS () MODSEQ (40))', 'OK'],
        ['UID SEARCH RETURN (ALL) ALL', '* ESEARCH (TAG "x") UID ALL 1:9', 'OK'],
        ['SELECT "Other" (QRESYNC (8 30))', '* OK [CLOSED] closed', ...otherLines],
        ['UID FETCH 9:4294967295', '* 3 FETCH (UID 12 FLAGS () MODSEQ (40))', 'OK'],
      ])
    })
    const seen = await run(
      step.open('a', 'INBOX', known(30)),
      step.fetch('b', '9:4294967295'),
      step.search('c'),
      step.open('d', 'Other', { uidValidity: uidValidity(8), modSeq: modSeq(30) }),
      { ...step.fetch('e', '9:4294967295'), mailbox: OTHER } as Step,
    )
    expect(outcomes(seen)).toMatch(/^a:ok b:ok c:\w+ d:ok e:ok$/)
    expect(ofKind(seen, 'row').map(({ mailbox, uid }) => `${mailbox.path} ${uid}`)).toEqual(['INBOX 9', 'Other 12'])
  })

  it('of a mailbox that STATUS or an earlier look told to have mod-sequences do not wait for its opening', async () => {
    const { run } = await connectScripted(QRESYNC, async (peer) => {
      await peer.answer('LIST', '* STATUS INBOX (MESSAGES 3 HIGHESTMODSEQ 40)', '* STATUS Other (HIGHESTMODSEQ 0)', 'OK')
      await hearThenAnswer(peer, [
        ['SELECT "INBOX"', ...selectLines()],
        ['UID FETCH 1:3 (UID FLAGS MODSEQ)', '* 1 FETCH (UID 1 FLAGS () MODSEQ (40))', 'OK'],
      ])
      await peer.answer('SELECT "Other"', '* OK [CLOSED] closed', ...otherLines.filter((line) => !line.includes('MODSEQ')))
      await peer.answer('UID FETCH 1:3 (UID FLAGS)', 'OK')
      await hearThenAnswer(peer, [
        ['SELECT "INBOX"', '* OK [CLOSED] closed', ...selectLines()],
        ['UID FETCH 1:3 (UID FLAGS MODSEQ)', '* 1 FETCH (UID 1 FLAGS () MODSEQ (40))', 'OK'],
      ])
    })
    const seen = await run(
      step.list('l'),
      step.open('a'),
      step.fetch('b', '1:3'),
      step.open('c', 'Other'),
      { ...step.fetch('d', '1:3'), mailbox: OTHER } as Step,
      step.open('e'),
      step.fetch('f', '1:3'),
    )
    expect(outcomes(seen)).toBe('l:ok a:ok b:ok c:ok d:ok e:ok f:ok')
  })

  it('do not wait for changes, but changes wait for reads', async () => {
    // Verifies: DC-9051-5.5
    const { run } = await connectScripted(QRESYNC, async (peer) => {
      await peer.answer('SELECT "INBOX"', ...selectLines())
      await hearThenAnswer(peer, [['UID STORE 1'], ['UID FETCH 1', '* 1 FETCH (UID 1 FLAGS (\\Seen) MODSEQ (41))', 'OK']])
      await hearThenAnswer(peer, [['UID STORE 2']])
    })
    const seen = await run(step.open('o'), step.store('a', '1'), step.fetch('b', '1'), step.store('c', '2'))
    expect(outcomes(seen)).toBe('o:ok a:ok b:ok c:ok')
    expect(ofKind(seen, 'row')).toMatchObject([{ uid: 1, flags: ['\\Seen'] }])
  })
})
