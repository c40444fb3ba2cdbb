/** Brings an answer into the form in which two servers can be compared: what a server may choose freely is named by order, or left out. */

import { createHash } from 'node:crypto'
import { UidSet } from '@tidemail/core'
import type { RawAnswer, RawResponse } from '@tidemail/testing'

/** Gives the mod-sequences and UIDVALIDITYs of one server their marks; turned into ranks when the script is over. */
export interface Marks {
  modSeq(mailbox: string, value: string): string
  uidValidity(mailbox: string, value: string): string
}

type Value = string | readonly Value[]

const UNCOMPARED_CODES = ['UNSEEN', 'ALERT', 'CAPABILITY', 'PARSE']
const SYSTEM_NOISE = ['\\Recent', '\\Marked', '\\UnMarked']

export interface AnswerContext {
  readonly command: string
  /** The mailbox that is selected, or about to be. */
  readonly selected: string
  readonly marks: Marks
}

/** One line for each response, those of a list sorted. */
export function normalForm(answer: RawAnswer, context: AnswerContext): string[] {
  const lines = collapseExpunges(answer.lines.flatMap((response) => normalLine(response, context)))
  const tagged = `${answer.status}${codeOf(answer.text, { ...context, isTagged: true })}`
  return [...sortRuns(lines), tagged]
}

function normalLine(response: RawResponse, context: AnswerContext): string[] {
  const [star, first = '', ...rest] = parse(response)
  if (star !== '*') return [response.text]
  if (first === 'OK') {
    const code = codeOf(response.text.slice('* OK '.length), { ...context, isTagged: false })
    return code === '' ? [] : [`* OK${code}`]
  }
  if (typeof first === 'string' && /^\d+$/.test(first)) return numbered(first, rest, context)
  switch (first) {
    case 'FLAGS':
      return [`* FLAGS ${flags(rest[0])}`]
    case 'LIST':
    case 'LSUB':
      return [`* ${first} ${flags(rest[0])} ${show(rest.slice(1))}`]
    case 'STATUS':
      return [`* STATUS ${show(rest[0])} ${statusItems(rest, context)}`]
    case 'VANISHED':
      return [`* VANISHED ${rest.length === 2 ? 'EARLIER ' : ''}${UidSet.parse(String(rest.at(-1)))}`]
    case 'ENABLED':
      return [`* ENABLED ${[...rest].sort().join(' ')}`]
    case 'ESEARCH':
    case 'SEARCH':
      return [`* ${first} ${show(rest.map((value) => searchValue(value, rest, context)))}`]
    default:
      return [`* ${first} ${show(rest)}`]
  }
}

function numbered(number: string, [name = '', items = []]: readonly Value[], context: AnswerContext): string[] {
  if (name === 'RECENT') return []
  if (name !== 'FETCH') return [`* ${number} ${String(name)}`]
  const pairs = pairsOf(items).map(([key, value]) => {
    if (key === 'FLAGS') return `FLAGS ${flags(value)}`
    if (key === 'MODSEQ') return `MODSEQ ${context.marks.modSeq(context.selected, String(value[0]))}`
    return `${key} ${show(value)}`
  })
  return [`* ${number} FETCH ${pairs.sort().join(' ')}`]
}

function pairsOf(items: Value): [string, Value][] {
  const pairs: [string, Value][] = []
  for (let i = 0; i + 1 < items.length; i += 2) pairs.push([String(items[i]), items[i + 1] as Value])
  return pairs
}

function statusItems(rest: readonly Value[], { marks }: AnswerContext): string {
  const mailbox = String(rest[0])
  return pairsOf(rest[1] ?? [])
    .map(([key, value]) => {
      if (key === 'UIDVALIDITY') return `${key} ${marks.uidValidity(mailbox, String(value))}`
      if (key === 'HIGHESTMODSEQ') return `${key} ${marks.modSeq(mailbox, String(value))}`
      return `${key} ${String(value)}`
    })
    .sort()
    .join(' ')
}

/** The tag is the connection's own, and mod-sequences are ranked. */
function searchValue(value: Value, all: readonly Value[], { marks, selected }: AnswerContext): Value {
  if (Array.isArray(value) && value[0] === 'TAG') return 'TAG'
  if (Array.isArray(value) && value[0] === 'MODSEQ') return ['MODSEQ', marks.modSeq(selected, String(value[1]))]
  return all[all.indexOf(value) - 1] === 'MODSEQ' ? marks.modSeq(selected, String(value)) : value
}

