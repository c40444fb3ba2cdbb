/** How the adapter carries out plans, on the wire: order, barriers, identity, outcomes. */

import { type Step, UidSet, uidValidity } from '@tidemail/core'
import { afterEach, describe, expect, it } from 'vitest'
import {
  BODIES,
  BODY_TEXT,
  closeScripted,
  collect,
  connectScripted,
  INBOX,
  kinds,
  known,
  ManualClock,
  ofKind,
  outcomes,
  selectLines,
  step,
} from './scripted-session.ts'

const QRESYNC = 'ENABLE QRESYNC CONDSTORE UIDPLUS MOVE UNSELECT ESEARCH LITERAL+ MULTIAPPEND LIST-EXTENDED'

afterEach(closeScripted)

describe('set-up', () => {
  it('says LOGIN and ENABLE and nothing else', async () => {
    // Verifies: H-22
    const { server, session } = await connectScripted(
      `${QRESYNC} ID NAMESPACE COMPRESS=DEFLATE IMAP4rev2 UTF8=ACCEPT`,
      async () => {},
    )
    const peer = await server.played
    expect(peer.lines.map((line) => line.split(' ')[1])).toEqual(['LOGIN', 'ENABLE'])
    expect(session.server.enabled).toEqual(['QRESYNC', 'CONDSTORE'])
  })

  it('asks for capabilities when the login told none, and takes those after login', async () => {
    const { server, session } = await connectScripted('UIDPLUS', async () => {})
    await server.played
    expect(session.server.capabilities).toEqual(['IMAP4REV1', 'UIDPLUS'])
  })

  it('tells an alert of the login to the first run', async () => {
    const { run } = await connectScripted('UIDPLUS', async (peer) => {
      await peer.answer('LIST', '* OK [ALERT] the  disk\tis full', '* LIST () "/" INBOX', 'OK done')
      await peer.answer('LSUB', 'OK done')
    })
    expect(ofKind(await run(step.list('l')), 'alert')).toEqual([{ kind: 'alert', text: 'the disk is full' }])
  })
})

