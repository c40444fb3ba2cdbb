/** A process of its own that opens the account, synchronises once, tells its parent how that went, and leaves. */

import { openAccount } from './account.ts'

const [directory = '', port = ''] = process.argv.slice(2)
const account = await openAccount({ directory, port: Number(port) })
const report = await account.mail.syncOnce()
process.send?.(report)
await account.close()
process.disconnect?.()
