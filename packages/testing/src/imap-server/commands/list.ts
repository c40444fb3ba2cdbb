/** LIST with its extensions, and LSUB (RFC 9051 §6.3.9, RFC 5258, RFC 5819, RFC 6154). */

import type { MailboxRole } from '@tidemail/core'
import { canonicalPath, DELIMITER, type ModelAccount } from '../../model/account.ts'
import { BadCommand } from '../bad-command.ts'
import { Arguments, type Token, textOf, wordsOf } from '../command-syntax.ts'
import { decodeMailboxName } from '../mailbox-name.ts'
import type { CommandFamily } from '../reply.ts'
import { type CommandRule, ok } from '../reply.ts'
import { mailboxName } from '../response-syntax.ts'
import type { Session } from '../session.ts'
import { readStatusItems, statusLine } from '../status-items.ts'

interface ListRequest {
  readonly patterns: readonly string[]
  readonly onlySubscribed: boolean
  readonly onlySpecialUse: boolean
  readonly returnSubscribed: boolean
  readonly returnSpecialUse: boolean
  readonly returnChildren: boolean
  readonly statusItems: readonly string[] | null
}

const list: CommandRule = {
  states: ['authenticated', 'selected'],
  run({ session, args }) {
    const selection = session.can('LIST-EXTENDED') ? args.optionalList() : null
    const reference = args.mailbox()
    const patterns = session.can('LIST-EXTENDED') ? args.optionalList() : null
    const names = (patterns ?? [args.take()]).map((token) => decodeMailboxName(textOf(token)))
    const options = session.can('LIST-EXTENDED') && args.accept('RETURN') ? args.list() : null
    args.end()
    if (selection === null && options === null && names[0] === '') {
      session.untagged('LIST (\\Noselect) "/" ""')
      return ok('List completed')
    }
    const request = readRequest(session, {
      selection: selection ?? [],
      options: options ?? [],
      isBasic: options === null && patterns === null,
    })
    writeRows(session, { ...request, patterns: names.map((name) => reference + name) })
    return ok('List completed')
  },
}

const lsub: CommandRule = {
  states: ['authenticated', 'selected'],
  run({ session, args }) {
    const pattern = asPattern(args.mailbox() + args.mailbox())
    args.end()
    for (const path of [...session.user.subscriptions].sort()) {
      if (!pattern.test(path)) continue
      const role = session.can('SPECIAL-USE') ? roleAttribute(session.user.mailbox(path)?.role ?? null) : []
      session.untagged(`LSUB (${role.join(' ')}) "${DELIMITER}" ${mailboxName(path)}`)
    }
    return ok('Lsub completed')
  },
}

interface ListOptions {
  readonly selection: readonly Token[]
  readonly options: readonly Token[]
  /** LIST without RETURN shows children and special use, as servers do (RFC 6154 §2). */
  readonly isBasic: boolean
}

function readRequest(session: Session, { selection, options, isBasic }: ListOptions): Omit<ListRequest, 'patterns'> {
  const wanted = wordsOf(selection)
  for (const word of wanted) {
    const isKnown = ['SUBSCRIBED', 'REMOTE', 'RECURSIVEMATCH'].includes(word) || (word === 'SPECIAL-USE' && session.can(word))
    if (!isKnown) throw new BadCommand(`Unknown select option ${word}`)
  }
  const returned = new Set<string>()
  let statusItems: readonly string[] | null = null
  const args = new Arguments(options)
  while (!args.isEmpty) {
    const word = args.atom().toUpperCase()
    const isKnown = ['SUBSCRIBED', 'CHILDREN'].includes(word) || (word === 'SPECIAL-USE' && session.can(word))
    if (word === 'STATUS' && session.can('LIST-STATUS')) statusItems = readStatusItems(session, args.list())
    else if (isKnown) returned.add(word)
    else throw new BadCommand(`Unknown return option ${word}`)
  }
  const onlySubscribed = wanted.includes('SUBSCRIBED')
  const isPlain = isBasic && selection.length === 0
  return {
    onlySubscribed,
    onlySpecialUse: wanted.includes('SPECIAL-USE'),
    returnSubscribed: onlySubscribed || returned.has('SUBSCRIBED'),
    returnSpecialUse: session.can('SPECIAL-USE') && (isPlain || wanted.includes('SPECIAL-USE') || returned.has('SPECIAL-USE')),
    returnChildren: session.can('CHILDREN') && (isPlain || returned.has('CHILDREN')),
    statusItems,
  }
}

function writeRows(session: Session, request: ListRequest): void {
  const { user } = session
  const patterns = request.patterns.map(asPattern)
  const names = new Set([...user.mailboxes.map(({ path }) => path), ...user.containers])
  if (request.onlySubscribed) for (const path of user.subscriptions) names.add(path)
  for (const path of names) {
    if (!patterns.some((pattern) => pattern.test(path))) continue
    const mailbox = user.mailbox(path)
    if (request.onlySubscribed && !user.subscriptions.has(path)) continue
    if (request.onlySpecialUse && roleAttribute(mailbox?.role ?? null).length === 0) continue
    session.untagged(`LIST (${attributesOf(user, path, request).join(' ')}) "${DELIMITER}" ${mailboxName(path)}`)
    if (request.statusItems !== null && mailbox !== undefined) {
      session.untagged(statusLine(mailbox, request.statusItems))
    }
  }
}

function attributesOf(account: ModelAccount, path: string, request: ListRequest): string[] {
  const mailbox = account.mailbox(path)
  const hasChildren = account.hasChildren(path)
  const attributes: string[] = []
  if (request.returnSubscribed && account.subscriptions.has(path)) attributes.push('\\Subscribed')
  if (mailbox === undefined) attributes.push(hasChildren ? '\\Noselect' : '\\NonExistent')
  if (request.returnChildren) attributes.push(hasChildren ? '\\HasChildren' : '\\HasNoChildren')
  if (request.returnSpecialUse) attributes.push(...roleAttribute(mailbox?.role ?? null))
  return attributes
}

/** RFC 6154 §2; INBOX has none. */
function roleAttribute(role: MailboxRole | null): string[] {
  return role === null || role === 'inbox' ? [] : [`\\${role[0]?.toUpperCase()}${role.slice(1)}`]
}

/** `*` matches everything, `%` all but the delimiter. */
function asPattern(pattern: string): RegExp {
  const source = canonicalPath(pattern).replace(/[.+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${source.replace(/\*/g, '.*').replace(/%/g, `[^${DELIMITER}]*`)}$`, 's')
}

export const LIST_COMMANDS: CommandFamily = { plain: { LIST: list, LSUB: lsub } }
