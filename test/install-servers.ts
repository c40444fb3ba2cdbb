/** Puts the real IMAP servers and the browser of the tests on this machine, or says what to do about those that are missing. */

import { installServers } from '../packages/testing/src/servers/install.ts'

function main(): number {
  if (process.env['TIDEMAIL_TEST_SERVERS'] === 'none') {
    console.log('TIDEMAIL_TEST_SERVERS=none: the tests against real servers and the browser are left out.')
    return 0
  }
  const report = installServers({ log: console.log })
  for (const { program, reason } of report.unsupported) console.log(`${program}: left out, ${reason}.`)
  if (report.installed.length > 0) console.log(`Installed: ${report.installed.join(', ')}.`)
  if (report.ready.length > 0) console.log(`Ready: ${report.ready.join(', ')}.`)
  if (report.aptLine === null) return 0
  for (const { program, reason } of report.missing) console.error(`${program} is missing: ${reason}.`)
  console.error(`Install by hand, as root:\n  ${report.aptLine}`)
  console.error('Or set TIDEMAIL_TEST_SERVERS=none to test without real servers.')
  return 1
}

process.exitCode = main()
