/** The situations that Trojitá's tests name (tests/Imap/test_Imap_Tasks_ObtainSynchronizedMailbox), and where each is met here. */

/** Scenarios of the matrix; a test of that title; or why there is nothing to meet. */
export type WhereMet =
  | { readonly scenarios: readonly string[] }
  | { readonly test: string; readonly title: string }
  | { readonly reason: string }

const as = (...scenarios: readonly string[]): WhereMet => ({ scenarios })
const by = (test: string, title: string): WhereMet => ({ test, title })

const ADAPTER = 'test/wire/imap-session.test.ts'
const ODD = 'test/wire/imap-odd-answers.test.ts'
const LIARS = 'test/wire/lying-servers.test.ts'
const FORWARD = 'packages/planner/src/plan-forward.test.ts'
const VISITS = 'packages/planner/src/plan-account.test.ts'

const AGAIN = 'a mailbox is made again under the name it had'
const ONE_COUNT =
  'The number of messages is never kept beside the set of their UIDs: what is held cannot contradict itself, and the set is held against EXISTS.'

export const TROJITA_CASES: Readonly<Record<string, WhereMet>> = {
  SyncEmptyMinimal: by(ADAPTER, 'rejects a mailbox without UIDVALIDITY'),
  SyncEmptyMinimalNonEmpty: by(ADAPTER, 'rejects a mailbox without UIDVALIDITY'),
  SyncEmptyNormal: as('an empty account stays empty'),
  SyncWithMessages: as('nothing happened'),
  SyncTwoLikeCyrus: as('new messages in several mailboxes'),
  SyncTwoInParallel: as('one mailbox is synchronised, and then all', 'new messages in several mailboxes'),
  SyncNoUidnext: as('UIDNEXT is told no more'),
  ResyncNoArrivals: as('nothing happened'),
  ResyncOneNew: as('new messages at each of several looks'),
  ResyncUidValidity: as(AGAIN),
  DecreasedUidNext: as('UIDNEXT goes back under the same UIDVALIDITY, as from a backup'),
  MisingUidNextSame: as('UIDNEXT is told no more'),
  MisingUidNextMore: as('UIDNEXT is told no more'),
  MisingUidNextLess: as('UIDNEXT is told no more'),
  ReloadReadsFromCache: as('the app is started again between two looks'),
  CacheNoChange: as('an empty account stays empty', 'the app is started again between two looks'),
  CacheUidValidity: as('a mailbox with bodies is made again'),
  CacheArrivals: as('one message more'),
  CacheArrivalRaceDuringUid: as('a message comes while the new ones are asked for'),
  CacheArrivalRaceDuringUid_ESearch: as('a message comes while the new ones are asked for'),
  CacheArrivalRaceDuringUid2: as('a message comes while the answer about the new ones is on its way'),
  CacheArrivalRaceDuringFlags: as(
    'a message comes while the flags are asked for',
    'a message comes while the answer about the flags is on its way',
  ),
  CacheExpunges: as('one in the middle goes'),
  CacheExpunges_ESearch: as('one in the middle goes'),
  CacheExpungesDuringUid: as('a message went, and another goes while it is asked which are there'),
  CacheExpungesDuringUid2: as('a message went, and another goes when it was told which are there'),
  CacheExpungesDuringSelect: as(
    'a message went, and another goes before the mailbox is opened',
    'a message went, and another goes while the mailbox is opened',
  ),
  CacheExpungesDuringFlags: as('a message went, and one whose flags changed goes while flags are asked for'),
  CacheArrivalsImmediatelyDeleted: as('a new message is gone again before its UID is asked for'),
  CacheArrivalsOldDeleted: as('an old message goes while the new one is asked for'),
  CacheArrivalsThenDynamic: as('several came, and much happens at every moment of the look'),
  CacheDeletionsThenDynamic: as('half of them went, and much happens at every moment of the look'),
  CondstoreNoChanges: as('nothing happened'),
  CondstoreChangedFlags: as('one flag is set'),
  CondstoreErrorExists: by(VISITS, 'messages came and it stood still, without QRESYNC'),
  CondstoreErrorUidNext: as('a message comes and goes between two looks: UIDNEXT moved and nothing is new'),
  CondstoreUidValidity: as(AGAIN),
  CondstoreDecreasedHighestModSeq: by(LIARS, 'goes back with every change'),
  CacheDiscrepancyExistsUidsConstantHMS: { reason: ONE_COUNT },
  CacheDiscrepancyExistsUidsDifferentHMS: { reason: ONE_COUNT },
  CondstoreQresyncNomodseqHighestmodseq: by(LIARS, 'is told by STATUS, and NOMODSEQ by SELECT'),
  QresyncNoChanges: as('nothing happened'),
  QresyncChangedFlags: as('one flag is set'),
  QresyncVanishedEarlier: as('several go from everywhere'),
  QresyncUidValidity: as(AGAIN),
  QresyncNoModseqChangedFlags: by(LIARS, 'is missing, with NOMODSEQ'),
  QresyncErrorExists: by(VISITS, 'messages came and it stood still'),
  QresyncErrorUidNext: as('a message comes and goes between two looks: UIDNEXT moved and nothing is new'),
  QresyncUnreportedNewArrivals: by(FORWARD, 'asks for one SELECT and one FETCH when messages came'),
  QresyncReportedNewArrivals: by(FORWARD, 'believes VANISHED when what is left, and what is new, is as many as EXISTS'),
  QresyncDeletionsNewArrivals: as('as many go as come: EXISTS is equal and the UIDs are others'),
  QresyncSpuriousVanishedEarlier: as('a message comes and goes in an empty mailbox'),
  QresyncAfterEmpty: as('the first message comes to an empty mailbox'),
  QresyncExtraEnabled: by(ODD, "['ENABLED', '* ENABLED QRESYNC']"),
  QresyncNoClosed: by('test/wire/imap-hostile.test.ts', 'where the server says no CLOSED'),
  NoQresyncOutOfBounds: by('test/wire/imap-hostile.test.ts', 'where the server says no CLOSED'),
  QresyncClosedHandover: by(ADAPTER, 'gives what came before CLOSED to the mailbox that was open'),
  NoClosedRouting: as('new messages in several mailboxes'),
  UnselectClosed: by(VISITS, 'leaves an open mailbox before it asks for its state'),
  SpuriousSearch: by(ODD, "['SEARCH', '* SEARCH 1 2 3']"),
  SpuriousESearch: by(ODD, `['ESEARCH of an empty tag', '* ESEARCH (TAG "") UID']`),
  OfflineOpening: by('test/sim/parts.test.ts', 'is fetched, kept, and not fetched again, also offline'),
  QresyncEnabling: by(ADAPTER, 'says LOGIN and ENABLE and nothing else'),
  SelectRetryNoBad: by(LIARS, 'a server that refuses to open a mailbox, and does later'),
  DanglingSelect: by(
    'test/sim/engine-lifecycle.test.ts',
    'ends a synchronisation under way with engine.closed, and the next engine finishes it',
  ),
  Uid0: by(ODD, "['a row of UID 0', '* 1 FETCH (UID 0 FLAGS ())']"),
  FlagReSyncBenchmark: by('test/e2e/resync-counts.test.ts', 'opens the 10 of 50 mailboxes that changed'),
}
