/** Keeps what a server has told of the messages of an account, over all its recorded sessions: UIDs, sizes, and the bodies it gave. */

import { UidPairs, UidSet } from '@tidemail/core'

/** The messages of one mailbox under one UIDVALIDITY. */
class GivenMailbox {
  readonly #uids = new Set<number>()
  #set: UidSet = UidSet.EMPTY
  readonly sized = new Set<number>()
  /** Sections whose octets came, by UID. */
  readonly sections = new Map<number, Set<string>>()

  add(uids: UidSet): void {
    this.#set = this.#set.union(uids)
  }

  addOne(uid: number): void {
    this.#uids.add(uid)
  }

  has(uid: number): boolean {
    return this.#uids.has(uid) || this.#set.has(uid)
  }

  take(other: GivenMailbox): void {
    for (const uid of other.#uids) this.#uids.add(uid)
    this.#set = this.#set.union(other.#set)
    for (const uid of other.sized) this.sized.add(uid)
    for (const [uid, sections] of other.sections) this.sections.set(uid, sections)
  }
}

/** A mailbox that others renamed: no session of ours shows it. */
export interface RenamedElsewhere {
  readonly from: string
  readonly to: string
}

export class GivenUids {
  /** Extensions that the server advertised and did not understand: what a client does without from then on, in later sessions too (FIELD-5). */
  readonly notUnderstood = new Set<string>()
  /** By path and UIDVALIDITY. */
  readonly #mailboxes = new Map<string, GivenMailbox>()
  readonly #renamed: readonly RenamedElsewhere[]

  constructor(renamed: readonly RenamedElsewhere[] = []) {
    this.#renamed = renamed
  }

  of(path: string, uidValidity: number): GivenMailbox {
    const key = `${uidValidity} ${path}`
    const known = this.#mailboxes.get(key)
    if (known !== undefined) return known
    const mailbox = new GivenMailbox()
    this.#mailboxes.set(key, mailbox)
    for (const { from } of this.#renamed.filter(({ to }) => to === path)) {
      const former = this.#mailboxes.get(`${uidValidity} ${from}`)
      if (former !== undefined) mailbox.take(former)
    }
    return mailbox
  }

  /** COPYUID: what was copied is as well known as its original. */
  copy(source: { readonly path: string; readonly uidValidity: number } | null, path: string, args: string): void {
    const [validity = '', from = '', to = ''] = args.split(' ')
    const pairs = pairsOf(from, to)
    if (pairs === null) return
    const target = this.of(path, Number(validity))
    target.add(pairs.destinations)
    for (const uid of pairs.destinations.values()) target.sized.add(uid)
    if (source === null) return
    const held = this.of(source.path, source.uidValidity).sections
    for (const uid of pairs.sources.values()) {
      const [sections, destination] = [held.get(uid), pairs.get(uid)]
      if (sections !== undefined && destination !== undefined) target.sections.set(destination, new Set(sections))
    }
  }

  /** APPENDUID: the size of what we sent is known. */
  append(path: string, args: string): void {
    const [validity = '', set = ''] = args.split(' ')
    const uids = setOf(set)
    if (uids === null) return
    const target = this.of(path, Number(validity))
    target.add(uids)
    for (const uid of uids.values()) target.sized.add(uid)
  }

  /** RENAME keeps UIDVALIDITY and UIDs, and takes along what is below. */
  rename(from: string, to: string): void {
    for (const [key, mailbox] of [...this.#mailboxes]) {
      const [validity = '', path = ''] = splitOnce(key)
      if (path !== from && !path.startsWith(from)) continue
      this.of(to + path.slice(from.length), Number(validity)).take(mailbox)
    }
  }
}

/** Null for what is no set of UIDs. */
export function setOf(text: string): UidSet | null {
  try {
    return UidSet.parse(text)
  } catch {
    return null
  }
}

function pairsOf(from: string, to: string): UidPairs | null {
  try {
    return UidPairs.fromCopyUid(from, to)
  } catch {
    return null
  }
}

function splitOnce(key: string): readonly string[] {
  const at = key.indexOf(' ')
  return [key.slice(0, at), key.slice(at + 1)]
}
