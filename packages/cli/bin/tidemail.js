#!/usr/bin/env node
// The command. It is committed, so that npm can link it before the first build has made `dist`.

import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const main = new URL('../dist/main.js', import.meta.url)

if (existsSync(fileURLToPath(main))) {
  const { runProcess } = await import(main.href)
  await runProcess()
} else {
  process.stderr.write(
    'tidemail: it is not built yet: run `npm install`, or `npm run prepare`, in the repository. (account.configuration)\n',
  )
  process.exitCode = 78
}
