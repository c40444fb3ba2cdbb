/** Watches a proxied connection: which commands were answered, and how far each direction was by then. */

import type { FaultProxy, ProxiedCommand } from '@tidemail/testing'

/** How long a command is on the wire, and what follows the answers before it up to its own tagged one. */
export interface WireSpan {
  readonly command: string
  readonly direction: 'up' | 'down'
  /** Which of its kind, from 1. */
  readonly nth: number
  readonly octets: number
}

export class WireWatch {
  #octetsDown = 0
  #greetingOctets = 0
  /** The octet behind the tagged answer, by tag. */
  #answers = new Map<string, number>()

  /** For the proxy: it hands on every line as it is. */
  readonly rewriteLine = (line: string): string => {
    const literal = /\{(\d+)\}$/.exec(line)?.[1]
    const isFirst = this.#octetsDown === 0
    this.#octetsDown += line.length + 2 + Number(literal ?? 0)
    if (isFirst && line.startsWith('* OK ')) this.#greetingOctets = this.#octetsDown
    const tag = /^([^\s*+]+) (?:OK|NO|BAD)\b/.exec(line)?.[1]
    if (tag !== undefined) this.#answers.set(tag, this.#octetsDown)
    return line
  }

  /** Starts counting anew, here and in the proxy, while nothing is under way. */
  begin(proxy: FaultProxy): void {
    proxy.reset()
    this.#octetsDown = 0
    this.#greetingOctets = 0
    this.#answers = new Map()
  }

  /** The names of the commands whose answer has not come through to the client. */
  unanswered(proxy: FaultProxy): readonly string[] {
    const { bytesDown } = proxy.counts()
    return proxy.commands.filter(({ tag }) => (this.#answers.get(tag) ?? Infinity) > bytesDown).map(kindOf)
  }

  /** Every command of one connection with its octets in both directions. What proves who logs in is not shown, and not counted. */
  spans({ commands }: FaultProxy): readonly WireSpan[] {
    const spans: WireSpan[] = []
    const counts = new Map<string, number>()
    let answered = this.#greetingOctets
    for (const one of commands) {
      const command = kindOf(one)
      const nth = (counts.get(command) ?? 0) + 1
      counts.set(command, nth)
      spans.push({ command, direction: 'up', nth, octets: octetsOf(one) })
      const end = this.#answers.get(one.tag) ?? answered
      if (end > answered) spans.push({ command, direction: 'down', nth, octets: end - answered })
      answered = Math.max(answered, end)
    }
    return spans
  }
}

/** Opening and leaving mailboxes is one kind of step, and so is looking at which there are, whichever command it takes. */
export function kindOf({ name }: ProxiedCommand): string {
  if (name === 'EXAMINE' || name === 'UNSELECT') return 'SELECT'
  return name === 'LSUB' ? 'LIST' : name
}

/** Its line shows literals as `{310+}`. */
function octetsOf({ line }: ProxiedCommand): number {
  const literals = [...line.matchAll(/\{(\d+)\+?\}/g)].map((found) => Number(found[1]) + 2)
  return literals.reduce((sum, octets) => sum + octets, Buffer.byteLength(line) + 2)
}
