/** What the adapter makes of answers as servers write them, odd ones too. */

import { modSeq, type Step, UidSet } from '@tidemail/core'
import { afterEach, describe, expect, it } from 'vitest'
import type { Peer } from './scripted-server.ts'
import {
  BODIES,
  closeScripted,
  connectScripted,
  INBOX,
  kinds,
  ofKind,
  outcomes,
  type ScriptedSession,
  selectLines,
  step,
} from './scripted-session.ts'

afterEach(closeScripted)

/** A session with INBOX open, and the server's next words. */
async function opened(capabilities: string, script: (peer: Peer) => Promise<void>): Promise<ScriptedSession> {
  const scripted = await connectScripted(capabilities, async (peer) => {
    await peer.answer('SELECT', ...selectLines())
    await script(peer)
  })
  await scripted.run(step.open('o'))
  return scripted
}

const ENVELOPE =
  '("Thu, 5 Feb 2026 10:11:12 +0100" "=?utf-8?q?Gr=C3=BC=C3=9Fe?=" (("=?utf-8?b?w4Ruw7Y=?=" NIL "ann" "example.org")) NIL NIL ((NIL NIL "friends" NIL)(NIL NIL "bob" "example.org")(NIL NIL NIL NIL)) NIL NIL NIL "<id@example.org>")'
const STRUCTURE =
  '(("TEXT" "PLAIN" ("CHARSET" "UTF-8") NIL NIL "QUOTED-PRINTABLE" 12 1)("APPLICATION" "PDF" ("NAME*0*" "utf-8\'\'%C3%BC" "NAME*1" ".pdf") "<cid>" NIL "BASE64" 4000 NIL ("ATTACHMENT" NIL)) "MIXED" ("BOUNDARY" "b"))'

