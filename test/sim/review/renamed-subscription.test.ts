/** A subscription follows a renamed mailbox, whatever is lost on the way. */

import { afterEach, beforeEach, expect, it } from 'vitest'
import { EngineLab } from '../engine-lab.ts'

let lab: EngineLab
beforeEach(() => {
  lab = new EngineLab()
})
afterEach(() => lab.close())

const FAULTS = (['subscribe', 'unsubscribe'] as const).flatMap((kind) =>
  (['lose-request', 'lose-answer', 'cut'] as const).map((fault) => ({ kind, fault })),
)

// Verifies: I-LOG-3, I-SYNC-3
it.each(FAULTS)(
  'a subscription follows a renamed mailbox when the connection ends at the $kind: $fault',
  async ({ kind, fault }) => {
    const mail = await lab.openSynchronised()
    await mail.subscribe((await mail.mailbox('Work')).id).accepted
    await mail.syncOnce()
    expect(await mail.mailbox('Work')).toMatchObject({ isSubscribed: true })
    await mail.renameMailbox((await mail.mailbox('Work')).id, 'Job').accepted
    let struck = false
    lab.remote.fault = (step) => {
      if (struck || step.kind !== kind) return 'pass'
      struck = true
      return fault
    }
    await mail.syncOnce().catch(() => null)
    lab.clock.advance(120_000)
    await mail.syncOnce()
    expect(struck).toBe(true)
    expect(await mail.mailbox('Job')).toMatchObject({ isSubscribed: true })
    expect([...lab.account.subscriptions].toSorted()).toEqual(['Archive', 'Job'])
  },
)
