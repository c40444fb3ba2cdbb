import { describe, expect, it } from 'vitest'
import { holdSetting, parseHold } from './hold-setting.ts'

describe('which messages are kept', () => {
  it.each([
    [{ whole: true }, 'whole', 'whole'],
    [{ newOnly: true }, 'new-only', 'new-only'],
    [{ lastDays: 30 }, 'last-days:30', { lastDays: 30 }],
    [{ lastMessages: 500 }, 'last-messages:500', { lastMessages: 500 }],
  ])('is kept as one word: %j', (options, setting, hold) => {
    expect(holdSetting(options)).toBe(setting)
    expect(parseHold(setting)).toEqual(hold)
  })

  it('is not said where no option says it', () => expect(holdSetting({})).toBeUndefined())

  it.each([{ whole: true, lastDays: 3 }, { lastDays: 3, lastMessages: 3 }, { lastDays: 0 }])('is refused: %j', (options) => {
    expect(() => holdSetting(options)).toThrow(expect.objectContaining({ code: 'input.usage' }))
  })

  it.each(['', 'last-days', 'last-days:0', 'last-weeks:3', 'last-days:3.5', 'all'])('is not understood: "%s"', (text) => {
    expect(parseHold(text)).toBeNull()
  })
})
