/** The story of one account: synchronised, changed offline beside a rival, planned, replayed, killed in an upload, recovered, and proved equal. */

import { once } from 'node:events'
import {
  describeOperation,
  describeSettlement,
  hasFlag,
  type MailboxId,
  type MailEngine,
  type MessageReference,
  type MessageView,
  UidSet,
} from 'tidemail'
import { PASSWORD, USER } from './account.ts'
import { compareWithServer } from './compare-with-server.ts'
import { Laboratory, MESSAGES_AT_START } from './laboratory.ts'
import { letter } from './letter.ts'
import { Narrator } from './narrator.ts'
import { counted, grouped, planText, reportText, wireText } from './words.ts'

const PLAN_STEPS_SHOWN = 12

const narrator = new Narrator(process.stdout, process.env)
const startedAt = performance.now()
const lab = await Laboratory.open()
// Listened to until the end: a second Ctrl-C must not stop the tidying up after the first.
const interruption = new Promise<'interrupted'>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve('interrupted'))
})
try {
  const ending = await Promise.race([story(), interruption])
  process.exitCode = { equal: 0, different: 1, interrupted: 130 }[ending]
} finally {
  await lab.close()
}
// What the story still waits for will not come.
if (process.exitCode === 130) process.exit()

async function story(): Promise<'equal' | 'different'> {
  narrator.title('Tidemail: mail that is always there, and a server that is always right')
  await firstSynchronisation()
  const touched = await offline()
  await rivalActs(touched)
  await plans()
  await backOnline()
  await killedInTheMiddle()
  return proof()
}

async function firstSynchronisation(): Promise<void> {
  narrator.act('A server, a store, and the first synchronisation')
  narrator.say(
    `An IMAP server in memory listens on 127.0.0.1:${lab.server.port} with ${grouped(MESSAGES_AT_START)} messages in 6 mailboxes. A store is made in a folder; the engine connects the two over TCP.`,
  )
  const { mail } = await lab.openAccount()
  const first = await lab.measured(() => mail.syncOnce())
  await showMailboxes(mail)
  narrator.say(`${reportText(first.value)}.`)
  narrator.measure(wireText(first.wire))
  const second = await lab.measured(() => mail.syncOnce())
  narrator.say('Synchronised again, with nothing changed:')
  narrator.measure(wireText(second.wire))
}

/** What the user touches, for the rival to get in the way of. */
interface Touched {
  readonly flagged: readonly MessageView[]
  readonly moved: readonly MessageView[]
}

async function offline(): Promise<Touched> {
  narrator.act('Offline')
  lab.goOffline()
  const { mail } = await lab.openAccount()
  const refusal = await mail.syncOnce().then(
    () => 'it went through',
    (error: { readonly code: string }) => error.code,
  )
  narrator.say(
    `The network is gone: a synchronisation ends with ${refusal}. The user works on; every operation is accepted at once.`,
  )
  const inbox = await mail.mailbox('INBOX')
  const { messages } = await mail.page({ mailboxId: inbox.id, limit: 60 })
  const flagged = messages.filter(({ flags }) => !hasFlag(flags, '\\Seen')).slice(0, 12)
  const others = messages.filter((message) => !flagged.includes(message))
  const [marked, moved, copied, expunged] = [others.slice(0, 3), others.slice(3, 11), others.slice(11, 14), others.slice(14, 18)]
  const [archive, projects] = [await mail.mailbox('Archive'), await mail.mailbox('Projects')]
  const before = performance.now()
  const handles = [
    mail.flag(references(flagged), { add: ['\\Seen'] }),
    mail.flag(references(marked), { add: ['\\Flagged', '$Work'] }),
    mail.move(references(moved), archive.id),
    mail.copy(references(copied), projects.id),
    mail.expunge(references(expunged)),
    mail.append({ to: projects.id, bytes: letter('Notes on the tide tables', 900), flags: ['\\Seen'] }),
    mail.append({
      to: (await mail.mailbox('Drafts')).id,
      bytes: letter('Draft of an answer', 400),
      flags: ['\\Draft', '\\Seen'],
    }),
  ]
  const mistake = mail.expunge(references(others.slice(20, 40)))
  await Promise.all([...handles, mistake].map((handle) => handle.accepted))
  const tookMs = performance.now() - before
  const [taken] = await mistake.accepted
  await mistake.undo()
  await showEntries(mail)
  narrator.say(
    `${counted(handles.length + 1, 'operation')} accepted in ${tookMs.toFixed(0)} ms, each on the disk before its promise resolved. #${taken} was a mistake and has been taken back. This is what the user sees now, without a server:`,
  )
  await showMailboxes(mail)
  return { flagged, moved }
}

