/** All that can have happened between two looks at an account, one scenario a name; each ends with store and server equal. */

import { MAILBOX_SCENARIOS } from './mailbox-scenarios.ts'
import { MESSAGE_SCENARIOS } from './message-scenarios.ts'
import { RACE_SCENARIOS } from './race-scenarios.ts'
import type { ResyncScenario } from './resync-scenario.ts'
import { SHARED_WORK_SCENARIOS } from './shared-work-scenarios.ts'

export const RESYNC_SCENARIOS: readonly ResyncScenario[] = [
  ...MESSAGE_SCENARIOS,
  ...MAILBOX_SCENARIOS,
  ...RACE_SCENARIOS,
  ...SHARED_WORK_SCENARIOS,
]
