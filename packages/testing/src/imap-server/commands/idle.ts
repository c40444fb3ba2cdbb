/** IDLE: tells the news as they happen, until the client says DONE (RFC 2177). */

import { writeNews } from '../news.ts'
import type { CommandFamily } from '../reply.ts'
import { bad, type CommandRule, type Invocation, ok, type Reply } from '../reply.ts'

async function idle({ session, args }: Invocation): Promise<Reply> {
  args.end()
  session.continuation('idling')
  while (!session.isLeaving) {
    if (session.selected !== null) writeNews(session, { withExpunges: true, withUids: false })
    await session.flush()
    await session.reader.ready()
    if (!session.reader.isReady) continue
    const line = await session.reader.line()
    if (line === null) break
    return line.kind === 'line' && line.text.toUpperCase() === 'DONE' ? ok('Idle completed') : bad('Expected DONE.')
  }
  return bad('IDLE was cut off.')
}

const rule: CommandRule = { states: ['authenticated', 'selected'], run: idle }

export const IDLE_COMMANDS: CommandFamily = { plain: { IDLE: rule } }