async function rivalActs({ flagged, moved }: Touched): Promise<void> {
  narrator.act('Meanwhile, another client')
  const [gone, answered, takenAway, forwarded] = [flagged.slice(0, 2), flagged.slice(2, 5), moved.slice(0, 1), moved.slice(1, 4)]
  await lab.rival([
    'SELECT INBOX',
    `UID STORE ${uids(gone)} +FLAGS (\\Deleted)`,
    `UID EXPUNGE ${uids(gone)}`,
    `UID STORE ${uids(answered)} +FLAGS (\\Answered)`,
    `UID MOVE ${uids(takenAway)} Trash`,
    `UID STORE ${uids(forwarded)} +FLAGS ($Forwarded)`,
    ['APPEND INBOX ', letter('Are you there?', 300)],
    ['APPEND INBOX (\\Flagged) ', letter('Storm warning', 300)],
  ])
  narrator.say('A rival with a connection works in the same INBOX, on the same messages:')
  narrator.show([
    `expunges ${uids(gone)}, which we marked as read`,
    `marks ${uids(answered)} as answered, which we marked as read`,
    `moves ${uids(takenAway)} to Trash, which we moved to Archive`,
    `adds $Forwarded to ${uids(forwarded)}, which we moved to Archive`,
    'gets 2 new messages',
  ])
}

async function plans(): Promise<void> {
  narrator.act('The plan')
  const { mail } = await lab.openAccount()
  const offlinePlan = await mail.plan({ offline: true })
  narrator.say(`What would be sent, as far as the store alone can tell: ${counted(offlinePlan.steps.length, 'step')}.`)
  showPlan(offlinePlan.steps)
  lab.goOnline()
  const { value: onlinePlan, wire } = await lab.measured(() => mail.plan())
  const news = onlinePlan.steps.filter(({ part }) => part !== 'replay')
  narrator.say(
    `The network is back. Planned again, now with a look at the server: ${counted(onlinePlan.steps.length, 'step')}. Nothing is changed by planning. Besides the replay:`,
  )
  showPlan(news)
  narrator.measure(wireText(wire))
}

async function backOnline(): Promise<void> {
  narrator.act('Back online: replay, then resynchronise')
  const { mail } = await lab.openAccount()
  const { value, wire } = await lab.measured(() => mail.syncOnce())
  narrator.say(`${reportText(value)}.`)
  narrator.measure(wireText(wire))
  narrator.say('What became of each operation, and what proves it:')
  await showReceipts(mail)
  await showMailboxes(mail)
}

async function killedInTheMiddle(): Promise<void> {
  narrator.act('Killed in the middle of an upload')
  const { mail } = await lab.openAccount()
  const report = letter('Report on the harbour', 48_000)
  const [seq] = await mail.append({ to: (await mail.mailbox('Sent')).id, bytes: report, flags: ['\\Seen'] }).accepted
  await lab.closeAccount()
  narrator.say(
    `A report of ${grouped(report.length)} bytes is queued as #${seq}. Another process opens the store and uploads it. The server executes the APPEND; while its answer is on the way, the process is killed.`,
  )
  lab.network.reset()
  lab.network.setFault({ kind: 'lose-answer', command: 'APPEND', how: 'stall' })
  const struck = lab.network.nextFault()
  const victim = lab.startProcess()
  const died = once(victim, 'exit')
  await Promise.race([struck, died.then(([status]) => Promise.reject(new Error(`It ended by itself, with status ${status}.`)))])
  victim.kill('SIGKILL')
  const [, signal] = await died
  lab.network.setFault(null)
  narrator.show([
    `process ${victim.pid} ended by ${signal}`,
    `the server holds ${counted(reportsOnServer(), 'copy', 'copies')} of the report, and nobody was told`,
  ])
  const { value, wire } = await lab.measured(() => lab.runProcess())
  const appends = lab.network.commands.filter(({ name }) => name === 'APPEND').length
  narrator.say(
    'A fresh process opens the store, finds the claim, waits until the server must be done, and looks at the mailbox from the fence on:',
  )
  narrator.show([
    `${counted(value.entriesSettled, 'operation')} settled, ${counted(appends, 'APPEND')} sent`,
    `the server holds ${counted(reportsOnServer(), 'copy', 'copies')} of the report`,
  ])
  narrator.measure(wireText(wire))
  const { mail: again } = await lab.openAccount()
  await showReceipts(again, 1)
}

