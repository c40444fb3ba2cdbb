/** Tells which messages a change of flags leaves as they are, so that taking it back can leave them alone too. */

import { type Flag, hasFlag, type Uid, UidSet } from '@tidemail/core'
import type { UnalteredFlag } from './entry.ts'
import type { FlagOperation } from './operation.ts'

/** `rows` are the messages that are about to be changed, with the flags that the server is last known to have. */
export function unalteredBy(
  { add, remove }: Pick<FlagOperation, 'add' | 'remove'>,
  rows: readonly { readonly uid: Uid; readonly flags: readonly Flag[] }[],
): readonly UnalteredFlag[] {
  const where = (flag: Flag, has: boolean): UnalteredFlag => ({
    flag,
    uids: UidSet.from(rows.filter((row) => hasFlag(row.flags, flag) === has).map(({ uid }) => uid)),
  })
  return [...add.map((flag) => where(flag, true)), ...remove.map((flag) => where(flag, false))].filter(
    ({ uids }) => !uids.isEmpty,
  )
}
