/** NAMESPACE: where the mailboxes of the user, of others and shared ones are (RFC 2342, RFC 9051 §6.3.10). */

import type { NamespacePlace } from '@tidemail/core'
import type { NamespaceRow } from '../namespace-row.ts'
import { decodeUtf8 } from '../scanner.ts'
import type { Exchange, StepContext } from './exchange.ts'

export function namespacesExchanges(context: StepContext): readonly Exchange[] {
  let isTold = false
  return [
    {
      parts: ['NAMESPACE'],
      take: (response, tell) => {
        if (response.kind !== 'namespace' || isTold) return false
        isTold = true
        const placesOf = (rows: readonly NamespaceRow[]): readonly NamespacePlace[] => rows.map((row) => placeOf(row, context))
        const { personal, otherUsers, shared } = response
        tell({
          kind: 'namespaces',
          personal: placesOf(personal),
          otherUsers: placesOf(otherUsers),
          shared: placesOf(shared),
        })
        return true
      },
    },
  ]
}

function placeOf({ prefix, delimiter }: NamespaceRow, context: StepContext): NamespacePlace {
  return { prefix: context.pathOf(prefix), delimiter: delimiter === null ? null : decodeUtf8(delimiter) }
}