describe('fetch', () => {
  it('reads a summary, decoded', async () => {
    const { run } = await opened('CONDSTORE OBJECTID', async (peer) => {
      await peer.answer(
        'UID FETCH 1:3 (UID FLAGS MODSEQ INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE EMAILID)',
        `* 1 FETCH (RFC822.SIZE 4500 UID 1 FLAGS (\\Recent \\SEEN $x) MODSEQ (9007199254740993) INTERNALDATE " 5-Feb-2026 10:11:12 +0100" X-NEW (1 (2 "three")) EMAILID (M6d99) ENVELOPE ${ENVELOPE} BODYSTRUCTURE ${STRUCTURE})`,
        'OK done',
      )
    })
    const [row] = ofKind(await run(step.fetch('f', '1:3', 'summary')), 'row')
    expect(row).toMatchObject({ mailbox: INBOX, uid: 1, flags: ['$x', '\\Seen'], modSeq: 9_007_199_254_740_993n })
    expect(row?.summary).toEqual({
      internalDate: Date.UTC(2026, 1, 5, 9, 11, 12),
      sizeBytes: 4500,
      emailId: 'M6d99',
      envelope: {
        subject: 'Grüße',
        date: Date.UTC(2026, 1, 5, 9, 11, 12),
        from: [{ name: 'Änö', address: 'ann@example.org' }],
        sender: [],
        replyTo: [],
        to: [
          { name: 'friends', address: null },
          { name: null, address: 'bob@example.org' },
        ],
        cc: [],
        bcc: [],
        inReplyTo: null,
        messageId: '<id@example.org>',
      },
      parts: [
        {
          section: '1',
          type: 'text/plain',
          charset: 'UTF-8',
          encoding: 'quoted-printable',
          sizeBytes: 12,
          disposition: null,
          fileName: null,
          contentId: null,
        },
        {
          section: '2',
          type: 'application/pdf',
          charset: null,
          encoding: 'base64',
          sizeBytes: 4000,
          disposition: 'attachment',
          fileName: 'ü.pdf',
          contentId: '<cid>',
        },
      ],
    })
  })

  it('reads items in parentheses of their own, split over responses, and in literals', async () => {
    const { run } = await opened('UIDPLUS', async (peer) => {
      const tag = await peer.expect('UID FETCH')
      peer.raw('* 1 FETCH (UID 1 (FLAGS ()) INTERNALDATE "05-Feb-2026 10:11:12 +0000")\r\n')
      peer.raw('* 1 FETCH (UID 1 RFC822.SIZE 3 ENVELOPE (NIL {7}\r\n"a" (b) NIL NIL NIL NIL NIL NIL NIL NIL))\r\n')
      peer.send(`${tag} OK done`)
    })
    const rows = ofKind(await run(step.fetch('f', '1', 'identity')), 'row')
    expect(rows).toHaveLength(1)
    expect(rows[0]?.summary).toMatchObject({ sizeBytes: 3, envelope: { subject: '"a" (b)', date: null }, parts: [] })
  })

  it('gives of a message that was not asked for only the flags', async () => {
    // A range beyond the last message names the last one (RFC 9051 §6.4.5).
    const { run } = await opened('UIDPLUS', async (peer) => {
      await peer.answer(
        'UID FETCH 500:4294967295',
        `* 3 FETCH (UID 9 FLAGS (\\Seen) INTERNALDATE "05-Feb-2026 10:11:12 +0000" RFC822.SIZE 3 ENVELOPE ${ENVELOPE} BODYSTRUCTURE ${STRUCTURE})`,
        'OK done',
      )
    })
    const rows = ofKind(await run(step.fetch('f', '500:4294967295', 'summary')), 'row')
    expect(rows).toEqual([{ kind: 'row', mailbox: INBOX, uid: 9, flags: ['\\Seen'], modSeq: null, summary: null }])
  })

  it('drops a row without a UID, and counts it', async () => {
    const { run, session } = await opened('UIDPLUS', async (peer) => {
      await peer.answer(
        'UID FETCH',
        '* 1 FETCH (FLAGS (\\Seen))',
        '* 2 FETCH (UID 0 FLAGS ())',
        '* 2 FETCH (UID 5 FLAGS ())',
        'OK done',
      )
    })
    expect(ofKind(await run(step.fetch('f', '1:9')), 'row').map(({ uid }) => uid)).toEqual([5])
    expect((session as unknown as { rowsWithoutUid: number }).rowsWithoutUid).toBe(2)
  })

  it('asks for changes and what vanished only where the server can', async () => {
    // Verifies: DC-7162-3.2.6a
    const since = { modSeq: modSeq(31), vanished: true }
    const changed = { ...step.fetch('f', '1:4294967295'), changedSince: since } as Step
    const all = { 'ENABLE CONDSTORE': '(CHANGEDSINCE 31)', 'ENABLE CONDSTORE QRESYNC': '(CHANGEDSINCE 31 VANISHED)', UIDPLUS: '' }
    for (const [capabilities, modifier] of Object.entries(all)) {
      const { run, server } = await opened(capabilities, async (peer) => {
        await peer.answer('UID FETCH', '* VANISHED (EARLIER) 4:8', '* VANISHED ', 'OK [HIGHESTMODSEQ 44] done')
      })
      const seen = await run(changed)
      expect((await server.played).lines.at(-1)?.replace(/^.*?\) ?/, '')).toBe(modifier)
      expect(ofKind(seen, 'vanished').map(({ uids, isEarlier }) => `${uids} ${isEarlier}`)).toEqual(['4:8 true'])
      expect(ofKind(seen, 'done')[0]?.exists).toBe(3)
    }
  })

  it('does not ask for mod-sequences where the mailbox has none', async () => {
    // Verifies: DC-7162-3.1.2.2
    const { run } = await connectScripted('ENABLE CONDSTORE', async (peer) => {
      await peer.answer('SELECT', ...selectLines(['* OK [NOMODSEQ] none']))
      await peer.answer('UID FETCH 1 (UID FLAGS)', 'OK done')
    })
    expect(outcomes(await run(step.open('o'), step.fetch('f', '1')))).toBe('o:ok f:ok')
  })
})