describe('open', () => {
  it('tells opened before what the server reported as changed', async () => {
    // Verifies: I-SYNC-2, H-12
    const changed = ['* VANISHED (EARLIER) 2,4:4294967295', '* 1 FETCH (UID 1 FLAGS (\\Seen \\Recent) MODSEQ (39))']
    const { run } = await connectScripted(QRESYNC, async (peer) => {
      await peer.answer('SELECT "INBOX" (QRESYNC (7 31))', ...selectLines(changed))
    })
    const seen = await run(step.open('o', 'INBOX', known(31)))
    expect(kinds(seen)).toBe('opened vanished row done')
    expect(ofKind(seen, 'opened')[0]).toMatchObject({
      mailbox: INBOX,
      exists: 3,
      uidNext: 10,
      highestModSeq: 40n,
      permanentFlags: ['\\*', '\\Answered', '\\Seen'],
      isResynced: true,
    })
    expect(ofKind(seen, 'vanished')[0]?.uids.ranges).toEqual([
      { first: 2, last: 2 },
      { first: 4, last: 4_294_967_295 },
    ])
    expect(ofKind(seen, 'row')[0]).toMatchObject({ uid: 1, flags: ['\\Seen'], modSeq: 39n })
  })

  it('gives what came before CLOSED to the mailbox that was open', async () => {
    // Verifies: DC-7162-3.2.11
    const { run } = await connectScripted(QRESYNC, async (peer) => {
      await peer.answer('SELECT "INBOX"', ...selectLines())
      await peer.answer(
        'SELECT "Work"',
        '* VANISHED 3',
        '* OK [CLOSED] left',
        '* 1 EXISTS',
        '* OK [UIDVALIDITY 9] valid',
        '* 1 FETCH (UID 5 FLAGS ())',
        'OK [READ-ONLY] in',
      )
    })
    const seen = await run(step.open('a'), step.open('b', 'Work'))
    expect(ofKind(seen, 'vanished')[0]?.mailbox).toEqual(INBOX)
    expect(ofKind(seen, 'row')[0]?.mailbox).toEqual({ path: 'Work', uidValidity: 9 })
    expect(ofKind(seen, 'opened')[1]).toMatchObject({ isReadOnly: true, highestModSeq: null, uidNext: null })
    expect(ofKind(seen, 'done').map(({ exists }) => exists)).toEqual([3, 1])
  })

  it('does not call a mailbox resynced when its UIDVALIDITY is another, or it has no mod-sequences', async () => {
    const { run } = await connectScripted(QRESYNC, async (peer) => {
      await peer.answer('SELECT', '* 3 EXISTS', '* OK [UIDVALIDITY 8] new', '* OK [HIGHESTMODSEQ 40] h', 'OK [READ-WRITE] in')
      await peer.answer('SELECT', ...selectLines(['* OK [NOMODSEQ] none']))
      await peer.answer('SELECT', '* 3 EXISTS', '* OK [UIDVALIDITY 7] v', '* OK [HIGHESTMODSEQ 0] h', 'OK [READ-WRITE] in')
    })
    const opens = ['a', 'b', 'c'].map((id) => step.open(id, 'INBOX', known(31)))
    const opened = ofKind(await run(...opens), 'opened')
    expect(opened.map(({ isResynced }) => isResynced)).toEqual([false, false, false])
    expect(opened.map(({ highestModSeq }) => highestModSeq)).toEqual([40n, null, null])
  })

  it('rejects a mailbox without UIDVALIDITY', async () => {
    const { run } = await connectScripted('UIDPLUS', async (peer) => {
      await peer.answer('SELECT', '* 3 EXISTS', 'OK [READ-WRITE] in')
      await peer.answer('UID FETCH', 'OK done')
    })
    expect(outcomes(await run(step.open('o'), step.fetch('f', '1')))).toBe('o:rejected f:stale')
  })

  it('leaves QRESYNC and CONDSTORE out when the server did not confirm them', async () => {
    const { run, session } = await connectScripted('CONDSTORE', async (peer) => {
      await peer.answer('SELECT "INBOX" (CONDSTORE)', ...selectLines())
    })
    expect(session.server.enabled).toEqual([])
    expect(outcomes(await run(step.open('o', 'INBOX', known(31))))).toBe('o:ok')
  })
})

