/** Carries out one step on the model, as a server would, and says what it answers. */

import {
  type AppendStep,
  assertNever,
  type CopyStep,
  type ExpungeAllStep,
  type ExpungeStep,
  type FetchBodyStep,
  type FetchStep,
  type MailboxIdentity,
  type MoveStep,
  type MutatingStep,
  modSeq,
  type Namespaces,
  type Observation,
  type OpenStep,
  type Rejection,
  type ReplaceStep,
  type Step,
  type StoreStep,
  UidSet,
  uid,
} from '@tidemail/core'
import type { ModelAccount, ModelCopied } from './model/account.ts'
import { changesFor } from './model/changes-for.ts'
import type { ModelMessage, Refusal } from './model/message.ts'
import { sectionBytes } from './model/mime/section.ts'
import { SelectedMailbox } from './model/selected-mailbox.ts'
import { carryOutOnMailbox } from './simulated-mailbox-steps.ts'
import { type Extensions, flagRow, identityOf, isSoughtBy, listRows, statusRow, summaryOf } from './simulated-observations.ts'

export interface Selection {
  readonly view: SelectedMailbox
  readonly identity: MailboxIdentity
}

export interface Scene {
  readonly account: ModelAccount
  readonly extensions: Extensions
  readonly namespaces: Namespaces
  readonly selection: Selection | null
  readonly onExecuted?: (executed: Executed) => void
}

/** A step that the server carried out, and the messages it changed, as they were before; of an append those it made. A replace is told as both. */
export interface Executed {
  readonly step: MutatingStep
  readonly messages: readonly ModelMessage[]
}

export interface StepAnswer {
  readonly observations: readonly Observation[]
  readonly rejection: Rejection | null
  /** What is selected afterwards. */
  readonly selection: Selection | null
}

/** `bytes` are the messages of an append, in order. */
export function carryOut(step: Step, scene: Scene, bytes: readonly Uint8Array[]): StepAnswer {
  switch (step.kind) {
    case 'list':
      return answer(scene, listRows(step, scene))
    case 'namespaces':
      return answer(scene, [{ kind: 'namespaces', ...scene.namespaces }])
    case 'status': {
      const mailbox = scene.account.mailbox(step.path)
      if (mailbox === undefined) return no(scene, null, `Mailbox doesn't exist: ${step.path}`)
      return answer(scene, [statusRow(mailbox, scene.extensions)])
    }
    case 'open':
      return open(step, scene)
    case 'leave':
      return { observations: [], rejection: null, selection: null }
    case 'search': {
      const { view, identity } = selected(scene)
      const found = view.messages(step.uids).filter(({ message }) => isSoughtBy(step, message))
      const uids = UidSet.from(found.map(({ message }) => message.uid))
      return answer(scene, [{ kind: 'uids', id: step.id, mailbox: identity, uids }])
    }
    case 'fetch':
      return fetch(step, scene)
    case 'fetch-body':
      return fetchBody(step, scene)
    case 'store':
      return store(step, scene)
    case 'copy':
      return copy(step, scene)
    case 'move':
      return move(step, scene)
    case 'expunge':
      return expunge(step, scene)
    case 'expunge-all':
      return expungeAll(step, scene)
    case 'append':
      return append(step, scene, bytes)
    case 'replace':
      return replace(step, scene, bytes)
    case 'create':
    case 'rename':
    case 'delete':
    case 'subscribe':
    case 'unsubscribe':
      return { observations: [], rejection: carryOutOnMailbox(step, scene.account), selection: scene.selection }
    default:
      return assertNever(step)
  }
}

function open(step: OpenStep, scene: Scene): StepAnswer {
  const { account, extensions } = scene
  const mailbox = account.mailbox(step.path)
  if (mailbox === undefined) return { ...no(scene, null, `Mailbox doesn't exist: ${step.path}`), selection: null }
  const view = new SelectedMailbox(mailbox, { isReadOnly: step.access === 'examine' })
  const identity = { ...identityOf(mailbox), path: step.path }
  const isResynced = extensions.has('QRESYNC') && step.known?.uidValidity === mailbox.uidValidity
  const observations: Observation[] = [
    {
      kind: 'opened',
      id: step.id,
      mailbox: identity,
      exists: view.count,
      uidNext: mailbox.uidNext,
      highestModSeq: extensions.has('CONDSTORE') ? modSeq(mailbox.highestModSeq) : null,
      permanentFlags: view.isReadOnly ? [] : [...mailbox.permanentFlags, ...mailbox.keywords],
      isReadOnly: view.isReadOnly,
      hasPersistentUids: true,
      objectId: extensions.has('OBJECTID') ? mailbox.objectId : null,
      isResynced,
    },
  ]
  const changes = isResynced && step.known !== undefined ? changesFor(view, step.known) : null
  if (changes !== null) {
    const { changed, vanished } = changes
    if (!vanished.isEmpty) observations.push({ kind: 'vanished', mailbox: identity, uids: vanished, isEarlier: true })
    for (const message of changed) observations.push(flagRow(identity, message, extensions))
  }
  return { observations, rejection: null, selection: { view, identity } }
}

