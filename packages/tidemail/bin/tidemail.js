#!/usr/bin/env node
// The command, for who installs `tidemail` alone: it is that of `@tidemail/cli`.

import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const main = new URL(import.meta.resolve('@tidemail/cli/main'))

if (existsSync(fileURLToPath(main))) {
  const { runProcess } = await import(main.href)
  await runProcess()
} else {
  process.stderr.write(
    'tidemail: it is not built yet: run `npm install`, or `npm run prepare`, in the repository. (account.configuration)\n',
  )
  process.exitCode = 78
}
