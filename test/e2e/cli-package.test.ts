/** The one name to install: what its two doors give. */

import * as main from 'tidemail'
import * as node from 'tidemail/node'
import { describe, expect, it } from 'vitest'

describe('tidemail, the one name to install', () => {
  it('gives a program for the browser the engine, its store and the words they share', () => {
    const functions = Object.entries(main).filter(([, value]) => typeof value === 'function')
    expect(functions.map(([name]) => name)).toEqual(
      expect.arrayContaining([
        'createMailEngine',
        'openDexieMessageStore',
        'SyncError',
        'UidSet',
        'accountId',
        'uid',
        'parseFlag',
      ]),
    )
  })

  it('gives a program for Node a durable store and the mail server over TCP', () => {
    expect(Object.keys(node).sort()).toEqual(['imapRemote', 'openNodeMessageStore'])
  })
})