function fetch(step: FetchStep, scene: Scene): StepAnswer {
  const { extensions } = scene
  const { view, identity } = selected(scene)
  const since = step.changedSince
  if (since !== undefined && !extensions.has('CONDSTORE')) return bad(scene, 'Unknown FETCH modifier CHANGEDSINCE')
  if (since?.vanished === true && !extensions.has('QRESYNC')) return bad(scene, 'Unknown FETCH modifier VANISHED')
  if (step.uids.isEmpty) return bad(scene, 'Invalid messageset')
  const observations: Observation[] = []
  if (since?.vanished === true) {
    const gone = view.mailbox.changesSince(since.modSeq).vanished.intersect(step.uids)
    if (!gone.isEmpty) observations.push({ kind: 'vanished', mailbox: identity, uids: gone, isEarlier: true })
  }
  for (const { message } of view.messages(step.uids)) {
    if (since !== undefined && message.modSeq <= since.modSeq) continue
    const row = flagRow(identity, message, extensions)
    if (step.items === 'flags') observations.push(row)
    else if (step.items === 'summary') {
      observations.push({ ...row, summary: summaryOf(message, { withParts: true, extensions }) })
    } else observations.push({ ...row, flags: null, modSeq: null, summary: summaryOf(message, { withParts: false, extensions }) })
    if (step.items !== 'identity') view.markTold(message)
  }
  return answer(scene, observations)
}

function fetchBody(step: FetchBodyStep, scene: Scene): StepAnswer {
  const { view, identity } = selected(scene)
  const observations = step.parts.flatMap(({ uid: number, section, range }): Observation[] => {
    const message = view.mailbox.get(number)
    if (message === undefined || view.sequenceOf(number) === 0) return []
    const whole = sectionBytes(message.bytes, section)
    const offset = range?.offset ?? 0
    const bytes = whole === null ? null : whole.slice(offset, range === undefined ? undefined : offset + range.lengthBytes)
    return [{ kind: 'body', id: step.id, mailbox: identity, uid: number, section, offset, bytes }]
  })
  return answer(scene, observations)
}

/** What changed is told with the news that follow; after .SILENT only MODSEQ is (RFC 7162 §3.1.3). */
function store(step: StoreStep, scene: Scene): StepAnswer {
  const { view, identity } = selected(scene)
  if (step.uids.isEmpty) return bad(scene, 'Invalid messageset')
  if (view.isReadOnly) return answer(scene, [])
  const visible = UidSet.from(view.messages(step.uids).map(({ message }) => message.uid))
  const wellKnown = view.wellKnown(visible)
  const { direction, flags, unchangedSince } = step
  const condition = unchangedSince === undefined ? {} : { unchangedSince }
  scene.onExecuted?.({ step, messages: view.mailbox.select(visible) })
  const { changed, modified } = view.mailbox.store(visible, { direction, flags, ...condition })
  view.silence(UidSet.from(changed.map((message) => message.uid)).intersect(wellKnown))
  return answer(scene, modified.isEmpty ? [] : [{ kind: 'modified', id: step.id, mailbox: identity, uids: modified }])
}

function copy(step: CopyStep, scene: Scene): StepAnswer {
  const { view } = selected(scene)
  if (step.uids.isEmpty) return bad(scene, 'Invalid messageset')
  const before = view.mailbox.select(step.uids)
  return copied(step, scene, scene.account.copy(view.mailbox, step.uids, step.target), before)
}

