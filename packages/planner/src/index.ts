export { underCurrentNames } from './claims-by-name.ts'
export { isGone, isPassing } from './classify-rejection.ts'
export { concludeProbe, type ProbeFindings } from './conclude-probe.ts'
export { entryWrites } from './entry-writes.ts'
export { foldUploads, passOver } from './fold-uploads.ts'
export {
  backfilled,
  planEviction,
  planReturn,
  planWindow,
  planWindowSearch,
  type WindowPlan,
  type WindowQuestion,
  windowOfDays,
} from './held-window.ts'
export { Ledger } from './ledger.ts'
export { deletionsBehind } from './mailbox-order.ts'
export { asksBefore, massExpunges } from './mass-delete.ts'
export { marksLeftBy } from './own-marks.ts'
export {
  type Conditions,
  DEFAULT_CONDITIONS,
  limitsUnder,
  PARTS_ROUNDS,
  type PartsRound,
  partsKey,
  partsKeysAtLeast,
  partsWanted,
} from './parts-policy.ts'
export {
  namespacesLearnt,
  planAccount,
  planList,
  planStatus,
  planVisits,
  statusesSeen,
  type Visit,
  withNamespace,
} from './plan-account.ts'
export { AUDIT_CHUNK_MESSAGES, type AuditListPlan, planAuditList, planAuditRows, sampleOf } from './plan-audit.ts'
export { planFill, takeFill } from './plan-fill.ts'
export { type ForwardPlan, type ForwardRequest, planForward, planVerification } from './plan-forward.ts'
export { type MailboxPlan, mailboxStepsAhead, planMailboxOperations } from './plan-mailbox-operations.ts'
export { PART_BYTES_MAX, PART_PIECE_BYTES, type PartWrite, planParts, planStillThere, takeParts } from './plan-parts.ts'
export {
  GHOST_QUIET_MS_MAX,
  isFromTheFuture,
  isRepeatable,
  LISTING_LAG_MS_MAX,
  needsSecondLook,
  type Probe,
  planProbe,
  planRestore,
  type RecoveryTimes,
  recoverableFrom,
} from './plan-recovery.ts'
export { planRelink, RELINK_CHUNK_MESSAGES, settleRelink } from './plan-relink.ts'
export { type AccountSeen, planIdentityLook, planRenames, type Rename, type RenamePlan } from './plan-renames.ts'
export {
  awaitsMailbox,
  flagsWanted,
  identitiesWanted,
  lanesWithWork,
  planLanes,
  planMarkedLook,
  planReplay,
} from './plan-replay.ts'
export { checkPolicy, DEFAULT_POLICY, type Hold, type MailboxPolicy, type PartsLimits, type Policy, policyOf } from './policy.ts'
export type { Batch, BatchContext, Lane, ReplayState } from './replay-state.ts'
export { isAtOrBelow, mailboxesWithOpenClaims, restingPaths } from './resting-mailboxes.ts'
export {
  DISTRUST_LIFE_MS,
  distrustedBy,
  expungesOf,
  limitedTo,
  seenForgetting,
  trustedServer,
  withLivingLimit,
} from './server-trust.ts'
export { settleBatch, settleMoot } from './settle-batch.ts'
export { settleListed } from './settle-listed.ts'
export { settleMailboxClaim, settleMootOperations } from './settle-mailbox-operations.ts'
export { settleLateEvidence, settleVerdicts } from './settle-verdicts.ts'
export { type StepNamer, stepNamer } from './step-ids.ts'
export { claimSubmission, type DueSubmission, dueSubmissions, settleLostSubmission, settleSubmission } from './submissions.ts'
export {
  type AuditDifferences,
  caughtBy,
  compareRows,
  compareUids,
  confirmed,
  differing,
  joined,
  NO_DIFFERENCES,
  repairOf,
  takeAuditList,
} from './take-audit.ts'
export { type ForwardNews, type ForwardResult, type HeldFlags, takeForward } from './take-forward.ts'
export { tellsName, tellsNews } from './tells-news.ts'
export { type Distrust, tierOf } from './trust-checks.ts'
export { undecidedOf } from './undecided-claim.ts'
