/** What the server reported as gone. */

import { type Observation, UidSet } from '@tidemail/core'

export function vanishedIn(observations: readonly Observation[]): UidSet {
  return observations.reduce((all, item) => (item.kind === 'vanished' ? all.union(item.uids) : all), UidSet.EMPTY)
}
