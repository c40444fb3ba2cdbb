/** Keeps the parts that the app has asked for, and fetches them when the connection is free: between two runs of a pass, or at once. */

import { type MessageReference, type MessageStore, type PartOnServer, SyncError, UidSet } from '@tidemail/core'
import { PART_BYTES_MAX } from '@tidemail/planner'
import { asSyncError } from './as-sync-error.ts'
import { fetchParts } from './fetch-parts.ts'
import { type LinkOptions, linkParts } from './link-parts.ts'
import type { Work } from './work.ts'

/** Runs for one part: more than the largest has; it ends a loop that a server could cause. */
const PART_RUNS_MAX = 1_000

export interface PartRequest {
  readonly reference: MessageReference
  readonly section: string
  readonly signal?: AbortSignal
}

interface Waiting extends PartRequest {
  readonly resolve: (bytes: Uint8Array) => void
  readonly reject: (error: SyncError) => void
}

export class PartRequests {
  #waiting: Waiting[] = []

  get isEmpty(): boolean {
    return this.#waiting.length === 0
  }

  /** Resolves when the part is held. */
  add(request: PartRequest): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { ...request, resolve, reject }
      this.#waiting.push(waiting)
      request.signal?.addEventListener('abort', () => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting)
        reject(aborted())
      })
    })
  }

  /** Answers what can be answered without the server. */
  async serveFromStore(options: LinkOptions): Promise<void> {
    for (const waiting of [...this.#waiting]) {
      await this.#answer(waiting, () => heldPart(options, waiting))
    }
  }

  /** Answers all that wait, in turn. */
  async serve(work: Work): Promise<void> {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const waiting = next
      await this.#answer(waiting, async () => (await heldPart(work.options, waiting)) ?? fetchedPart(work, waiting))
    }
  }

  fail(error: SyncError): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }

  /** Null leaves the request waiting. */
  async #answer(waiting: Waiting, find: () => Promise<Uint8Array | null>): Promise<void> {
    try {
      const bytes = await find()
      if (bytes === null) return
      waiting.resolve(bytes)
    } catch (error) {
      waiting.reject(asSyncError(error))
    }
    this.#waiting = this.#waiting.filter((other) => other !== waiting)
  }
}

/** The part where it is held, under this message or another of the same content. @throws SyncError when it cannot be had at all */
async function heldPart(options: LinkOptions, request: PartRequest): Promise<Uint8Array | null> {
  const { view } = options.store
  const held = await view.part(request.reference, request.section)
  if (held !== null) return held
  const { mailboxId: id, box, uid } = await placeOf(options.store, request)
  const isLinked = await linkParts(options, { id, box, path: 'the mailbox' }, UidSet.of(uid))
  return isLinked ? await view.part(request.reference, request.section) : null
}

/** @throws SyncError `input.unknown-message`, `input.unknown-part`, `input.part-too-large` */
export async function placeOf(
  { view }: MessageStore,
  { reference, section }: PartRequest,
): Promise<PartOnServer & { readonly sizeBytes: number }> {
  const place = await view.partOnServer(reference, section)
  if (place === null) {
    const isHere = (await view.message(reference)) !== null
    throw isHere ? unknownPart() : new SyncError('input.unknown-message', 'The message is not in the store any more.')
  }
  const { sizeBytes } = place
  if (sizeBytes === null) throw unknownPart()
  if (sizeBytes > PART_BYTES_MAX) {
    throw new SyncError('input.part-too-large', `A part of more than ${PART_BYTES_MAX} octets is not taken in.`)
  }
  return { ...place, sizeBytes }
}

/** @throws SyncError as {@link placeOf}, `remote.not-there`, and what ended the connection */
async function fetchedPart(work: Work, request: PartRequest): Promise<Uint8Array> {
  const { store } = work.options
  for (let runs = 0; runs < PART_RUNS_MAX; runs += 1) {
    if (request.signal?.aborted === true) throw aborted()
    const { mailboxId, uid, sizeBytes, heldBytes } = await placeOf(store, request)
    const mailbox = work.mailboxes.get(mailboxId)
    if (mailbox === undefined) throw notThere()
    const missing = [{ uid, section: request.section, sizeBytes, heldBytes }]
    const { kept } = await fetchParts(work, mailbox, { missing, reason: 'the app has asked for this part' })
    const bytes = await store.view.part(request.reference, request.section)
    if (bytes !== null) return bytes
    if (kept.size === 0) throw notThere()
  }
  throw notThere()
}

function unknownPart(): SyncError {
  return new SyncError('input.unknown-part', 'The message has no such part.', {
    hint: 'Its parts are those that it is shown with; the empty name is the whole message.',
  })
}

function notThere(): SyncError {
  return new SyncError('remote.not-there', 'The server does not give the part: the message may have gone.', {
    scope: 'operation',
    hint: 'Synchronise, and look at the message again.',
  })
}

function aborted(): SyncError {
  return new SyncError('engine.aborted', 'The part was not waited for.', { scope: 'operation' })
}
