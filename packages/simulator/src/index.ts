export { type CampaignOptions, type CampaignResult, type Failure, runCampaign } from './campaign.ts'
export { Coverage, type CoverageTable, type LogState } from './coverage.ts'
export { type ContentForm, messageIdIn, type NormalForm, serverContent, serverForm, storeForm, viewContent } from './equality.ts'
export { FAULT_NAMES, type FaultName } from './faults.ts'
export { type Finding, TOLERATED } from './finding.ts'
export {
  type Circumstances,
  describeEvent,
  type History,
  type HistoryEvent,
  type Interruption,
  type Kill,
  type KillMoment,
  type PlannedFault,
  type RivalEvent,
  type SyncEvent,
  TIERS,
  type UserEvent,
  type WaitEvent,
} from './history.ts'
export { type Played, playHistory } from './play-history.ts'
export { RIVAL_ACTS, type RivalActName } from './rival-acts.ts'
export { shrinkHistory } from './shrink.ts'
export { type SweepFailure, type SweepOptions, type SweptScenario, sweepScenario } from './sweep.ts'
export { SWEEP_SCENARIOS } from './sweep-scenarios.ts'
export { USER_ACTS, type UserActName } from './user-acts.ts'
export { SeededRandom, VirtualClock } from './virtual-time.ts'
export { quietSync, writeHistory } from './write-history.ts'
