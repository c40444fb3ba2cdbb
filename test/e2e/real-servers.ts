/** Runs tests on the real servers that this machine has, and fails where one is missing that it could have. */

import {
  aptLineFor,
  detectServers,
  type RealServer,
  type RealServerName,
  startCourier,
  startCyrus,
  startDovecot,
} from '@tidemail/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

export { ALL_SERVERS } from './server-names.ts'

/** Starts each server once for its tests. `TIDEMAIL_TEST_SERVERS=none` leaves all of them out, and the summary shows it. */
export function onServers(
  names: readonly RealServerName[],
  tests: (server: () => RealServer, name: RealServerName) => void,
): void {
  for (const name of names) {
    describe(name, () => {
      const found = detectServers()[name]
      if (process.env['TIDEMAIL_TEST_SERVERS'] === 'none') {
        it('is left out', (context) => context.skip('TIDEMAIL_TEST_SERVERS=none'))
      } else if (found.kind === 'unsupported') {
        it('is left out', (context) => context.skip(found.reason))
      } else if (found.kind === 'missing') {
        it('is installed', () => expect.fail(`${name} is missing. As root: ${aptLineFor([name])}`))
      } else {
        let server: RealServer
        beforeAll(async () => {
          server = await START[name]()
        })
        afterAll(() => server.stop())
        tests(() => server, name)
      }
    })
  }
}

const START = { dovecot: startDovecot, cyrus: startCyrus, courier: startCourier } as const

/** A mailbox name as this server has it: Courier keeps every mailbox below the inbox, with full stops between the levels. */
export function pathOn(name: RealServerName, path: string): string {
  return name === 'courier' ? belowInbox(path) : path
}

/** Where every mailbox is below the inbox. */
export function belowInbox(path: string): string {
  return path.toUpperCase() === 'INBOX' ? path : `INBOX.${path.replaceAll('/', '.')}`
}
