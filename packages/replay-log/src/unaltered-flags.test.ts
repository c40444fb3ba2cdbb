import { UidSet, uid } from '@tidemail/core'
import { describe, expect, it } from 'vitest'
import { unalteredBy } from './unaltered-flags.ts'

const ROWS = [
  { uid: uid(1), flags: ['\\Seen', '$Work'] },
  { uid: uid(2), flags: ['\\Flagged'] },
  { uid: uid(3), flags: ['\\Seen'] },
]

describe('unalteredBy', () => {
  it('names messages that have a flag already that is added', () => {
    expect(unalteredBy({ add: ['\\Seen'], remove: [] }, ROWS)).toEqual([{ flag: '\\Seen', uids: UidSet.parse('1,3') }])
  })

  it('names messages that lack a flag that is removed', () => {
    expect(unalteredBy({ add: [], remove: ['$Work'] }, ROWS)).toEqual([{ flag: '$Work', uids: UidSet.parse('2:3') }])
  })

  it('compares keywords without regard to case, and leaves out what all messages change', () => {
    expect(unalteredBy({ add: ['$WORK', '\\Answered'], remove: [] }, ROWS)).toEqual([{ flag: '$WORK', uids: UidSet.of(1) }])
    expect(unalteredBy({ add: ['\\Seen'], remove: ['\\Seen'] }, [])).toEqual([])
  })
})
