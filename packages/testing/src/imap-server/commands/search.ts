/** SEARCH and UID SEARCH, with ESEARCH's RETURN (RFC 9051 §6.4.4, RFC 4731). */

import { UidSet } from '@tidemail/core'
import type { ModelMessage } from '../../model/message.ts'
import { BadCommand } from '../bad-command.ts'
import { textOf, wordsOf } from '../command-syntax.ts'
import type { CommandFamily } from '../reply.ts'
import { type CommandRule, type Invocation, no, ok, type Reply } from '../reply.ts'
import { readCriteria } from '../search-keys.ts'

interface Found {
  readonly message: ModelMessage
  /** UID or sequence number, as the command speaks of them. */
  readonly number: number
}

function search({ session, tag, args, isUid }: Invocation): Reply {
  const { open } = session
  const isExtended = session.can('ESEARCH') && args.accept('RETURN')
  const returned = isExtended ? wordsOf(args.list()) : []
  if (args.accept('CHARSET')) {
    const charset = textOf(args.take()).toUpperCase()
    if (charset !== 'UTF-8' && charset !== 'US-ASCII') return no('Unknown charset', 'BADCHARSET (US-ASCII UTF-8)')
  }
  const criterion = readCriteria(session, args)
  const found = open
    .messages(UidSet.ALL)
    .filter(({ message }) => criterion.matches(message))
    .map(({ message, sequence }) => ({ message, number: isUid ? message.uid : sequence }))
  const modSeq = criterion.usesModSeq && found.length > 0 ? highest(found) : null
  if (isExtended) {
    session.untagged(
      `ESEARCH (TAG "${tag}")${isUid ? ' UID' : ''}${extendedAnswer(found, returned)}${modSeq === null ? '' : ` MODSEQ ${modSeq}`}`,
    )
  } else {
    const numbers = found.map(({ number }) => ` ${number}`).join('')
    session.untagged(`SEARCH${numbers}${modSeq === null ? '' : ` (MODSEQ ${modSeq})`}`)
  }
  return ok('Search completed')
}

function extendedAnswer(found: readonly Found[], returned: readonly string[]): string {
  const wanted = returned.length === 0 ? ['ALL'] : returned
  const numbers = found.map(({ number }) => number)
  let answer = ''
  for (const word of wanted)
    if (!['MIN', 'MAX', 'ALL', 'COUNT'].includes(word)) throw new BadCommand(`Unknown SEARCH return option ${word}`)
  if (wanted.includes('MIN') && numbers.length > 0) answer += ` MIN ${numbers[0]}`
  if (wanted.includes('MAX') && numbers.length > 0) answer += ` MAX ${numbers.at(-1)}`
  if (wanted.includes('ALL') && numbers.length > 0) answer += ` ALL ${UidSet.from(numbers)}`
  if (wanted.includes('COUNT')) answer += ` COUNT ${numbers.length}`
  return answer
}

function highest(found: readonly Found[]): bigint {
  return found.reduce((most, { message }) => (message.modSeq > most ? message.modSeq : most), 0n)
}

const rule: CommandRule = { states: ['selected'], holdsExpunges: true, run: search }

export const SEARCH_COMMANDS: CommandFamily = { plain: { SEARCH: rule }, byUid: { SEARCH: rule } }
