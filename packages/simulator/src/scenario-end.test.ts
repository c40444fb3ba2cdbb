import { describe, expect, it } from 'vitest'
import { describeEnd, isSameEnd } from './scenario-end.ts'
import { idOf } from './scenario-message.ts'

const UIDPLUS = { hasUidplus: true, submitted: ['s'] }
const inbox = [`${idOf('a')} \\seen`, idOf('b')]
const undisturbed = { content: { INBOX: inbox, Sent: [idOf('s')], Work: [] }, parkedFor: [] }

describe('the end of a scenario', () => {
  it('is told in the words of a scenario', () => {
    expect(describeEnd({ ...undisturbed, parkedFor: ['conflict'] })).toBe('INBOX: a+seen,b; Sent: s | parked: conflict')
  })

  it.each([
    ['a flag is missing', { ...undisturbed, content: { INBOX: [idOf('a'), idOf('b')], Sent: [idOf('s')] } }],
    ['something certain is parked', { ...undisturbed, parkedFor: ['conflict'] }],
    ['the copy of a submission is missing, and nothing is parked', { content: { INBOX: inbox, Sent: [] }, parkedFor: [] }],
    ['another message is missing, besides what is uncertain', { content: { INBOX: [idOf('b')] }, parkedFor: ['uncertain'] }],
  ])('is another one where %s', (_, end) => {
    expect(isSameEnd(end, undisturbed, UIDPLUS)).toBe(false)
  })

  it('may lack the copy of a submission that is uncertain', () => {
    const end = { content: { INBOX: inbox }, parkedFor: ['uncertain'] }
    expect(isSameEnd(end, undisturbed, UIDPLUS)).toBe(true)
  })

  it('may lack what is uncertain where the server names no UIDs', () => {
    const end = { content: { INBOX: [idOf('b')] }, parkedFor: ['uncertain'] }
    expect(isSameEnd(end, undisturbed, { hasUidplus: false, submitted: [] })).toBe(true)
  })
})
