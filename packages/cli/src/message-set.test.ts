import { UidSet } from '@tidemail/core'
import { describe, expect, it } from 'vitest'
import { parseMessageSet, uidsAmong } from './message-set.ts'

const SHOWN = UidSet.parse('2:5,9,12')
const among = (text: string): string => uidsAmong(parseMessageSet(text), SHOWN, 'INBOX').toString()

describe('parseMessageSet', () => {
  it('reads UIDs, ranges and locals', () => {
    expect(parseMessageSet('12,15:20, local:3 ,LOCAL:5')).toEqual({
      uids: [UidSet.parse('12'), UidSet.parse('15:20')],
      locals: [3, 5],
    })
  })

  it.each([
    '',
    ',',
    '1,',
    '0',
    '1:*',
    '*',
    'x',
    '1-3',
    '4294967296',
    '1:2:3',
    'local:',
    'local:0',
    'local:1:3',
    '-1',
    '1 2',
    '1;2',
    '٣',
  ])('refuses "%s"', (text) => {
    expect(() => parseMessageSet(text)).toThrow(expect.objectContaining({ code: 'input.bad-uid-set' }))
  })
})

describe('uidsAmong', () => {
  it('means the messages of a range that are there', () => {
    expect(among('1:4294967295')).toBe('2:5,9,12')
    expect(among('4:10')).toBe('4:5,9')
    expect(among('10:4,12')).toBe('4:5,9,12')
  })

  it('names what is not there, be it a number or a range', () => {
    expect(() => among('2,7')).toThrow('There is no message 7 in INBOX.')
    expect(() => among('6:8,13:20,2')).toThrow('There are no messages 6:8, 13:20 in INBOX.')
  })
})