async function proof(): Promise<'equal' | 'different'> {
  narrator.act('The proof')
  const { mail } = await lab.openAccount()
  const report = await mail.syncOnce()
  narrator.say(
    'Every mailbox is read from the server over a bare socket, by code that shares nothing with the engine, and held against the store: UIDs, flags, dates, sizes, and every byte of what was written here.',
  )
  const compared = await compareWithServer(mail, {
    host: lab.server.host,
    port: lab.server.port,
    user: { name: USER, password: PASSWORD },
  })
  narrator.table([
    ['mailbox', 'server', 'store', ''],
    ...compared.map(({ path, messagesOnServer, messagesInStore, differences }) => [
      path,
      messagesOnServer,
      messagesInStore,
      differences.length === 0 ? 'equal' : 'DIFFERENT',
    ]),
  ])
  const wrong = [
    ...compared.flatMap(({ path, differences }) => differences.map((text) => `${path} ${text}`)),
    ...(report.outcome === 'done' ? [] : [`The last synchronisation ended ${report.outcome}.`]),
    ...(report.entriesPending + report.entriesParked + report.entriesUncertain === 0 ? [] : ['Operations are left in the log.']),
    ...(reportsOnServer() === 1 ? [] : [`The report is on the server ${reportsOnServer()} times.`]),
  ]
  for (const sentence of wrong) narrator.bad(sentence)
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  const total = compared.reduce((sum, mailbox) => sum + mailbox.messagesOnServer, 0)
  if (wrong.length > 0) return 'different'
  narrator.good(
    `Store and server are equal: ${counted(total, 'message')} in ${counted(compared.length, 'mailbox', 'mailboxes')}, in ${seconds} s.`,
  )
  return 'equal'
}

async function showMailboxes(mail: MailEngine): Promise<void> {
  const mailboxes = await mail.mailboxes()
  narrator.table([['mailbox', 'total', 'unread'], ...mailboxes.map(({ path, total, unread }) => [path, total, unread])])
}

async function names(mail: MailEngine): Promise<(id: MailboxId) => string | undefined> {
  const paths = new Map((await mail.mailboxes()).map(({ id, path }) => [id, path]))
  return (id) => paths.get(id)
}

async function showEntries(mail: MailEngine): Promise<void> {
  const nameOf = await names(mail)
  narrator.show((await mail.entries()).map(({ seq, operation }) => `#${seq} ${describeOperation(operation, nameOf)}`))
}

async function showReceipts(mail: MailEngine, limit = 100): Promise<void> {
  const nameOf = await names(mail)
  const receipts = (await mail.receipts({ limit })).toReversed()
  narrator.show(
    receipts.flatMap(({ seq, operation, outcomes }) => [
      `#${seq} ${describeOperation(operation, nameOf)}`,
      ...outcomes.map((settlement) => `     ${describeSettlement(settlement, operation)}`),
    ]),
  )
}

function showPlan(steps: Parameters<typeof planText>[0]): void {
  narrator.show(planText(steps.slice(0, PLAN_STEPS_SHOWN)))
  if (steps.length > PLAN_STEPS_SHOWN) narrator.show([`and ${counted(steps.length - PLAN_STEPS_SHOWN, 'more step')}`])
}

function reportsOnServer(): number {
  const { messages } = lab.server.account(USER).open('Sent')
  return messages.filter(({ bytes }) => Buffer.from(bytes).includes('Report on the harbour')).length
}

function references(messages: readonly MessageView[]): MessageReference[] {
  return messages.map((message) => message.reference)
}

function uids(messages: readonly MessageView[]): string {
  return UidSet.from(messages.flatMap(({ reference }) => (reference.kind === 'stored' ? [reference.uid] : []))).toString()
}
