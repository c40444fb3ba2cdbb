/** `npm run matrix`: prints the resync matrix and keeps it in docs/spec/resync-matrix.md. */

import { writeFile } from 'node:fs/promises'
import { renderResyncMatrix } from './render-resync-matrix.ts'
import { readResyncResults } from './resync-results.ts'

const page = renderResyncMatrix(await readResyncResults())
await writeFile(new URL('../../docs/spec/resync-matrix.md', import.meta.url), page)
process.stdout.write(page)
