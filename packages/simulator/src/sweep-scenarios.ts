/** The scenarios of the crash sweep, a line a side, and how each ends. */

/**
 * The first column of `server` is what its mailboxes hold before the store is synchronised (`a+seen` has a flag); Archive and Work are always there.
 * Each further column is a round: what the user does, what another client does on the server meanwhile; then everything is synchronised.
 * `end` is what both sides hold then, and why entries are parked.
 */
const SCENARIOS = `
server INBOX: a,b,c | expunge c; flag a +flagged
user                | flag a +seen; move b Archive; append d INBOX
end    INBOX: a+flagged+seen,d; Archive: b

server INBOX: a,b,c
user                | flag a,b,c +seen
end    INBOX: a+seen,b+seen,c+seen

server INBOX: a+seen,b+seen
user                        | flag a -seen; flag b -seen +flagged; flag a +seen
end    INBOX: a+seen,b+flagged

server INBOX: a,b
user              | move a,b Archive
end    INBOX:; Archive: a,b

server INBOX: a,b
user              | copy a,b Archive
end    INBOX: a,b; Archive: a,b

server INBOX: a,b,c
user                | expunge a,c
end    INBOX: b

server INBOX: a
user            | append b INBOX; append c Archive; append d INBOX
end    INBOX: a,b,d; Archive: c

server INBOX: a
user            | append b Archive; flag b +seen; move b Work
end    INBOX: a; Work: b+seen

server INBOX: a,b
user              | move a Archive; move a Work
end    INBOX: b; Work: a

server INBOX: a,b
user              | copy a Archive; copy a Work; expunge a
end    INBOX: b; Archive: a; Work: a

server INBOX: a
user            | copy a Archive; flag a +flagged; move a Work
end    INBOX:; Archive: a; Work: a+flagged

server INBOX: a,b; Archive: c
user                          | move a Archive; move c INBOX; flag b +answered
end    INBOX: b+answered,c; Archive: a

server INBOX: a,b,c,d
user                  | flag a,b +seen; expunge b; move c Archive; copy d Archive
end    INBOX: a+seen,d; Archive: c,d

server INBOX: a
user            | flag a +seen; undo; flag a +flagged
end    INBOX: a+flagged

server INBOX: a,b
user              | move a Archive; undo; move b Archive
end    INBOX: a; Archive: b

server INBOX: a,b
user              | append c INBOX; undo; flag a +seen
end    INBOX: a+seen,b

server INBOX: a,b | expunge a
user              | flag a +seen
end    INBOX: b

server INBOX: a,b | move a Work
user              | move a Archive
end    INBOX: b; Work: a

server INBOX: a,b | expunge a; append c INBOX
user              | move a Archive
end    INBOX: b,c

server INBOX: a,b | flag a +flagged
user              | expunge a
end    INBOX: b

server INBOX: a,b | flag a +seen; flag b +flagged
user              | flag a +seen
end    INBOX: a+seen,b+flagged

server INBOX: a+seen | flag a +flagged
user                 | flag a -seen
end    INBOX: a+flagged

server INBOX: a,b,c | expunge b; append d INBOX; flag a +seen
user                |
end    INBOX: a+seen,c,d

server INBOX: a,b | move a Archive; append c Archive
user              |
end    INBOX: b; Archive: a,c

server INBOX: a,b | bump INBOX
user              |
end    INBOX: a,b

server INBOX: a,b; Archive: c | bump INBOX
user                          | flag c +seen; append d Archive
end    INBOX: a,b; Archive: c+seen,d

server INBOX: a,b | create Extra; append c Extra
user              |                              | move a Extra; flag c +seen
end    INBOX: b; Extra: a,c+seen

server INBOX: a,b; Extra: c | delete Extra
user                        | flag a +seen
end    INBOX: a+seen,b

server INBOX: a,b | expunge a; forget INBOX; append c INBOX
user              |
end    INBOX: b,c

server INBOX: a,b,c,d,e,f
user                      | flag a,c,e +seen; flag b,d,f +flagged; move a,b Archive; move e,f Work
end    INBOX: c+seen,d+flagged; Archive: a+seen,b+flagged; Work: e+seen,f+flagged

server INBOX: a
user            | append b INBOX | flag b +seen; move b Archive | move b INBOX
end    INBOX: a,b+seen

server INBOX: a,b |                | append c INBOX
user              | copy a Archive | flag a +seen; expunge b
end    INBOX: a+seen,c; Archive: a

server INBOX: a
user            | append b INBOX; append b INBOX
end    INBOX: a,b,b

server INBOX: a
user            | draft d INBOX; draft e INBOX d; draft f INBOX e
end    INBOX: a,f+draft+seen

server INBOX: a
user            | draft d INBOX | draft e INBOX d; flag e +flagged | draft f INBOX e
end    INBOX: a,f+draft+seen

server INBOX: a |               | expunge d
user            | draft d INBOX | draft e INBOX d
end    INBOX: a,e+draft+seen

server INBOX: a,b; Trash: t
user                        | trash a Trash; trash t Trash; flag b +seen
end    INBOX: b+seen; Trash: a

server INBOX: a,b
user              | create Own; move a Own; rename Own Mine; move b Mine
end    INBOX:; Mine: a,b

server INBOX: a; Extra: c
user                      | move c INBOX; delete Extra
end    INBOX: a,c

server INBOX: a
user            | subscribe Work; create Own; subscribe Own | rename Own Mine; unsubscribe Work
end    INBOX: a; Mine:

server INBOX: a,b
user              | submit s Archive; flag a +seen; submit t INBOX
end    INBOX: a+seen,b,t+seen; Archive: s+seen

server INBOX: a
user            | submit s Archive | move s Work
end    INBOX: a; Work: s+seen

server INBOX: a,b+$work | flag a +$other
user                    | flag a +$work; flag b -$work; flag a,b +$later
end    INBOX: a+$later+$other+$work,b+$later

server INBOX: a,b,c | mark b | mark c
user                |        | expunge a
end    INBOX: b+deleted,c+deleted

server INBOX: a,b; Extra: c | delete Extra
user                        | move a Extra | retarget Work
end    INBOX: b; Work: a

server INBOX: a,b; Extra: c | delete Extra
user                        | move a Extra; flag a +seen | discard
end    INBOX: a,b | parked: mailbox-gone

server INBOX: a,b; Extra: c | delete Extra   | create Extra
user                        | append d Extra | retry
end    INBOX: a,b; Extra: | parked: mailbox-gone

server INBOX: a,b+flagged
user                      | flag a,b +seen; copy a Archive; flag b -flagged; move b Work
end    INBOX: a+seen; Archive: a+seen; Work: b+seen
`

export const SWEEP_SCENARIOS: readonly string[] = SCENARIOS.trim().split('\n\n')