describe('bodies', () => {
  it('asks for equal sections of several messages in one command, and gives null for what is not there', async () => {
    const { run } = await opened('UIDPLUS', async (peer) => {
      const first = await peer.expect('UID FETCH 1,3 (UID BODY.PEEK[1] BODY.PEEK[HEADER.FIELDS (DATE)])')
      const second = await peer.expect('UID FETCH 2 (UID BODY.PEEK[1])')
      peer.raw('* 1 FETCH (UID 1 BODY[1] {5}\r\na)\r\nb BODY[HEADER.FIELDS ("Date")] "x")\r\n')
      peer.raw('* 2 FETCH (UID 2 FLAGS (\\Seen) BODY[1] NIL)\r\n')
      peer.send(`${first} OK done`, `${second} OK done`)
    })
    const sections = [
      { uid: 1, section: '1' },
      { uid: 2, section: '1' },
      { uid: 1, section: 'header.fields (date)' },
      { uid: 3, section: '1' },
      { uid: 3, section: 'header.fields (date)' },
    ]
    const seen = await run(
      step.body('b', [
        ...sections.slice(0, 2),
        { uid: 1, section: 'HEADER.FIELDS (DATE)' },
        { uid: 3, section: '1' },
        { uid: 3, section: 'HEADER.FIELDS (DATE)' },
      ]),
    )
    const told = ofKind(seen, 'body').map(({ uid, section, bytes }) => [
      uid,
      section,
      bytes === null ? null : Buffer.from(bytes).toString(),
    ])
    expect(told).toEqual([
      [1, '1', 'a)\r\nb'],
      [1, 'HEADER.FIELDS (DATE)', 'x'],
      [2, '1', null],
      [3, '1', null],
      [3, 'HEADER.FIELDS (DATE)', null],
    ])
    expect(ofKind(seen, 'done')).toHaveLength(1)
    for (const { bytes } of ofKind(seen, 'body')) if (bytes !== null) expect(bytes.buffer.byteLength).toBe(bytes.length)
  })

  it('takes a body however it is cut into packets', async () => {
    const body = 'line {3}\r\n* 9 EXISTS\r\nT1 OK no\r\n+ \r\n'
    for (const size of [1, 2, 3, 7]) {
      const { run } = await opened('UIDPLUS', async (peer) => {
        const tag = await peer.expect('UID FETCH')
        await peer.trickle(`* 1 FETCH (UID 1 BODY[] {${body.length}}\r\n${body})\r\n${tag} OK done\r\n`, size)
      })
      const seen = await run(step.body('b', [{ uid: 1, section: '' }]))
      expect(Buffer.from(ofKind(seen, 'body')[0]?.bytes ?? []).toString()).toBe(body)
      expect(ofKind(seen, 'done')[0]?.exists).toBe(3)
    }
  })

  it('stops reading while nobody takes what came, and goes on when somebody does', async () => {
    // Verifies: H-6
    const size = 1024 * 1024
    const body = 'x'.repeat(size)
    let octetsDown = 0
    const { session } = await connectScripted(
      'UIDPLUS',
      async (peer) => {
        await peer.answer('SELECT', ...selectLines())
        const tag = await peer.expect('UID FETCH 1:40')
        for (let uid = 1; uid <= 40; uid += 1) peer.raw(`* 1 FETCH (UID ${uid} BODY[] {${size}}\r\n${body})\r\n`)
        peer.send(`${tag} OK done`)
      },
      {
        onWire: (event) => {
          if (event.kind === 'octets' && event.direction === 'down') octetsDown += event.octets
        },
      },
    )
    const parts = Array.from({ length: 40 }, (_, i) => ({ uid: i + 1, section: '' }))
    const reading = session.run([step.open('o'), step.body('b', parts)], { bodies: BODIES, signal: new AbortController().signal })
    let count = 0
    for await (const seen of reading) {
      if (seen.kind !== 'body') continue
      count += 1
      if (count > 1) continue
      await new Promise((resolve) => setTimeout(resolve, 200))
      expect(octetsDown).toBeLessThan(20 * size)
    }
    expect(count).toBe(40)
    expect(octetsDown).toBeGreaterThan(40 * size)
  })

  it('refuses a section that would be another command', async () => {
    const { run } = await opened('UIDPLUS', async () => {})
    expect(outcomes(await run(step.body('b', [{ uid: 1, section: '1]\r\nT9 DELETE x' }])))).toBe('b:rejected')
  })
})

