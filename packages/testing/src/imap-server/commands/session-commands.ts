/** CAPABILITY, NOOP, CHECK, LOGOUT, ID, ENABLE, NAMESPACE. */

import { textOf } from '../command-syntax.ts'
import { capabilitiesOf } from '../offered-capabilities.ts'
import type { CommandFamily } from '../reply.ts'
import { type CommandRule, ok } from '../reply.ts'

const ALWAYS = ['not-authenticated', 'authenticated', 'selected'] as const

const capability: CommandRule = {
  states: ALWAYS,
  run({ session }) {
    session.untagged(`CAPABILITY ${capabilitiesOf(session)}`)
    return ok('Capability completed')
  },
}

const noop: CommandRule = { states: ALWAYS, run: () => ok('NOOP completed.') }

const check: CommandRule = { states: ['selected'], run: () => ok('Check completed') }

const logout: CommandRule = {
  states: ALWAYS,
  run({ session }) {
    session.untagged('BYE Logging out')
    session.isLeaving = true
    return ok('Logout completed')
  },
}

const id: CommandRule = {
  states: ALWAYS,
  run({ session }) {
    session.untagged('ID ("name" "Tidemail test server")')
    return ok('ID completed')
  },
}

const enable: CommandRule = {
  states: ['authenticated', 'selected'],
  run({ session, args }) {
    const wanted = args.rest().map((token) => textOf(token).toUpperCase())
    const enabled = wanted.filter((name) => (name === 'QRESYNC' || name === 'CONDSTORE') && session.can(name))
    if (enabled.length > 0) session.enableCondstore()
    if (enabled.includes('QRESYNC')) session.enabled.add('QRESYNC')
    if (enabled.length > 0) session.untagged(`ENABLED ${enabled.join(' ')}`)
    return ok('Enabled')
  },
}

const namespace: CommandRule = {
  states: ['authenticated', 'selected'],
  run({ session }) {
    session.untagged('NAMESPACE (("" "/")) NIL NIL')
    return ok('Namespace completed')
  },
}

export const SESSION_COMMANDS: CommandFamily = {
  plain: { CAPABILITY: capability, NOOP: noop, CHECK: check, LOGOUT: logout, ID: id, ENABLE: enable, NAMESPACE: namespace },
}
