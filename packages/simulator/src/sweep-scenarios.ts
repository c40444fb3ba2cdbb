/** The scenarios of the crash sweep, one line each: what is on the server, what the user does, what another client does meanwhile. */

/**
 * `box` fills a mailbox before the store is synchronised (`a+seen` has a flag); `user` and `rival` act in the order of the line; `sync` synchronises in
 * between; at the end of each line everything is synchronised.
 */
export const SWEEP_SCENARIOS: readonly string[] = [
  'box INBOX: a,b,c | user: flag a +seen; move b Archive; append d INBOX | rival: expunge c; flag a +flagged',
  'box INBOX: a,b,c | user: flag a,b,c +seen',
  'box INBOX: a+seen,b+seen | user: flag a -seen; flag b -seen +flagged; flag a +seen',
  'box INBOX: a,b | user: move a,b Archive',
  'box INBOX: a,b | user: copy a,b Archive',
  'box INBOX: a,b,c | user: expunge a,c',
  'box INBOX: a | user: append b INBOX; append c Archive; append d INBOX',
  'box INBOX: a | user: append b Archive; flag b +seen; move b Work',
  'box INBOX: a,b | user: move a Archive; move a Work',
  'box INBOX: a,b | user: copy a Archive; copy a Work; expunge a',
  'box INBOX: a | user: copy a Archive; flag a +flagged; move a Work',
  'box INBOX: a,b | box Archive: c | user: move a Archive; move c INBOX; flag b +answered',
  'box INBOX: a,b,c,d | user: flag a,b +seen; expunge b; move c Archive; copy d Archive',
  'box INBOX: a | user: flag a +seen; undo; flag a +flagged',
  'box INBOX: a,b | user: move a Archive; undo; move b Archive',
  'box INBOX: a,b | user: append c INBOX; undo; flag a +seen',
  'box INBOX: a,b | user: flag a +seen | rival: expunge a',
  'box INBOX: a,b | user: move a Archive | rival: move a Work',
  'box INBOX: a,b | user: move a Archive | rival: expunge a; append c INBOX',
  'box INBOX: a,b | user: expunge a | rival: flag a +flagged',
  'box INBOX: a,b | user: flag a +seen | rival: flag a +seen; flag b +flagged',
  'box INBOX: a+seen | user: flag a -seen | rival: flag a +flagged',
  'box INBOX: a,b,c | rival: expunge b; append d INBOX; flag a +seen',
  'box INBOX: a,b | rival: move a Archive; append c Archive',
  'box INBOX: a,b | rival: bump INBOX',
  'box INBOX: a,b | box Archive: c | user: flag c +seen; append d Archive | rival: bump INBOX',
  'box INBOX: a,b | rival: create Extra; append c Extra | sync | user: move a Extra; flag c +seen',
  'box INBOX: a,b | box Extra: c | rival: delete Extra | user: flag a +seen',
  'box INBOX: a,b | rival: expunge a; forget INBOX; append c INBOX',
  'box INBOX: a,b,c,d,e,f | user: flag a,c,e +seen; flag b,d,f +flagged; move a,b Archive; move e,f Work',
  'box INBOX: a | user: append b INBOX | sync | user: flag b +seen; move b Archive | sync | user: move b INBOX',
  'box INBOX: a,b | user: copy a Archive | sync | user: flag a +seen; expunge b | rival: append c INBOX',
  'box INBOX: a | user: append b INBOX; append b INBOX',
]
