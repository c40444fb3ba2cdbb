/** Makes a capable server look like a poorer one: what it advertises, which answers it gives and which commands it refuses. */

/** What a masked server still admits to. */
export interface ServerMask {
  /** The capabilities that stay, where the real server has them. IMAP4rev1, AUTH=* and LOGINDISABLED always stay. */
  readonly capabilities: readonly string[]
  /** Capabilities that are advertised although the real server lacks them. */
  readonly claims?: readonly string[]
  /**
   * What is taken out of the answers: response codes by name (`APPENDUID`, `COPYUID`, `HIGHESTMODSEQ`, `UIDNEXT` ...; the last two
   * also out of STATUS), `MODSEQ` (out of FETCH, SEARCH and ESEARCH), `ENABLED` (the untagged line), `SPECIAL-USE` (the attributes in LIST)
   * and `CUSTOM-KEYWORDS` (the `\*` of PERMANENTFLAGS).
   */
  readonly strip?: readonly string[]
}

/** Null drops the line. */
export type RewriteServerLine = (line: string) => string | null
export type RewriteCommandLine = (line: string) => string

const ALWAYS_ADVERTISED = /^(?:IMAP4rev1$|AUTH=|LOGINDISABLED$)/i

/** What a server that lacks the capabilities does not understand. Any one of the names makes the command understood. */
const GATED: readonly { readonly needs: readonly string[]; readonly command: RegExp }[] = [
  { needs: ['MOVE'], command: /^(?:UID )?MOVE / },
  { needs: ['UIDPLUS'], command: /^UID EXPUNGE / },
  { needs: ['ENABLE', 'CONDSTORE', 'QRESYNC'], command: /^ENABLE / },
  { needs: ['UNSELECT'], command: /^UNSELECT$/ },
  { needs: ['IDLE'], command: /^IDLE$/ },
  { needs: ['NAMESPACE'], command: /^NAMESPACE$/ },
  { needs: ['ID'], command: /^ID / },
  { needs: ['COMPRESS=DEFLATE'], command: /^COMPRESS / },
  { needs: ['STARTTLS'], command: /^STARTTLS$/ },
  { needs: ['SASL-IR'], command: /^AUTHENTICATE \S+ \S/ },
  { needs: ['CONDSTORE', 'QRESYNC'], command: /^(?:SELECT|EXAMINE) .*\(CONDSTORE\)$/ },
  { needs: ['CONDSTORE', 'QRESYNC'], command: /^(?:UID )?(?:FETCH|STORE) .*\((?:UN)?CHANGEDSINCE / },
  { needs: ['CONDSTORE', 'QRESYNC'], command: /^(?:UID )?FETCH \S+ (?:\(|\(.* )?MODSEQ\b/ },
  { needs: ['CONDSTORE', 'QRESYNC'], command: /^(?:STATUS|LIST) .*\(.*HIGHESTMODSEQ/ },
  { needs: ['QRESYNC'], command: /^(?:SELECT|EXAMINE) .*\(QRESYNC / },
  { needs: ['QRESYNC'], command: /^UID FETCH .* VANISHED\)$/ },
  { needs: ['ESEARCH'], command: /^(?:UID )?SEARCH RETURN / },
  { needs: ['SORT'], command: /^(?:UID )?SORT / },
  { needs: ['THREAD=REFERENCES', 'THREAD=ORDEREDSUBJECT', 'THREAD=REFS'], command: /^(?:UID )?THREAD / },
  { needs: ['LIST-EXTENDED', 'LIST-STATUS', 'SPECIAL-USE'], command: /^LIST (?:\(|.* RETURN \()/ },
  { needs: ['LIST-STATUS'], command: /^LIST .* RETURN \(.*STATUS \(/ },
  { needs: ['SPECIAL-USE'], command: /^LIST .*\(.*SPECIAL-USE/ },
  { needs: ['OBJECTID'], command: /^STATUS .*\(.*MAILBOXID|^(?:UID )?FETCH \S+ .*\b(?:EMAILID|THREADID)\b/ },
  { needs: ['NOTIFY'], command: /^NOTIFY / },
  { needs: ['REPLACE'], command: /^(?:UID )?REPLACE / },
  { needs: ['METADATA'], command: /^[GS]ETMETADATA / },
  { needs: ['QUOTA'], command: /^[GS]ETQUOTA/ },
]

/** Why this server would not understand the command (its text without the tag), or null where it would. */
export function refusalOf(mask: ServerMask, text: string): string | null {
  const allowed = allowedNames(mask)
  const upper = text.toUpperCase()
  const gate = GATED.find(({ needs, command }) => command.test(upper) && !needs.some((name) => allowed.has(name)))
  if (gate !== undefined) return `${gate.needs[0]} is not known here`
  const literal = /\{(\d+)\+\}$/.exec(text)
  if (literal === null || allowed.has('LITERAL+')) return null
  return allowed.has('LITERAL-') && Number(literal[1]) <= 4096 ? null : 'LITERAL+ is not known here'
}

/** ENABLE keeps only what the mask admits to: RFC 5161 §3.1 has a server ignore names it does not know. */
export function maskClientLine(mask: ServerMask, line: string): string {
  const enable = /^(\S+ ENABLE) (.*)$/i.exec(line)
  if (enable === null) return line
  const allowed = allowedNames(mask)
  const names = (enable[2] ?? '').split(' ').filter((name) => allowed.has(name.toUpperCase()))
  return `${enable[1]} ${names.length > 0 ? names.join(' ') : 'X-NOTHING'}`
}

/** Applies the mask to one line of the server. */
export function serverLineMask(mask: ServerMask): RewriteServerLine {
  const allowed = allowedNames(mask)
  const strip = new Set((mask.strip ?? []).map((name) => name.toUpperCase()))
  return (line) => {
    if (strip.has('ENABLED') && /^\* ENABLED\b/i.test(line)) return null
    const capabilities = maskCapabilities(line, allowed, mask.claims ?? [])
    const withoutCodes = stripCode(capabilities, strip)
    return withoutCodes === null ? null : stripItems(withoutCodes, strip)
  }
}

function maskCapabilities(line: string, allowed: ReadonlySet<string>, claims: readonly string[]): string {
  return line.replace(/(^\* CAPABILITY |\[CAPABILITY )([^\]]*)/i, (_all, start: string, names: string) => {
    const kept = names
      .split(' ')
      .filter((name) => name !== '' && (allowed.has(name.toUpperCase()) || ALWAYS_ADVERTISED.test(name)))
    return start + [...kept, ...claims].join(' ')
  })
}

/** Untagged, the code is all the line had to say; tagged, only the code goes. */
function stripCode(line: string, strip: ReadonlySet<string>): string | null {
  const code = /^(\S+) (?:OK|NO|BAD) (\[([A-Z-]+)[^\]]*\] ?)/i.exec(line)
  if (code === null || !strip.has((code[3] ?? '').toUpperCase())) return line
  return code[1] === '*' ? null : line.replace(code[2] ?? '', '')
}

function stripItems(line: string, strip: ReadonlySet<string>): string {
  let rest = line
  if (strip.has('MODSEQ') && !/^\* STATUS /i.test(rest)) {
    rest = rest
      .replace(/ MODSEQ \(\d+\)/gi, '')
      .replace(/\(MODSEQ \(\d+\) ?/gi, '(')
      .replace(/^(\* SEARCH.*) \(MODSEQ \d+\)/i, '$1')
      .replace(/^(\* ESEARCH.*) MODSEQ \d+/i, '$1')
  }
  if (/^\* STATUS /i.test(rest)) {
    for (const item of ['HIGHESTMODSEQ', 'UIDNEXT']) {
      if (strip.has(item))
        rest = rest.replace(new RegExp(` ${item} \\d+`, 'i'), '').replace(new RegExp(`\\(${item} \\d+ ?`, 'i'), '(')
    }
  }
  if (strip.has('SPECIAL-USE') && /^\* (?:LIST|LSUB|XLIST) /i.test(rest)) {
    rest = rest.replace(/ ?\\(?:All|Archive|Drafts|Flagged|Important|Junk|Sent|Trash)\b/gi, '').replace('( ', '(')
  }
  if (strip.has('CUSTOM-KEYWORDS') && rest.includes('[PERMANENTFLAGS')) rest = rest.replace(' \\*)', ')').replace('(\\*)', '()')
  return rest
}

function allowedNames(mask: ServerMask): ReadonlySet<string> {
  return new Set([...mask.capabilities, ...(mask.claims ?? [])].map((name) => name.toUpperCase()))
}
