import { describe, expect, it } from 'vitest'
import regressions from '../../fixtures/sim/regressions.json' with { type: 'json' }
import { type Ending, SimulatedWorld } from './simulated-world.ts'

const TIERS = {
  qresync: [],
  condstore: ['QRESYNC'],
  plain: ['CONDSTORE'],
  'no MOVE': ['MOVE'],
  'no UIDPLUS': ['UIDPLUS'],
  bare: ['CONDSTORE', 'MOVE', 'LIST-STATUS', 'MULTIAPPEND'],
} as const
const RUNS = Number(process.env['TIDEMAIL_SIM_RUNS'] ?? (process.env['TIDEMAIL_CAMPAIGN'] === undefined ? 60 : 3_000))
const FIRST_SEED = Number(process.env['TIDEMAIL_SIM_SEED'] ?? 1)

/** Every message is there as often as somebody asked for, and none is lost that nobody removed (I-LOG-3, I-STORE-2). */
function wrongCounts({ copies, ledger, undecided }: Ending): string[] {
  const wrong: string[] = []
  for (const [id, { copiesMax, isRemovable }] of ledger) {
    const count = copies.get(id) ?? 0
    // A move that is shown as uncertain may have left its copy behind.
    if (count > copiesMax + undecided) wrong.push(`${id} is there ${count} times, asked for were ${copiesMax}`)
    if (count < 1 && !isRemovable && undecided === 0) wrong.push(`${id} is lost`)
  }
  return wrong
}

/** Reasons to wait for the user that nothing in the history gives. */
function unexplained({ parkedFor }: Ending, upheavals: ReadonlySet<string>): string[] {
  const needs: Readonly<Record<string, string>> = { 'uidvalidity-changed': 'uidvalidity', 'mailbox-gone': 'mailbox' }
  return parkedFor.filter((reason) => needs[reason] !== undefined && !upheavals.has(needs[reason] ?? ''))
}

async function livesWell(seed: number, without: (typeof TIERS)[keyof typeof TIERS]): Promise<void> {
  const world = new SimulatedWorld({ seed, without, events: 25 })
  const ending = await world.live()
  const told = `seed ${seed}\n${world.story.join('\n')}\n${ending.log}`
  expect(wrongCounts(ending), told).toEqual([])
  expect(unexplained(ending, world.upheavals), told).toEqual([])
  if (ending.undecided > 0) return
  expect(ending.pending, told).toBe(0)
  expect(ending.store, told).toEqual(ending.server)
}

describe.each(Object.entries(TIERS))('simulated histories, %s', (_, without) => {
  it(`converge without loss, repetition or resurrection, from seed ${FIRST_SEED}, ${RUNS} times`, async () => {
    // Verifies: I-SYNC-1, I-SYNC-3, I-LOG-1, I-LOG-2, I-LOG-3, I-STORE-2, H-1, H-2, H-7, H-9
    for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed += 1) await livesWell(seed, without)
  }, 1_800_000)
})

it.each(regressions)('a history that went wrong once goes well: $was ($tier, seed $seed)', async ({ tier, seed }) => {
  await livesWell(seed, TIERS[tier as keyof typeof TIERS])
})