function move(step: MoveStep, scene: Scene): StepAnswer {
  const { view } = selected(scene)
  if (!scene.extensions.has('MOVE')) return bad(scene, 'Unknown command')
  if (step.uids.isEmpty) return bad(scene, 'Invalid messageset')
  if (view.isReadOnly) return no(scene, null, 'Mailbox is read-only')
  const before = view.mailbox.select(step.uids)
  return copied(step, scene, scene.account.move(view.mailbox, step.uids, step.target), before)
}

function copied(
  step: CopyStep | MoveStep,
  scene: Scene,
  result: ModelCopied | Refusal,
  before: readonly ModelMessage[],
): StepAnswer {
  if (result.kind === 'refused') return no(scene, result.code, result.text)
  const { sources } = result.pairs
  scene.onExecuted?.({ step, messages: before.filter((message) => sources.has(message.uid)) })
  const isTold = scene.extensions.has('UIDPLUS') && result.pairs.ranges.length > 0
  const observations: Observation[] = isTold
    ? [{ kind: 'copied', id: step.id, target: identityOf(result.target), pairs: result.pairs }]
    : []
  const { interruption } = result
  const rejection: Rejection | null =
    interruption === null ? null : { status: 'NO', code: interruption.code, text: interruption.text }
  return { observations, rejection, selection: scene.selection }
}

function expunge(step: ExpungeStep, scene: Scene): StepAnswer {
  const { view } = selected(scene)
  if (!scene.extensions.has('UIDPLUS')) return bad(scene, 'Unknown command')
  if (step.uids.isEmpty) return bad(scene, 'Invalid messageset')
  if (view.isReadOnly) return no(scene, null, 'Mailbox is read-only')
  const before = view.mailbox.select(step.uids)
  const gone = view.mailbox.expunge(step.uids)
  scene.onExecuted?.({ step, messages: before.filter((message) => gone.has(message.uid)) })
  return answer(scene, [])
}

/** Everything that is marked, whoever marked it. */
function expungeAll(step: ExpungeAllStep, scene: Scene): StepAnswer {
  const { view } = selected(scene)
  if (view.isReadOnly) return no(scene, null, 'Mailbox is read-only')
  const before = view.mailbox.messages
  const gone = view.mailbox.expunge()
  scene.onExecuted?.({ step, messages: before.filter((message) => gone.has(message.uid)) })
  return answer(scene, [])
}

function replace(step: ReplaceStep, scene: Scene, bytes: readonly Uint8Array[]): StepAnswer {
  const { view } = selected(scene)
  if (!scene.extensions.has('REPLACE')) return bad(scene, 'Unknown command')
  if (view.isReadOnly) return no(scene, null, 'Mailbox is read-only')
  const old = UidSet.of(step.uid)
  const before = view.mailbox.select(old)
  if (before.length !== 1) return no(scene, null, 'No such message')
  const appended = append({ ...step, kind: 'append', messages: [step.message] }, scene, bytes)
  if (appended.rejection !== null) return appended
  view.mailbox.remove(old)
  scene.onExecuted?.({ step, messages: before })
  return appended
}

function append(step: AppendStep, scene: Scene, bytes: readonly Uint8Array[]): StepAnswer {
  if (step.messages.length > 1 && !scene.extensions.has('MULTIAPPEND')) return bad(scene, 'Too many arguments')
  const messages = step.messages.map(({ flags, internalDate }, i) => ({
    flags,
    // INTERNALDATE travels in whole seconds.
    internalDate: Math.floor(internalDate / 1000) * 1000,
    bytes: bytes[i] ?? new Uint8Array(0),
  }))
  const result = scene.account.append(step.target, messages)
  if (result.kind === 'refused') return no(scene, result.code, result.text)
  scene.onExecuted?.({ step, messages: result.messages })
  if (!scene.extensions.has('UIDPLUS')) return answer(scene, [])
  const uids = result.messages.map((message) => uid(message.uid))
  return answer(scene, [{ kind: 'appended', id: step.id, target: identityOf(result.target), uids }])
}

function selected(scene: Scene): Selection {
  if (scene.selection === null) throw new Error('A step on messages came without a selected mailbox.')
  return scene.selection
}

function answer({ selection }: Scene, observations: readonly Observation[]): StepAnswer {
  return { observations, rejection: null, selection }
}

function no({ selection }: Scene, code: string | null, text: string): StepAnswer {
  return { observations: [], rejection: { status: 'NO', code, text }, selection }
}

function bad({ selection }: Scene, text: string): StepAnswer {
  return { observations: [], rejection: { status: 'BAD', code: null, text }, selection }
}
