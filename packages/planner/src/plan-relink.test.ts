import type { Uid } from '@tidemail/core'
import { describe, expect, it } from 'vitest'
import { type IdentifiedMessage, planRelink } from './plan-relink.ts'

/** `uid id key`: EMAILID or `-`, and what stands for Message-ID, size and date, or `-` for no Message-ID. */
function messages(...lines: readonly string[]): IdentifiedMessage[] {
  return lines.map((line) => {
    const [uid, emailId, key = '-'] = line.split(' ')
    return {
      uid: Number(uid) as Uid,
      emailId: emailId === '-' || emailId === undefined ? null : emailId,
      messageId: key === '-' ? null : `<${key}>`,
      sizeBytes: key.length,
      internalDate: 1000,
    }
  })
}

const text = ({ ranges }: ReturnType<typeof planRelink>['content']): string =>
  ranges.map(({ from, to, length }) => `${from}>${to}*${length}`).join(' ')

describe('messages under a new UIDVALIDITY', () => {
  // Verifies: DC-8474-8.3b, DC-8474-8.4a
  it.each<[string, IdentifiedMessage[], IdentifiedMessage[], { content: string; messages: string }]>([
    ['by EMAILID', messages('5 A a', '7 B b'), messages('1 B x', '2 A y'), { content: '5>2*1 7>1*1', messages: '5>2*1 7>1*1' }],
    ['in one run', messages('5 A', '6 B', '7 C'), messages('1 A', '2 B', '3 C'), { content: '5>1*3', messages: '5>1*3' }],
    ['by description', messages('5 - a', '7 - b'), messages('1 - b', '2 - a'), { content: '5>2*1 7>1*1', messages: '' }],
    ['by description, had it no EMAILID before', messages('5 - a'), messages('1 A a'), { content: '5>1*1', messages: '' }],
    ['not with another EMAILID', messages('5 A a'), messages('1 B a'), { content: '', messages: '' }],
    ['not by a description that two had', messages('5 - a', '6 - a'), messages('1 - a'), { content: '', messages: '' }],
    ['not by a description that two have', messages('5 - a'), messages('1 - a', '2 - a'), { content: '', messages: '' }],
    ['not without Message-ID', messages('5 - -'), messages('1 - -'), { content: '', messages: '' }],
    [
      'by content only, where two have one EMAILID',
      messages('5 A', '6 A'),
      messages('1 A', '2 A'),
      { content: '5>1*2', messages: '' },
    ],
    ['not when it is gone', messages('5 A a'), messages(), { content: '', messages: '' }],
  ])('are found %s', (_name, former, now, expected) => {
    const found = planRelink(former, now)
    expect({ content: text(found.content), messages: text(found.messages) }).toEqual(expected)
  })
})
