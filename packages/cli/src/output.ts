/** Writes lines to a stream, in few pieces and under back-pressure, and tells when nobody reads any more. */

import type { Writable } from 'node:stream'
import { SyncError } from '@tidemail/core'

/** Lines are gathered up to so many characters before they are written. */
const PIECE_CHARACTERS_MAX = 16_384

export interface Output {
  /** @throws SyncError `output.closed` when the stream takes no more. */
  line(text: string): Promise<void>
  /** Writes what was gathered. @throws SyncError `output.closed` */
  flush(): Promise<void>
}

export function streamOutput(stream: Writable): Output {
  let gathered = ''
  // Without a listener a broken pipe would end the process with a stack trace; the write's own callback tells of it.
  stream.on('error', () => undefined)
  const flush = async (): Promise<void> => {
    if (gathered === '') return
    const piece = gathered
    gathered = ''
    await write(stream, piece)
  }
  return {
    async line(text) {
      gathered += `${text}\n`
      if (gathered.length >= PIECE_CHARACTERS_MAX) await flush()
    },
    flush,
  }
}

function write(stream: Writable, piece: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(piece, (error) => {
      if (error === undefined || error === null) return resolve()
      reject(
        new SyncError('output.closed', 'The output was closed before everything was written.', {
          hint: 'What was asked for is done; ask again with `tidemail list` or `tidemail ops` to see it.',
          cause: error,
        }),
      )
    })
  })
}
