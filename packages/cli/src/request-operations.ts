/** Gets operations accepted: on the store itself, or by the process that owns it. */

import { type MessageStore, SyncError } from '@tidemail/core'
import { acceptRequest } from './accept-request.ts'
import { connectOwner } from './hand-over.ts'
import { offline, openStore, useAccount } from './open-account.ts'
import type { AcceptedOperation, OperationRequest } from './operation-request.ts'
import { readSetup, type Setup } from './setup.ts'
import type { VerbContext } from './verb.ts'

/** Accepts the requests one after another, and prints each. @throws SyncError `input.*`, `store.*` */
export async function requestOperations(
  context: VerbContext,
  requests: Iterable<OperationRequest> | AsyncIterable<OperationRequest>,
): Promise<void> {
  const setup = await readSetup(context)
  const accepted: number[] = []
  await withAcceptor(setup, context, async (accept) => {
    for await (const request of requests) {
      for (const { seq, description } of await accept(request)) {
        accepted.push(seq)
        await context.printer.print({ kind: 'operation', seq, description }, `#${seq} ${description}`)
      }
    }
  })
  await context.printer.print({ kind: 'result', accepted }, null)
}

type Acceptor = (request: OperationRequest) => Promise<readonly AcceptedOperation[]>

async function withAcceptor(setup: Setup, context: VerbContext, use: (accept: Acceptor) => Promise<void>): Promise<void> {
  const { directory, options } = setup
  let store: MessageStore
  try {
    store = await openStore(directory, 'existing', context.signal)
  } catch (error) {
    const owner = error instanceof SyncError && error.code === 'store.in-use' ? await connectOwner(directory) : null
    if (owner === null) throw error
    try {
      return await use((request) => owner.accept(request))
    } finally {
      owner.close()
    }
  }
  await useAccount(store, offline(options), (account) => use((request) => acceptRequest(account, request)))
}
