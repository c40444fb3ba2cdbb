/** STARTTLS, LOGIN and AUTHENTICATE PLAIN, with an initial response or with a continuation (RFC 9051 §6.2, RFC 4959). */

import { capabilitiesOf } from '../offered-capabilities.ts'
import type { CommandFamily } from '../reply.ts'
import { bad, type CommandRule, no, ok, type Reply } from '../reply.ts'
import type { Session } from '../session.ts'

const BEFORE = ['not-authenticated'] as const

/** The session itself changes over to TLS, after the tagged OK. */
const startTls: CommandRule = { states: BEFORE, run: () => ok('Begin TLS negotiation now.') }

const login: CommandRule = {
  states: BEFORE,
  run({ session, args }) {
    const user = args.text()
    const password = args.text()
    args.end()
    return admit(session, { user, password })
  },
}

const authenticate: CommandRule = {
  states: BEFORE,
  async run({ session, args }) {
    if (args.atom().toUpperCase() !== 'PLAIN') return no('Unsupported authentication mechanism.')
    if (!args.isEmpty) {
      if (!session.can('SASL-IR')) return bad('Unexpected initial response.')
      return admitPlain(session, args.text())
    }
    session.continuation('')
    const line = await session.reader.line()
    if (line === null || line.kind === 'too-long' || line.text === '*') return bad('Authentication aborted by client.')
    return admitPlain(session, line.text)
  },
}

/** `authzid NUL authcid NUL password` in base64 (RFC 4616). */
function admitPlain(session: Session, response: string): Reply {
  const [, user, password] = Buffer.from(response, 'base64').toString('utf8').split('\0')
  if (user === undefined || password === undefined) return bad('Invalid base64 data in initial response.')
  return admit(session, { user, password })
}

function admit(session: Session, { user, password }: { readonly user: string; readonly password: string }): Reply {
  const account = session.host.authenticate(user, password)
  if (account === null) return no('Authentication failed.', 'AUTHENTICATIONFAILED')
  session.account = account
  return ok('Logged in', `CAPABILITY ${capabilitiesOf(session)}`)
}

export const LOGIN_COMMANDS: CommandFamily = { plain: { STARTTLS: startTls, LOGIN: login, AUTHENTICATE: authenticate } }
