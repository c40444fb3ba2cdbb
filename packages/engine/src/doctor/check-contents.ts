/** Checks what a server keeps of what it is given: dates, sizes, flags, large messages, names of mailboxes. */

import { SYSTEM_FLAGS, UidSet } from '@tidemail/core'
import type { Bench } from './bench.ts'
import { asClaimed, type Check, type CheckResult, contradicts, missing } from './check.ts'
import { MailboxRefused, refusalIn } from './two-sessions.ts'

/** A day in the past, so that it is not taken for the moment of the upload: 2020-05-17T12:34:56Z. */
const DATE_MS = 1_589_718_896_000
const KEYWORD = 'TidemailDoctor'
/** Larger than any literal that is sent unasked, and than the buffers of most servers. */
const LARGE_OCTETS = 1_048_576
const NAME = '-Grüße & 日本語'

export const CHECK_DATE_AND_SIZE: Check = {
  id: 'date-and-size',
  what: 'INTERNALDATE and size are those of the upload',
  async run(bench) {
    const letter = bench.letter({ internalDate: DATE_MS })
    await bench.must('own', bench.append(letter))
    const { uids } = await bench.find('rival', [letter])
    const [row] = await bench.rows('rival', UidSet.from(uids), 'identity')
    const { internalDate, sizeBytes } = row?.summary ?? { internalDate: 0, sizeBytes: 0 }
    if (internalDate !== DATE_MS) return contradicts(`The date became ${new Date(internalDate).toISOString()}.`)
    if (sizeBytes !== letter.bytes.length) return contradicts(`${letter.bytes.length} octets became ${sizeBytes}.`)
    return asClaimed('Both are as they were given.')
  },
}

export const CHECK_PERMANENT_FLAGS: Check = {
  id: 'permanent-flags',
  what: 'PERMANENTFLAGS are kept',
  async run(bench) {
    const [uid] = await bench.deliver(1)
    if (uid === undefined) return missing('No message could be put into the mailbox.')
    const { permanentFlags } = (await bench.open('own')).opened
    const system = SYSTEM_FLAGS.filter((flag) => permanentFlags.includes(flag) && flag !== '\\Deleted')
    const hasKeywords = permanentFlags.includes('\\*')
    const flags = [...system, ...(hasKeywords ? [KEYWORD] : [])]
    if (flags.length === 0) return { verdict: 'not offered', sentence: 'No flag is said to be kept.' }
    const refusal = refusalIn(await bench.run('own', bench.store('own', UidSet.of(uid), flags)))
    if (refusal !== null) return contradicts(`They were refused: ${refusal.rejection?.text || refusal.outcome}`)
    await bench.must('own', bench.leave())
    await bench.open('rival')
    const kept = (await bench.rows('rival', UidSet.of(uid), 'flags'))[0]?.flags ?? []
    const lost = flags.filter((flag) => !kept.some((other) => other.toLowerCase() === flag.toLowerCase()))
    if (lost.length > 0) return contradicts(`Not kept: ${lost.join(' ')}.`)
    return asClaimed(hasKeywords ? 'They are, and so are keywords.' : 'They are; no keywords of one’s own can be made.')
  },
}

export const CHECK_LARGE_MESSAGE: Check = {
  id: 'large-message',
  what: 'a large message arrives whole',
  async run(bench) {
    const limit = bench.server.appendLimitOctets
    // A letter has a little more than is asked for.
    const octets = limit === null ? LARGE_OCTETS : Math.min(LARGE_OCTETS, Math.max(0, limit - 1_000))
    const letter = bench.letter({ octets })
    const size = letter.bytes.length
    const refusal = refusalIn(await bench.run('own', bench.append(letter)))
    if (refusal !== null) return missing(`A message of ${size} octets was refused: ${refusal.rejection?.text || refusal.outcome}`)
    const [uid] = (await bench.find('rival', [letter])).uids
    if (uid === undefined) return missing('The message is not listed.')
    const answer = await bench.must('rival', bench.body('rival', uid, size))
    const bytes = answer.find((item) => item.kind === 'body')?.bytes ?? new Uint8Array()
    const isSame = bytes.length === size && bytes.every((octet, i) => octet === letter.bytes[i])
    return isSame
      ? asClaimed(`${size} octets came back as they went.`)
      : contradicts(`${size} octets went, ${bytes.length} came back.`)
  },
}

export const CHECK_NAMES: Check = {
  id: 'names',
  what: 'names of mailboxes keep their letters',
  async run(bench) {
    try {
      return await bench.withMailbox(NAME, (path) => listed(bench, path))
    } catch (error) {
      if (error instanceof MailboxRefused) return missing(`A name with letters beyond ASCII was refused: ${error.reason}`)
      throw error
    }
  },
}

async function listed(bench: Bench, path: string): Promise<CheckResult> {
  const seen = await bench.must('own', bench.list())
  const paths = seen.flatMap((item) => (item.kind === 'mailbox' ? [item.path] : []))
  if (paths.includes(path)) return asClaimed('“Grüße & 日本語” is listed as it was made.')
  const isOther = paths.some((other) => other.normalize('NFC') === path.normalize('NFC'))
  return contradicts(isOther ? 'The name is listed in another form of Unicode.' : 'The name is not listed as it was made.')
}
