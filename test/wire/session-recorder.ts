/** Records every session of an account as lines, so that the lint of transcripts can read them. */

import type { Remote } from '@tidemail/core'
import { type ImapRemoteOptions, imapRemote } from '@tidemail/imap'
import type { Transcript, TranscriptLine } from './transcript.ts'

export class SessionRecorder {
  readonly #sessions: TranscriptLine[][] = []

  get sessions(): readonly Transcript[] {
    return this.#sessions
  }

  /** The IMAP server of these options; each connection is recorded by itself. */
  remote(options: ImapRemoteOptions): Remote {
    return {
      connect: (signal, learnt) => {
        const lines: TranscriptLine[] = []
        this.#sessions.push(lines)
        const onWire: ImapRemoteOptions['onWire'] = (event) => {
          if (event.kind === 'line') lines.push({ direction: event.direction, text: event.text })
        }
        return imapRemote({ ...options, onWire }).connect(signal, learnt)
      },
    }
  }
}
