/** A process of the campaign: does the chores it is sent, and answers with what came of them. */

import { type Chore, doChore } from './campaign.ts'

process.on('message', (chore: Chore) => {
  void doChore(chore).then((result) => process.send?.(result))
})