describe('search', () => {
  it('keeps ranges, by the tag of the answer', async () => {
    const { run } = await opened('ESEARCH', async (peer) => {
      const a = await peer.expect('UID SEARCH RETURN (ALL) ALL')
      const b = await peer.expect('UID SEARCH RETURN (ALL) UID 5:9')
      peer.send(
        `* ESEARCH (TAG "${b}") UID ALL 7`,
        `* ESEARCH (TAG "${a}") UID COUNT 3 ALL 1:4294967294 MODSEQ 9`,
        `${a} OK`,
        `${b} OK`,
      )
    })
    const seen = await run(step.search('a'), step.search('b', UidSet.parse('5:9')))
    expect(ofKind(seen, 'uids').map(({ id, uids }) => `${id} ${uids}`)).toEqual(['a 1:4294967294', 'b 7'])
  })

  it('reads SEARCH in any order, empty, with MODSEQ, and one at a time', async () => {
    const { run } = await opened('UIDPLUS', async (peer) => {
      await peer.answer('UID SEARCH ALL', '* SEARCH 9 2 1 (MODSEQ 77)', '* SEARCH 3', 'OK done')
      await peer.answer('UID SEARCH UID 4:9', '* SEARCH', 'OK done')
    })
    const seen = await run(step.search('a'), step.search('b', UidSet.parse('4:9')))
    expect(ofKind(seen, 'uids').map(({ uids }) => uids.toString())).toEqual(['1:3,9', ''])
  })

  // Verifies: DC-4549-4.3.2
  it('asks for the messages since a day as the server counts days, and takes no answer for none', async () => {
    const { run } = await opened('ESEARCH', async (peer) => {
      const a = await peer.expect('UID SEARCH RETURN (ALL) ALL SINCE 05-Jan-2026')
      peer.send(`* ESEARCH (TAG "${a}") UID ALL 7:9`, `${a} OK`)
      await peer.answer('UID SEARCH RETURN (ALL) UID 5:9 SINCE 31-Dec-2025', 'OK done')
    })
    const since = (id: string, uids: UidSet, day: number): Step => ({ ...step.search(id, uids), since: day }) as Step
    const seen = await run(
      since('a', UidSet.ALL, Date.UTC(2026, 0, 5)),
      since('b', UidSet.parse('5:9'), Date.UTC(2025, 11, 31, 23, 59)),
    )
    expect(ofKind(seen, 'uids').map(({ uids }) => uids.toString())).toEqual(['7:9', ''])
  })
})

describe('copy and move', () => {
  it.each([
    ['in the tagged reply', [], 'OK [COPYUID 9 1:2 12,11] moved'],
    ['before it', ['* OK [COPYUID 9 1:2 12,11] moving', '* VANISHED 1:2'], 'OK done'],
    ['in a bare line, as Exchange does', ['[COPYUID 9 1:2 12,11]'], 'OK done'],
    ['twice', ['* OK [COPYUID 9 1:2 12,11] moving'], 'OK [COPYUID 9 1:2 12,11] moved'],
  ])('takes COPYUID %s', async (_where, lines, reply) => {
    // Verifies: DC-6851-4.3
    const { run } = await opened('MOVE UIDPLUS', async (peer) => peer.answer('UID MOVE 1:2 "Archive"', ...lines, reply))
    const copied = ofKind(await run(step.move('m', '1:2')), 'copied')
    expect(copied.map(({ id, target, pairs }) => [id, target, pairs.get(1), pairs.get(2)])).toEqual([
      ['m', { path: 'Archive', uidValidity: 9 }, 12, 11],
    ])
  })

  it('takes a COPYUID that cannot be read for no evidence', async () => {
    for (const code of ['COPYUID 9 1:2 12', 'COPYUID 0 1 1', 'COPYUID 9', 'COPYUID 9 1 *']) {
      const { run } = await opened('UIDPLUS', async (peer) => peer.answer('UID COPY', `OK [${code}] done`))
      const seen = await run(step.copy('c', '1:2'))
      expect([kinds(seen), outcomes(seen)]).toEqual(['done', 'c:ok'])
    }
  })

  it('gives evidence to the step whose messages it names', async () => {
    // Dovecot says what belongs to a command before the tagged reply of the one before it.
    const { run } = await opened('MOVE UIDPLUS', async (peer) => {
      const copy = await peer.expect('UID COPY 1')
      const move = await peer.expect('UID MOVE 2')
      peer.send('* OK [COPYUID 9 2 30] moved', `${copy} OK [COPYUID 9 1 29] copied`, `${move} OK done`)
    })
    const seen = await run(step.copy('c', '1'), step.move('m', '2'))
    expect(ofKind(seen, 'copied').map(({ id, pairs }) => `${id} ${pairs.sources}`)).toEqual(['m 2', 'c 1'])
  })

  it('sends nothing to a server that cannot move or expunge single messages', async () => {
    const { run, server } = await opened('IDLE', async () => {})
    expect(outcomes(await run(step.move('m', '1'), step.expunge('x', '1')))).toBe('m:rejected x:rejected')
    expect((await server.played).lines).toHaveLength(2)
  })
})

