/** Reads and writes which messages are kept here, as a setting: `whole`, `new-only`, `last-days:30`, `last-messages:500`. */

import { SyncError } from '@tidemail/core'
import type { Hold } from '@tidemail/engine'

const COUNTED = /^last-(days|messages):([1-9]\d{0,8})$/

/** Null for what is none. */
export function parseHold(text: string): Hold | null {
  if (text === 'whole' || text === 'new-only') return text
  const [, unit, count] = COUNTED.exec(text) ?? []
  if (unit === undefined) return null
  return unit === 'days' ? { lastDays: Number(count) } : { lastMessages: Number(count) }
}

/** What of the options say it, as they were typed. */
export interface HoldOptions {
  readonly whole?: boolean
  readonly newOnly?: boolean
  readonly lastDays?: number
  readonly lastMessages?: number
}

/** The setting; undefined where no option was given. @throws SyncError `input.usage` for several of them, or none of something */
export function holdSetting({ whole, newOnly, lastDays, lastMessages }: HoldOptions): string | undefined {
  const said = [
    ...(whole === true ? ['whole'] : []),
    ...(newOnly === true ? ['new-only'] : []),
    ...(lastDays === undefined ? [] : [`last-days:${lastDays}`]),
    ...(lastMessages === undefined ? [] : [`last-messages:${lastMessages}`]),
  ]
  const [setting] = said
  if (said.length > 1) {
    throw new SyncError('input.usage', 'More than one option says which messages to keep.', {
      hint: 'Give one of --whole, --new-only, --last-days, --last-messages.',
    })
  }
  if (setting !== undefined && parseHold(setting) === null) {
    throw new SyncError('input.usage', 'Nothing would be kept.', { hint: 'Give a number from 1 to 999999999.' })
  }
  return setting
}