describe('the order of writing', () => {
  it('writes reads behind an open in the same turn, and compares the mailbox when the open is answered', async () => {
    const { run } = await connectScripted('UIDPLUS', async (peer) => {
      const select = await peer.expect('SELECT')
      const fetch = await peer.expect('UID FETCH 1:3')
      peer.send('* 3 EXISTS', '* OK [UIDVALIDITY 8] another', `${select} OK in`, '* 1 FETCH (UID 1 FLAGS ())', `${fetch} OK done`)
    })
    const seen = await run(step.open('o'), step.fetch('f', '1:3'))
    expect(outcomes(seen)).toBe('o:ok f:stale')
    expect(ofKind(seen, 'row').map(({ mailbox }) => mailbox.uidValidity)).toEqual([8])
  })

  it('gives rows that come before an open is answered to the mailbox they were asked of', async () => {
    const { run } = await connectScripted('UIDPLUS', async (peer) => {
      await peer.answer('SELECT "INBOX"', ...selectLines())
      const fetch = await peer.expect('UID FETCH')
      const select = await peer.expect('SELECT "Work"')
      peer.send('* 2 FETCH (UID 2 FLAGS ())', '* 4 EXISTS', `${fetch} OK done`)
      peer.send('* 1 EXISTS', '* OK [UIDVALIDITY 9] v', `${select} OK in`)
    })
    const seen = await run(step.open('a'), step.fetch('f', '1:3'), step.open('b', 'Work'))
    expect(ofKind(seen, 'row').map(({ mailbox }) => mailbox)).toEqual([INBOX])
    expect(ofKind(seen, 'done').map(({ exists }) => exists)).toEqual([3, 4, 1])
  })

  it('never writes a mutating step behind an open that has not come back', async () => {
    // Verifies: H-4
    const { run, server } = await connectScripted('UIDPLUS', async (peer) => {
      const select = await peer.expect('SELECT')
      peer.send('* 3 EXISTS', '* OK [UIDVALIDITY 8] another')
      await new Promise((resolve) => setTimeout(resolve, 20))
      peer.send(`${select} OK in`)
      await peer.answer('SELECT "Work"', ...selectLines())
    })
    expect(outcomes(await run(step.open('o'), step.store('s', '1'), step.open('w', 'Work')))).toBe('o:ok s:stale w:ok')
    expect((await server.played).lines.some((line) => line.includes('STORE'))).toBe(false)
  })

  it('writes mutating steps one behind the other without waiting', async () => {
    const { run } = await connectScripted('UIDPLUS', async (peer) => {
      await peer.answer('SELECT', ...selectLines())
      const first = await peer.expect('UID STORE 1 +FLAGS.SILENT (\\Seen)')
      const second = await peer.expect('UID STORE 2 +FLAGS.SILENT (\\Seen)')
      peer.send(`${first} OK done`, `${second} OK done`)
    })
    expect(outcomes(await run(step.open('o'), step.store('a', '1'), step.store('b', '2')))).toBe('o:ok a:ok b:ok')
  })

  it('waits for what a step requires, and skips it when that failed', async () => {
    // Verifies: H-4, I-LOG-5
    const { run } = await connectScripted('UIDPLUS', async (peer) => {
      await peer.answer('SELECT', ...selectLines())
      await peer.answer('UID COPY 1 "Archive"', 'NO [TRYCREATE] no such mailbox')
      await peer.answer('UID STORE 2', 'OK done')
    })
    const marked = step.store('mark', '1', { requires: ['copy'] })
    const seen = await run(
      step.open('o'),
      step.copy('copy', '1'),
      marked,
      { ...step.expunge('x', '1'), requires: ['mark'] },
      step.store('s', '2'),
    )
    expect(outcomes(seen)).toBe('o:ok copy:rejected mark:skipped x:skipped s:ok')
    expect(ofKind(seen, 'done')[1]?.rejection).toEqual({ status: 'NO', code: 'TRYCREATE', text: 'no such mailbox' })
  })

  it('skips what requires a step that is not in the plan', async () => {
    const { run } = await connectScripted('UIDPLUS', async () => {})
    expect(outcomes(await run({ ...step.append('a'), requires: ['elsewhere'] }))).toBe('a:skipped')
  })

  it('sends nothing on a mailbox that is not the selected one', async () => {
    const { run, server } = await connectScripted('UIDPLUS', async (peer) => {
      await peer.answer('SELECT', ...selectLines())
      expect(await peer.isLeftAlone()).toBe(true)
    })
    const other: Step = { ...step.store('s', '1'), mailbox: { path: 'INBOX', uidValidity: uidValidity(6) } } as Step
    expect(outcomes(await run(step.fetch('early', '1'), step.open('o'), other))).toBe('early:stale o:ok s:stale')
    await server.close()
    await server.played
  })

  it('sends a step no later than its notAfter', async () => {
    // Verifies: H-8
    const clock = new ManualClock()
    const { run } = await connectScripted('UIDPLUS', async (peer) => peer.answer('SELECT', ...selectLines()), { clock })
    const late = step.store('late', '1', { notAfter: clock.now() - 1 } as Partial<Step>)
    expect(outcomes(await run(step.open('o'), late, step.append('a', 1, { notAfter: clock.now() - 1 })))).toBe(
      'o:ok late:not-sent a:not-sent',
    )
  })

  it('refuses a command line that is too long, and arguments IMAP cannot carry', async () => {
    const { run } = await connectScripted('UIDPLUS', async (peer) => peer.answer('SELECT', ...selectLines()))
    const long = UidSet.from(Array.from({ length: 3000 }, (_, i) => i * 2 + 1)).toString()
    const seen = await run(step.open('o'), step.store('long', long), step.copy('name', '1', 'a\r\nb'))
    expect(outcomes(seen)).toBe('o:ok long:rejected name:rejected')
    expect(ofKind(seen, 'done').map(({ rejection }) => rejection?.code)).toEqual([undefined, 'CLIENTBUG', 'CLIENTBUG'])
  })
})

