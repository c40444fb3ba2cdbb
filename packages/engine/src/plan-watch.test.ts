/** What is watched, and over how many connections. */

import { type MailboxRecord, mailboxId } from '@tidemail/core'
import { describe, expect, it } from 'vitest'
import { NAMED_MAILBOXES_MAX, NOTIFY_MAILBOXES_MAX, planWatch } from './plan-watch.ts'

const mailbox = (path: string, changes: Partial<MailboxRecord> = {}): MailboxRecord =>
  ({ id: mailboxId(1), path, isSelectable: true, isOnServer: true, ...changes }) as MailboxRecord

const SOME = ['INBOX', 'Sent', 'Work', 'Lists'].map((path) => mailbox(path))

describe('what is watched', () => {
  it('is INBOX, and whatever else the server tells of', () => {
    expect(planWatch({ watch: 'inbox', connectionsMax: 5, mailboxes: SOME })).toEqual({
      main: { path: 'INBOX', beside: 'personal' },
      beside: [],
    })
  })

  it('is also what the app names, each over a connection of its own, as far as they go', () => {
    const watch = ['Work', 'Lists', 'Sent']
    const besides = [1, 2, 3, 9].map((connectionsMax) => planWatch({ watch, connectionsMax, mailboxes: SOME }).beside)
    expect(besides).toEqual([[], ['Work'], ['Work', 'Lists'], ['Work', 'Lists', 'Sent']])
  })

  it('is no mailbox twice, and none that cannot be opened', () => {
    const mailboxes = [...SOME, mailbox('Container', { isSelectable: false }), mailbox('Planned', { isOnServer: false })]
    const watch = ['inbox', 'Work', 'Work', 'Container', 'Planned', 'Nowhere', 'Sent']
    const { main, beside } = planWatch({ watch, connectionsMax: 9, mailboxes })
    expect(main.path).toBe('INBOX')
    expect(beside).toEqual(['Work', 'Sent'])
  })

  it('is what the app names where there is no INBOX', () => {
    const mailboxes = [mailbox('Work'), mailbox('Lists')]
    expect(planWatch({ watch: ['Work', 'Lists'], connectionsMax: 2, mailboxes })).toMatchObject({
      main: { path: 'Work' },
      beside: ['Lists'],
    })
  })

  // Verifies: DC-5465-3.1
  it('is a bounded number of mailboxes by name, where there are very many', () => {
    const paths = Array.from({ length: NOTIFY_MAILBOXES_MAX }, (_, i) => `Box ${i}`)
    const mailboxes = ['INBOX', ...paths].map((path) => mailbox(path))
    const { main } = planWatch({ watch: paths, connectionsMax: 1, mailboxes })
    expect(main.beside).toEqual(['INBOX', ...paths].slice(0, NAMED_MAILBOXES_MAX))
    expect(planWatch({ watch: paths, connectionsMax: 1, mailboxes: mailboxes.slice(1) }).main.beside).toBe('personal')
  })
})
