/** Whose a mailbox is, and where a new one is made. */

import { describe, expect, it } from 'vitest'
import { type Namespaces, NO_NAMESPACES, namespaceOf, personalPath } from './namespaces.ts'

const place = (prefix: string, delimiter = '.') => ({ prefix, delimiter })
/** As Cyrus answers with Debian's defaults. */
const CYRUS: Namespaces = { personal: [place('INBOX.')], otherUsers: [place('user.')], shared: [place('')] }
const COURIER: Namespaces = { personal: [place('INBOX.')], otherUsers: [], shared: [place('#shared.'), place('shared.')] }
const DOVECOT: Namespaces = {
  personal: [place('', '/')],
  otherUsers: [place('shared/', '/')],
  shared: [place('shared/all/', '/')],
}

describe('namespaceOf', () => {
  it.each([
    ['INBOX', CYRUS, 'personal'],
    ['INBOX.Work', CYRUS, 'personal'],
    ['user.bob', CYRUS, 'other-users'],
    ['user', CYRUS, 'other-users'],
    ['users', CYRUS, 'shared'],
    ['#shared.team', COURIER, 'shared'],
    ['shared', COURIER, 'shared'],
    ['Elsewhere', COURIER, 'personal'],
    ['shared/bob', DOVECOT, 'other-users'],
    ['shared/all/news', DOVECOT, 'shared'],
    ['Work', DOVECOT, 'personal'],
    ['user.bob', NO_NAMESPACES, 'personal'],
  ] as const)('tells whose %s is, by the longest prefix', (path, namespaces, kind) => {
    expect(namespaceOf(path, namespaces)).toBe(kind)
  })
})

describe('personalPath', () => {
  const shown = [
    { path: 'INBOX', delimiter: '.' },
    { path: 'Team', delimiter: '.' },
  ]

  it.each([
    ['Work', COURIER, 'INBOX.Work'],
    ['Work.Lunch', CYRUS, 'INBOX.Work.Lunch'],
    ['INBOX.Work', CYRUS, 'INBOX.Work'],
    ['INBOX', CYRUS, 'INBOX'],
    ['user.bob.x', CYRUS, 'user.bob.x'],
    ['Team.Minutes', CYRUS, 'Team.Minutes'],
    ['Work', DOVECOT, 'Work'],
    ['Work', NO_NAMESPACES, 'Work'],
  ] as const)('puts a bare name under the prefix of the own mailboxes, and leaves any other: %s', (path, namespaces, made) => {
    expect(personalPath(path, namespaces, shown)).toBe(made)
  })
})