describe('a connection that ends', () => {
  it('makes what was sent unknown and the rest not-sent', async () => {
    // Verifies: H-5
    const { run, session } = await connectScripted('UIDPLUS', async (peer) => {
      await peer.answer('SELECT', ...selectLines())
      await peer.expect('UID STORE 1')
      await peer.expect('UID STORE 2')
      peer.cut()
    })
    const needs = step.store('c', '3', { requires: ['b'] })
    const seen = await run(step.open('o'), step.store('a', '1'), step.store('b', '2'), needs, step.open('p'))
    expect(outcomes(seen)).toBe('o:ok a:unknown b:unknown c:skipped p:not-sent')
    expect(session.ended?.code).toBe('remote.disconnected')
    expect(outcomes(await run(step.open('q')))).toBe('q:not-sent')
  })

  it('takes a BYE, tagged or not, for the end', async () => {
    for (const bye of ['* BYE shutting\u0007 down', 'TAG BYE shutting down']) {
      const { run, session } = await connectScripted('UIDPLUS', async (peer) => {
        const tag = await peer.expect('SELECT')
        peer.send(bye.replace('TAG', tag))
      })
      expect(outcomes(await run(step.open('o')))).toBe('o:unknown')
      expect(session.ended).toEqual({ code: 'remote.disconnected', text: 'The server said goodbye: shutting down' })
    }
  })

  it('ends with remote.protocol at a line that is no IMAP', async () => {
    for (const garbage of [
      'HTTP/1.1 200 OK',
      '* 1 FETCH (UID 1 FLAGS (\\Seen)',
      '* 1 FETCH (UID 99999999999)',
      'T99 OK who asked?',
      '* VANISHED 4:x',
    ]) {
      const { run, session } = await connectScripted('UIDPLUS', async (peer) => {
        await peer.answer('SELECT', ...selectLines())
        await peer.expect('UID FETCH')
        peer.send(garbage)
      })
      expect(outcomes(await run(step.open('o'), step.fetch('f', '1:3')))).toBe('o:ok f:unknown')
      expect(session.ended?.code, garbage).toBe('remote.protocol')
    }
  })

  it('counts the silence of the server, which any octet breaks', async () => {
    // Verifies: H-6, I-NET-1
    const clock = new ManualClock()
    const started = clock.now()
    let hasSelect: () => void = () => {}
    let hasSign: () => void = () => {}
    const selecting = new Promise<void>((resolve) => {
      hasSelect = resolve
    })
    const signing = new Promise<void>((resolve) => {
      hasSign = resolve
    })
    const { run, session, server } = await connectScripted(
      'UIDPLUS',
      async (peer) => {
        await peer.expect('SELECT')
        hasSelect()
        await signing
        peer.send('* OK still here')
      },
      {
        clock,
        stepDeadlineMs: 1000,
        onWire: (event) => event.kind === 'line' && event.text.includes('still here') && clock.advance(999),
      },
    )
    const running = run(step.open('o'))
    await selecting
    clock.advance(999)
    hasSign()
    await server.played
    while (clock.now() < started + 1998) await new Promise((resolve) => setImmediate(resolve))
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    expect(session.ended).toBeNull()
    clock.advance(1)
    expect(outcomes(await running)).toBe('o:unknown')
    expect(session.ended).toEqual({ code: 'remote.timeout', text: 'The server was silent for 1 seconds.' })
  })

  it('sends nothing after an abort, and waits for what is in flight', async () => {
    const abort = new AbortController()
    const { session } = await connectScripted('UIDPLUS', async (peer) => {
      const tag = await peer.expect('SELECT')
      abort.abort()
      peer.send('* 3 EXISTS', '* OK [UIDVALIDITY 7] v', `${tag} OK in`)
    })
    const steps = [step.open('o'), step.store('s', '1'), step.append('a')]
    expect(outcomes(await collect(session.run(steps, { bodies: BODIES, signal: abort.signal })))).toBe(
      'o:ok s:not-sent a:not-sent',
    )
  })

  it('settles what is in flight when the reader walks away, and can be used again', async () => {
    const { session, run } = await connectScripted('UIDPLUS', async (peer) => {
      await peer.answer('SELECT', ...selectLines())
      await peer.answer('UID FETCH', '* 1 FETCH (UID 1 FLAGS ())', '* 2 FETCH (UID 2 FLAGS ())', 'OK done')
      await peer.answer('UID SEARCH', '* SEARCH 3', 'OK done')
      await peer.answer('UID SEARCH', '* SEARCH 1 2', 'OK done')
    })
    await run(step.open('o'))
    for await (const _ of session.run([step.fetch('f', '1:3'), step.search('unread')], {
      bodies: BODIES,
      signal: new AbortController().signal,
    }))
      break
    expect(ofKind(await run(step.search('s')), 'uids')[0]?.uids.toString()).toBe('1:2')
  })
})

