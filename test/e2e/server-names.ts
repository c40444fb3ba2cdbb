/** The servers that tests run on, in the order in which they are told of. */

import type { RealServerName } from '@tidemail/testing'

export const ALL_SERVERS: readonly RealServerName[] = ['dovecot', 'cyrus', 'courier']
