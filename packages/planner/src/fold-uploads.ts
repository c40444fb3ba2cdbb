/** Folds what need not be sent: a draft that a later version replaces while it waits, and an upload that is removed while it waits. */

import { type EntrySeq, type LocalId, type Targets, UidSet } from '@tidemail/core'
import { type Entry, ownLocals, type Progress, replacedBy, stateOfLocal, transition, withProgress } from '@tidemail/replay-log'

/**
 * The entries that change, as they are afterwards; those of which nothing remains are settled. An upload is left out when it is queued and nobody copies or
 * moves it; what it was to replace is inherited by whatever takes its place (I-LOG-4).
 */
export function foldUploads(entries: readonly Entry[]): readonly Entry[] {
  const log = new Map(entries.map((entry) => [entry.seq, entry]))
  const makers = new Map(entries.flatMap(({ seq, operation }) => ownUpload(operation).map((local) => [local, seq] as const)))
  if (makers.size === 0) return []
  for (const { seq } of entries) {
    for (const local of waitingFor(log.get(seq))) {
      const later = log.get(seq)
      const upload = log.get(makers.get(local) ?? seq)
      if (later === undefined || upload === undefined || upload === later || !isFoldable(upload, local, log)) continue
      for (const changed of fold(upload, local, later, log)) log.set(changed.seq, changed)
    }
  }
  return entries.flatMap((entry) => {
    const after = log.get(entry.seq)
    return after === undefined || after === entry ? [] : [after]
  })
}

/** Locals of uploads; what is handed to a submission server is never left out. */
function ownUpload(operation: Entry['operation']): LocalId[] {
  return operation.kind === 'append' || operation.kind === 'draft' ? [operation.message.local] : []
}

/** Queued locals that the entry replaces or removes. */
function waitingFor(entry: Entry | undefined): LocalId[] {
  if (entry?.operation.kind !== 'draft' && entry?.operation.kind !== 'expunge') return []
  const own = ownLocals(entry.operation)
  const locals = entry.progress
    .filter(({ state }) => state === 'queued')
    .reduce((all, { targets }) => (targets.kind === 'local' ? all.union(targets.locals) : all), UidSet.EMPTY)
  return [...locals.difference(own).values()] as LocalId[]
}

function isFoldable(upload: Entry, local: LocalId, log: ReadonlyMap<EntrySeq, Entry>): boolean {
  if (stateOfLocal(upload, local) !== 'queued') return false
  return ![...log.values()].some(({ progress }) =>
    progress.some(({ targets, placed }) => targets.kind === 'local' && targets.locals.has(local) && placed.sources.has(local)),
  )
}

function fold(upload: Entry, local: LocalId, later: Entry, log: ReadonlyMap<EntrySeq, Entry>): Entry[] {
  const nothingSent = { kind: 'nothing-sent' as const }
  const settled = upload.progress.reduce(
    (rest, { targets }) => transition(rest, targets, { kind: 'superseded', evidence: nothingSent }).entry,
    upload,
  )
  return [settled, asHeir(heirOf(upload, local, later)), ...others(upload, local, later, log)]
}

/** A version that the user takes back, or gives up, while it waits: the one after it takes the place of the one before. Answers the entries that change. */
export function passOver(upload: Entry, entries: readonly Entry[]): readonly Entry[] {
  const [local] = ownUpload(upload.operation)
  if (local === undefined || !isWaiting(upload, local)) return []
  const log = new Map(entries.map((entry) => [entry.seq, entry]))
  const later = entries.find((entry) => entry.operation.kind === 'draft' && waitingFor(entry).includes(local))
  if (later === undefined) return []
  return [heirOf(upload, local, later), ...others(upload, local, later, log)]
}

/** What `upload` was to take the place of is for the later one to take the place of, or to remove. */
function heirOf(upload: Entry, local: LocalId, later: Entry): Entry {
  const mine = later.progress.flatMap(({ targets }): Targets[] =>
    targets.kind === 'local' && targets.locals.has(local) ? [{ ...targets, locals: UidSet.of(local) }] : [],
  )
  const inherited = replacedBy(upload).map((group): Progress => ({ ...group, state: 'queued', parkedFor: null }))
  return inherited.length === 0 ? withoutUpload(later, mine) : withInherited(later, mine, inherited)
}

/** Whether the message is not on its way, and waits for its turn or for the user. */
function isWaiting(upload: Entry, local: LocalId): boolean {
  return ['queued', 'parked'].includes(stateOfLocal(upload, local) ?? '')
}

/** Nothing but a later version holds what was written before: it cannot be taken back for free any more (I-STORE-2). */
function asHeir(entry: Entry): Entry {
  const { operation } = entry
  return operation.kind === 'draft' || operation.kind === 'expunge'
    ? { ...entry, operation: { ...operation, isHeir: true } }
    : entry
}

/** What was to be removed never came to be. */
function withoutUpload(later: Entry, upload: readonly Targets[]): Entry {
  const evidence = { kind: 'nothing-sent' as const }
  return upload.reduce((rest, targets) => transition(rest, targets, { kind: 'target-vanished', evidence }).entry, later)
}

/** The version before stands where the upload stood: one message still, with one outcome to come (H-1). */
function withInherited(later: Entry, upload: readonly Targets[], inherited: readonly Progress[]): Entry {
  const rest = upload.reduce((groups, targets) => groups.map((group) => without(group, targets)), later.progress)
  return withProgress(later, [...rest, ...inherited])
}

function without(group: Progress, upload: Targets): Progress {
  const { targets } = group
  if (targets.kind !== 'local' || upload.kind !== 'local') return group
  return { ...group, targets: { ...targets, locals: targets.locals.difference(upload.locals) } }
}

/** Other drafts that were to replace the same version replace the one that takes its place: the last one wins. */
function others(upload: Entry, local: LocalId, later: Entry, log: ReadonlyMap<EntrySeq, Entry>): Entry[] {
  const { operation } = later
  if (operation.kind !== 'draft') return []
  const successor: Targets = { kind: 'local', mailboxId: operation.to, locals: UidSet.of(operation.message.local) }
  return [...log.values()]
    .filter(({ seq, operation: { kind } }) => kind === 'draft' && seq > later.seq && seq !== upload.seq)
    .flatMap((entry) => {
      if (!waitingFor(entry).includes(local)) return []
      const progress = entry.progress.flatMap((group): Progress[] => {
        const { targets } = group
        if (targets.kind !== 'local' || !targets.locals.has(local)) return [group]
        const rest = { ...group, targets: { ...targets, locals: targets.locals.difference(UidSet.of(local)) } }
        return [rest, { ...group, targets: successor }]
      })
      return [withProgress(entry, progress)]
    })
}
