/** Holds the tap to what it keeps of what came before TLS. */

import type { Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { SetUpTap } from './set-up-tap.ts'

it('forgets the alerts that came in clear when TLS starts, and keeps those that came after', () => {
  const tap = new SetUpTap({ onBroken: () => {}, onWire: undefined, secrets: [] })
  const hear = (line: string): void => {
    const socket = new PassThrough()
    tap.attach(socket as unknown as Socket)
    socket.emit('data', Buffer.from(`${line}\r\n`))
  }
  hear('* OK [ALERT] call this number')
  expect(tap.alerts).toEqual(['call this number'])
  tap.startTls()
  hear('* OK [ALERT] quota')
  tap.takeRest()
  expect(tap.alerts).toEqual(['quota'])
})
