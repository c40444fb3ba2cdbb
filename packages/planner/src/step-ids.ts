/** Names the steps of one plan: short, unique in the plan, and readable in a printed plan. */

import type { StepId } from '@tidemail/core'

/** Gives `open-1`, `fetch-2`, ... One namer serves one plan. */
export type StepNamer = (kind: string) => StepId

export function stepNamer(): StepNamer {
  let count = 0
  return (kind) => {
    count += 1
    return `${kind}-${count}`
  }
}