describe('append', () => {
  it('writes the message at once under LITERAL+, and several as one command', async () => {
    // Verifies: H-22
    const { run } = await connectScripted(QRESYNC, async (peer) => {
      const tag = await peer.expect(`APPEND "Sent" (\\Seen) "05-Feb-2026 10:11:12 +0000" {${BODY_TEXT.length}+}`)
      expect(await peer.literal(BODY_TEXT.length)).toBe(BODY_TEXT)
      expect(await peer.line()).toBe(` (\\Seen) "05-Feb-2026 10:11:12 +0000" {${BODY_TEXT.length}+}`)
      expect(await peer.literal(BODY_TEXT.length)).toBe(BODY_TEXT)
      expect(await peer.line()).toBe('')
      peer.send(`${tag} OK [APPENDUID 38505 8,5] done`)
    })
    const seen = await run(step.append('a', 2))
    expect(ofKind(seen, 'appended')[0]).toMatchObject({ target: { path: 'Sent', uidValidity: 38505 }, uids: [8, 5] })
  })

  it('waits for the server without LITERAL+, goes on reading meanwhile, and takes NO for an answer', async () => {
    // Verifies: DC-9051-5.5
    // Verifies: H-22, DC-4549-4.2.2e
    const { run } = await connectScripted('UIDPLUS', async (peer) => {
      const first = await peer.expect(`APPEND "Sent" (\\Seen) "05-Feb-2026 10:11:12 +0000" {${BODY_TEXT.length}}`)
      peer.send('* OK [ALERT] hold on', '+ go ahead')
      expect(await peer.literal(BODY_TEXT.length)).toBe(BODY_TEXT)
      await peer.line()
      peer.send(`${first} OK done`)
      await peer.answer('APPEND', 'NO [OVERQUOTA] full')
    })
    const seen = await run(step.append('a'), step.append('b'))
    expect(kinds(seen)).toBe('alert done done')
    expect(outcomes(seen)).toBe('a:ok b:rejected')
  })

  it('does not send a message that the server asks for too late', async () => {
    // Verifies: H-8
    const clock = new ManualClock()
    const { run } = await connectScripted(
      'UIDPLUS',
      async (peer) => {
        await peer.expect('APPEND')
        clock.advance(20)
        peer.send('+ go ahead')
        expect(await peer.isLeftAlone()).toBe(true)
      },
      { clock },
    )
    expect(outcomes(await run(step.append('a', 1, { notAfter: clock.now() + 10 })))).toBe('a:unknown')
  })

  it('keeps to APPENDLIMIT and to one message without MULTIAPPEND', async () => {
    // Verifies: DC-4549-4.2.2e
    const { run } = await connectScripted('LITERAL+ APPENDLIMIT=10', async () => {})
    const seen = await run(step.append('a'), step.append('b', 2))
    expect(ofKind(seen, 'done').map(({ rejection }) => rejection?.code)).toEqual(['TOOBIG', 'CANNOT'])
  })

  it('fails the run, once all is settled, when a body cannot be read', async () => {
    const { session } = await connectScripted('UIDPLUS', async (peer) => peer.answer('SELECT', ...selectLines()))
    const bodies = { bytes: () => Promise.reject(new Error('gone')) }
    const seen: string[] = []
    const reading = async (): Promise<void> => {
      for await (const o of session.run([step.open('o'), step.append('a')], { bodies, signal: new AbortController().signal })) {
        if (o.kind === 'done') seen.push(`${o.id}:${o.outcome}`)
      }
    }
    await expect(reading()).rejects.toThrow('gone')
    expect(seen).toEqual(['o:ok', 'a:not-sent'])
  })
})