/** The response code, without what servers are free to say. */
function codeOf(text: string, { command, selected, marks, isTagged }: AnswerContext & { readonly isTagged: boolean }): string {
  const match = /^(?:(?:OK|NO|BAD) )?\[([A-Z-]+)(?: ([^\]]*))?\]/.exec(text)
  const name = match?.[1]
  const detail = match?.[2] ?? ''
  if (name === undefined || UNCOMPARED_CODES.includes(name)) return ''
  switch (name) {
    case 'HIGHESTMODSEQ': {
      // Dovecot also says it now and then where nothing asks for it.
      const isDue = isTagged ? /^(UID )?(EXPUNGE|MOVE)\b/.test(command) : /^(SELECT|EXAMINE)\b/.test(command)
      return isDue ? ` [${name} ${marks.modSeq(selected, detail)}]` : ''
    }
    case 'UIDVALIDITY':
      return ` [${name} ${marks.uidValidity(selected, detail)}]`
    case 'APPENDUID':
    case 'COPYUID': {
      const [validity = '', ...sets] = detail.split(' ')
      return ` [${name} ${marks.uidValidity(targetOf(command), validity)} ${sets.join(' ')}]`
    }
    case 'PERMANENTFLAGS':
      return ` [${name} ${flags(detail.replace(/[()]/g, '').split(' '))}]`
    default:
      return ` [${name}${detail === '' ? '' : ` ${detail}`}]`
  }
}

/** The mailbox that APPEND, COPY or MOVE puts messages into. */
function targetOf(command: string): string {
  return /^APPEND (\S+)/.exec(command)?.[1] ?? command.split(' ').at(-1) ?? ''
}

function flags(value: Value | undefined): string {
  const list = Array.isArray(value) ? value.map(String) : []
  return `(${list
    .filter((flag) => !SYSTEM_NOISE.includes(flag) && flag !== '')
    .sort()
    .join(' ')})`
}

/** EXPUNGE may come in any order that adds up to the same messages: as the numbers they had before. */
function collapseExpunges(lines: readonly string[]): string[] {
  const result: string[] = []
  let gone: number[] = []
  const close = (): void => {
    if (gone.length > 0) result.push(`* EXPUNGE of ${[...gone].sort((a, b) => a - b).join(',')}`)
    gone = []
  }
  for (const line of lines) {
    const number = /^\* (\d+) EXPUNGE$/.exec(line)?.[1]
    if (number === undefined) {
      close()
      result.push(line)
      continue
    }
    let original = Number(number)
    for (const earlier of [...gone].sort((a, b) => a - b)) if (earlier <= original) original += 1
    gone.push(original)
  }
  close()
  return result
}

/** Rows of one kind that stand together are sorted: FETCH, LIST with STATUS, LSUB. */
function sortRuns(lines: readonly string[]): string[] {
  const kindOf = (line: string): string =>
    /FETCH/.exec(line)?.[0] ?? /^\* (?:LIST|STATUS|LSUB) /.exec(line)?.[0].slice(0, 2) ?? line
  const result: string[] = []
  let run: string[] = []
  for (const line of lines) {
    if (run[0] !== undefined && kindOf(run[0]) !== kindOf(line)) {
      result.push(...run.sort())
      run = []
    }
    run.push(line)
  }
  return [...result, ...run.sort()]
}

function show(value: Value | undefined): string {
  if (value === undefined) return ''
  if (typeof value !== 'string') return `(${value.map(show).join(' ')})`
  return value.length > 120
    ? `${value.length} octets ${createHash('sha256').update(value).digest('hex').slice(0, 12)}`
    : JSON.stringify(value)
}

/** Atoms, strings and literals alike become text; NIL stays NIL; names of sections keep their spaces. */
function parse({ text, literals }: RawResponse): Value[] {
  const root: Value[] = []
  const open: Value[][] = [root]
  const waiting = [...literals]
  for (const [token] of text.matchAll(/\(|\)|"(?:\\.|[^"\\])*"|\{\d+\}|(?:[^\s()"[\]{}]|\[[^\]]*\])+|\[|\]/g)) {
    const top = open.at(-1) as Value[]
    if (token === '(') {
      const list: Value[] = []
      top.push(list)
      open.push(list)
    } else if (token === ')') {
      if (open.length > 1) open.pop()
    } else if (token.startsWith('"')) top.push(token.slice(1, -1).replace(/\\(.)/g, '$1'))
    else if (/^\{\d+\}$/.test(token)) top.push((waiting.shift() ?? Buffer.alloc(0)).toString('latin1'))
    else top.push(token)
  }
  return root
}
