/** Lets a world come to rest when nothing befalls it any more, and checks that everything ended well. */

import { hasFlag } from '@tidemail/core'
import type { Entry } from '@tidemail/replay-log'
import { type ContentForm, messageIdIn, type NormalForm, serverForm, storeForm } from './equality.ts'
import { ME } from './simulated-process.ts'
import type { SimulatedWorld } from './simulated-world.ts'
import { discard } from './user-acts.ts'

const SYNCS_TO_REST_MAX = 30
/** Longer than anything that is refused waits before it is tried again. */
const REST_MS = 120_000
/** What is written whenever everything was in order. */
const REMEMBERED = 'remember that everything is synchronised'

/** Synchronises until nothing is left to do; false when something was found wrong. */
export async function syncUntilDone(world: SimulatedWorld): Promise<boolean> {
  for (let tries = 0; tries < SYNCS_TO_REST_MAX; tries += 1) {
    const report = await world.sync(0)
    if (world.findings.length > 0) return false
    if (report?.outcome === 'done') return true
    world.clock.advance(REST_MS)
  }
  world.find({ check: 'I-SYNC-1', what: `after ${SYNCS_TO_REST_MAX} quiet synchronisations something is still left to do` })
  return false
}

/** What waits for the user. */
export async function parkedEntries(world: SimulatedWorld): Promise<readonly Entry[]> {
  return (await (await world.process(0).open()).entries()).filter(isParked)
}

/** The user gives up everything that waits for a decision. */
export async function giveUp(world: SimulatedWorld, parked: readonly Entry[]): Promise<void> {
  const engine = await world.process(0).open()
  // What needed something that is given up has to be decided on in its turn.
  for (let waiting = parked; waiting.length > 0; waiting = (await engine.entries()).filter(isParked)) {
    const [first] = waiting
    for (const { seq } of waiting) await discard(engine, world.ledger, seq)
    if (!(await syncUntilDone(world))) return
    if (first !== undefined && (await engine.entries()).some(({ seq }) => seq === first.seq)) {
      world.find({ check: 'I-LOG-2', what: 'an entry that was given up is still there' })
      return
    }
  }
}

/** Store and server are equal, nothing is lost, and a synchronisation with nothing to do writes nothing and changes nothing (I-SYNC-1). */
export async function checkEnd(world: SimulatedWorld): Promise<void> {
  const { account, ledger } = world
  await world.sync(0)
  compare(world, 'I-SYNC-1', await storeForm(world.process(0).store, ME), serverForm(account))
  await world.sync(0)
  // Where the server tells no mod-sequences, all flags are read anew each time.
  const isPlain = world.without.includes('CONDSTORE')
  const writes = world.writes.filter((what) => what !== REMEMBERED && !(isPlain && what.startsWith('bring ')))
  if (writes.length > 0) world.find({ check: 'rest', what: `a synchronisation with nothing to do writes: ${writes.join('; ')}` })
  if (world.mutations.length > 0) world.find({ check: 'rest', what: `and sends ${world.mutations.join('; ')}` })
  const there = new Set(account.mailboxes.flatMap(({ messages }) => messages.map(({ bytes }) => messageIdIn(bytes))))
  const lost = [...ledger.messageIds].filter((id) => !there.has(id) && !ledger.mayBeGone(id, there))
  if (lost.length > 0) world.find({ check: 'I-STORE-2', what: `lost: ${lost.join(' ')}` })
  const marked = account.mailboxes.flatMap(({ path, messages }) =>
    messages
      .filter(({ bytes, flags }) => hasFlag(flags, '\\Deleted') && !ledger.mayBeMarked(messageIdIn(bytes)))
      .map(({ uid }) => `${path} ${uid}`),
  )
  if (marked.length > 0) world.find({ check: 'I-STORE-2', what: `left marked for deletion: ${marked.join(', ')}` })
  const claims = await world.process(0).store.planning.claims(ME)
  if (claims.length > 0)
    world.find({ check: 'H-11', what: `claims are kept of which nothing waits: ${claims.map(({ id }) => id)}` })
  const { unsent } = ledger.submissions
  if (unsent.length > 0) world.find({ check: 'I-LOG-1', what: `never sent: ${unsent.join(' ')}` })
}

/** Finds the two forms equal, or says in which lines they differ. */
export function compare(
  world: SimulatedWorld,
  check: string,
  found: ContentForm | NormalForm,
  wanted: ContentForm | NormalForm,
): void {
  const [ours, theirs] = [linesOf(found), linesOf(wanted)]
  const more = ours.filter((line) => !theirs.includes(line)).map((line) => `+ ${line}`)
  const less = theirs.filter((line) => !ours.includes(line)).map((line) => `- ${line}`)
  if (more.length + less.length > 0) world.find({ check, what: `\n${[...more, ...less].join('\n')}` })
}

function isParked({ progress }: Entry): boolean {
  return progress.some(({ state }) => state === 'parked')
}

/** A line a mailbox and a message, all different. */
function linesOf(form: ContentForm | NormalForm): string[] {
  return Object.entries(form).flatMap(([path, held]) => {
    const times = new Map<string, number>()
    const lines = Array.isArray(held)
      ? held.map((value: string) => {
          times.set(value, (times.get(value) ?? 0) + 1)
          return `${value} (${times.get(value)})`
        })
      : Object.entries(held).map(([uid, value]) => `${uid} ${value}`)
    return [`${path}:`, ...lines.map((line) => `${path} ${line}`)]
  })
}