describe('list', () => {
  it('asks for all in one command without MAILBOXID beside HIGHESTMODSEQ, and takes names as they are', async () => {
    const { run } = await connectScripted('ENABLE QRESYNC LIST-EXTENDED LIST-STATUS SPECIAL-USE OBJECTID', async (peer) => {
      await peer.answer(
        'LIST "" "*" RETURN (SUBSCRIBED SPECIAL-USE STATUS (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ))',
        '* LIST (\\Subscribed \\sent) "/" Gesendet',
        '* STATUS Gesendet (MESSAGES 2 UIDNEXT 5 UIDVALIDITY 3 HIGHESTMODSEQ 1706092971947030001 MAILBOXID (F22-12_ea))',
        '* LIST (\\NonExistent) "/" inbox',
        '* LIST () NIL {9}\r\n&BBIEQQQ-',
        '* LIST () "/" "a\\\\b \\"c\\""',
        '* STATUS "a\\\\b \\"c\\"" (HIGHESTMODSEQ 0 MAILBOXID (\u00efgarbage) UIDVALIDITY 4)',
        '* LIST () "/" Gesendet',
        'OK done',
      )
    })
    const seen = await run(step.list('l'))
    expect(
      ofKind(seen, 'mailbox').map(({ path, role, isSubscribed, isSelectable, delimiter }) => [
        path,
        role,
        isSubscribed,
        isSelectable,
        delimiter,
      ]),
    ).toEqual([
      ['Gesendet', 'sent', true, true, '/'],
      ['INBOX', 'inbox', false, false, '/'],
      ['&BBIEQQQ-', null, false, true, null],
      ['a\\b "c"', null, false, true, '/'],
    ])
    expect(ofKind(seen, 'status')).toEqual([
      {
        kind: 'status',
        path: 'Gesendet',
        messages: 2,
        uidNext: 5,
        uidValidity: 3,
        highestModSeq: 1_706_092_971_947_030_001n,
        objectId: 'F22-12_ea',
      },
      { kind: 'status', path: 'a\\b "c"', messages: null, uidNext: null, uidValidity: 4, highestModSeq: null, objectId: null },
    ])
  })

  it('uses LIST and LSUB with an old server, and STATUS one by one', async () => {
    const { run } = await connectScripted('CONDSTORE OBJECTID', async (peer) => {
      await peer.answer('LIST "" "*"', '* LIST (\\Noselect) "." x', '* LIST () "." "Entw&APw-rfe"', 'OK done')
      const subscribed = ['* LSUB () "." "Entw&APw-rfe"', '* LSUB () "." gone', '* LSUB (\\Noselect) "." x']
      await peer.answer('LSUB "" "*"', ...subscribed, 'OK done')
      await peer.answer(
        'STATUS "Entw&APw-rfe" (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ)',
        '* STATUS "Entw&APw-rfe" ()',
        'OK done',
      )
    })
    const seen = await run(step.list('l'), step.status('s', 'Entwürfe'))
    expect(ofKind(seen, 'mailbox').map(({ path, isSubscribed, isSelectable }) => [path, isSubscribed, isSelectable])).toEqual([
      ['x', false, false],
      ['Entwürfe', true, true],
    ])
    expect(ofKind(seen, 'status')).toEqual([
      { kind: 'status', path: 'Entwürfe', messages: null, uidNext: null, uidValidity: null, highestModSeq: null, objectId: null },
    ])
  })
})

describe('leave', () => {
  it('uses UNSELECT, else a mailbox that cannot be, and never CLOSE', async () => {
    // Verifies: DC-4549-4.2.5
    for (const [capabilities, command, reply] of [
      ['UNSELECT', 'UNSELECT', 'OK done'],
      ['UIDPLUS', 'EXAMINE "tidemail', 'NO [NONEXISTENT] no such mailbox'],
    ] as const) {
      const { run } = await opened(capabilities, async (peer) => peer.answer(command, reply))
      expect(outcomes(await run(step.leave('l'), step.leave('again'), step.fetch('f', '1')))).toBe('l:ok again:ok f:stale')
    }
  })
})
