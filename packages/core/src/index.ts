export * from './abort-signal.ts'
export * from './change.ts'
export * from './clock.ts'
export { describeStep } from './describe-step.ts'
export * from './errors.ts'
export * from './flags.ts'
export { type FoldedMailbox, foldMailboxes, type MailboxFace, renamedPath } from './fold-mailboxes.ts'
export type { LocalPlace, MailboxOverlay, PlacedMessage } from './fold-view.ts'
export { foldView, placeOfLocal } from './fold-view.ts'
export { followEffects, followReference } from './follow-effects.ts'
export * from './forwarded-names.ts'
export * from './held-window.ts'
export * from './ids.ts'
export * from './merge-news.ts'
export * from './message.ts'
export * from './message-store.ts'
export {
  type MailboxNamespace,
  type NamespacePlace,
  type Namespaces,
  NO_NAMESPACES,
  namespaceOf,
  personalPath,
} from './namespaces.ts'
export * from './observation.ts'
export * from './records.ts'
export * from './remote.ts'
export * from './server-profile.ts'
export * from './step.ts'
export * from './submitter.ts'
export * from './target-groups.ts'
export * from './uid-pairs.ts'
export * from './uid-set.ts'
export * from './view-effect.ts'
