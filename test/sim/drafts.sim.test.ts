/** Worlds in which drafts are written while everything goes wrong: what the user wrote last is there, once, or it is shown. */

import { type MessageReference, SyncError, UidSet } from '@tidemail/core'
import type { MailEngine } from '@tidemail/engine'
import type { Extension, StepFault } from '@tidemail/testing/simulated'
import { describe, expect, it } from 'vitest'
import { dyingStore } from './dying-store.ts'
import { message } from './engine-lab.ts'
import { serverForm, storeForm } from './equality.ts'
import { SendingLab } from './sending-lab.ts'
import { SeededRandom } from './virtual-time.ts'

const SEEDS = Number(process.env['TIDEMAIL_DRAFT_SEEDS'] ?? 60)
const EVENTS = 25
const FAULTS: readonly StepFault[] = [
  'cut',
  'lose-request',
  'lose-answer',
  'lose-tail',
  'reject',
  { kind: 'reject', rejection: { status: 'NO', code: 'INUSE', text: 'Busy.' } },
]
const SERVERS: readonly (readonly Extension[])[] = [[], ['REPLACE'], ['UIDPLUS'], ['QRESYNC', 'MOVE', 'MULTIAPPEND']]

interface Draft {
  readonly names: string[]
  reference: MessageReference
}

/** One user with a few drafts, one rival, and a server on a bad line. */
class DraftWorld {
  readonly random: SeededRandom
  readonly lab: SendingLab
  readonly drafts: Draft[] = []
  readonly removed = new Set<string>()
  readonly story: string[] = []
  #engine: MailEngine | null = null
  #versions = 0

  constructor(seed: number) {
    this.random = new SeededRandom(seed)
    this.lab = new SendingLab(SERVERS[seed % SERVERS.length])
  }

  async live(): Promise<MailEngine> {
    await (await this.engine()).syncOnce()
    for (let event = 0; event < EVENTS; event += 1) await this.event()
    this.lab.remote.fault = () => 'pass'
    const mail = await this.engine()
    await this.lab.rest(mail)
    return mail
  }

  private async event(): Promise<void> {
    this.lab.clock.advance(this.random.below(10_000))
    const kind = this.random.pick([
      'save',
      'save',
      'save',
      'save',
      'flag',
      'remove',
      'rival',
      'sync',
      'sync',
      'sync',
      'die',
    ] as const)
    this.story.push(kind)
    if (kind === 'save') await this.save()
    else if (kind === 'flag' || kind === 'remove') await this.change(kind)
    else if (kind === 'rival') this.rivalActs()
    else await this.sync(kind === 'die')
  }

  private async engine(): Promise<MailEngine> {
    this.#engine ??= await this.lab.open()
    return this.#engine
  }

  private async save(): Promise<void> {
    const mail = await this.engine()
    this.#versions += 1
    const name = `Version ${this.#versions}`
    const before = this.drafts.length > 0 && this.random.chance(0.8) ? this.random.pick(this.drafts) : null
    const replaces = before === null ? {} : { replaces: before.reference }
    const reference = await mail.saveDraft({ bytes: message(name), ...replaces }).message
    if (before === null) this.drafts.push({ names: [name], reference })
    else {
      before.names.push(name)
      before.reference = reference
    }
    this.story.push(`${name}${before === null ? '' : ` replaces ${before.names.at(-2)}`}`)
  }

  private async change(kind: 'flag' | 'remove'): Promise<void> {
    if (this.drafts.length === 0) return
    const mail = await this.engine()
    const draft = this.random.pick(this.drafts)
    if ((await mail.message(draft.reference)) === null) return
    if (kind === 'flag') {
      await mail.flag(draft.reference, { add: ['$Urgent'] }).accepted.catch(passUnknown)
      return
    }
    this.drafts.splice(this.drafts.indexOf(draft), 1)
    for (const name of draft.names) this.removed.add(name)
    await mail.expunge(draft.reference).accepted.catch(passUnknown)
  }

  private rivalActs(): void {
    const drafts = this.lab.account.open('Drafts')
    const chosen = this.random.pick([...drafts.messages, null])
    if (chosen === null || chosen === undefined) return
    const name = this.lab.onServer('Drafts')[drafts.messages.indexOf(chosen)] ?? ''
    const one = UidSet.of(chosen.uid)
    if (this.random.chance(0.5)) drafts.store(one, { direction: 'add', flags: ['\\Flagged'] })
    else {
      this.removed.add(name)
      drafts.remove(one)
    }
  }

  private async sync(dies: boolean): Promise<void> {
    const rate = this.random.pick([0, 0.1, 0.3])
    this.lab.remote.fault = () => (this.random.chance(rate) ? this.random.pick(FAULTS) : 'pass')
    if (!dies) {
      await (await this.engine()).syncOnce().catch(passExpected)
      return
    }
    await this.#engine?.close()
    const death = { atCommit: this.random.below(8), moment: this.random.pick(['before', 'after'] as const) }
    const dying = await this.lab.open({ store: dyingStore(this.lab.store(), death) }).catch(() => null)
    await dying?.syncOnce().catch(() => null)
    this.lab.remote.disconnectAll()
    await dying?.close().catch(() => null)
    this.#engine = null
  }
}

function passUnknown(error: unknown): void {
  if (!(error instanceof SyncError) || error.code !== 'input.unknown-message') throw error
}

function passExpected(error: unknown): void {
  if (!(error instanceof SyncError) || error.code === 'engine.bug') throw error
}

describe('drafts on a bad line', () => {
  // Verifies: I-LOG-3, I-STORE-2, I-SYNC-1, I-SYNC-3
  it.each(Array.from({ length: SEEDS }, (_, i) => i + 1))(
    'end with the last versions, seed %i',
    { timeout: 30_000 },
    async (seed) => {
      const world = new DraftWorld(seed)
      const { lab } = world
      const mail = await world.live()
      const told = world.story.join(', ')
      const entries = await mail.entries()
      const parked = entries.filter(({ progress }) => progress.some(({ state }) => state === 'parked'))
      const there = lab.onServer('Drafts')
      for (const name of there)
        expect(
          there.filter((other) => other === name),
          `${name}: ${told}`,
        ).toHaveLength(1)
      if (parked.length > 0) return
      expect(entries, told).toEqual([])
      // Without APPENDUID a version may be proved to be there, and nobody knows as what: then the next one cannot take its place.
      const evidence = (await mail.receipts({ limit: 1_000 })).flatMap(({ outcomes }) =>
        outcomes.map((outcome) => outcome.evidence),
      )
      const isNameless = evidence.some((one) => one.kind === 'probe' && one.verdict === 'possible')
      for (const { names } of world.drafts) {
        const last = names.at(-1) ?? ''
        if (!world.removed.has(last)) expect(there, told).toContain(last)
        for (const name of isNameless ? [] : names.slice(0, -1)) expect(there, told).not.toContain(name)
      }
      expect(await storeForm(lab.store(), mail.accountId), told).toEqual(serverForm(lab.account))
      await lab.close()
    },
  )
})
