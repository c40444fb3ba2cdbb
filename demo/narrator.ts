/** Tells a story on a terminal: acts, short paragraphs, aligned figures; modest colour, and that only where somebody can see it. */

const WIDTH = 78
const INDENT = '    '

/** Where the story goes: the standard output, or a test's buffer. */
export interface Stage {
  readonly isTTY?: boolean
  write(text: string): unknown
}

export class Narrator {
  readonly #stage: Stage
  readonly #hasColour: boolean
  #acts = 0

  constructor(stage: Stage, environment: Readonly<Record<string, string | undefined>>) {
    this.#stage = stage
    this.#hasColour = stage.isTTY === true && (environment['NO_COLOR'] ?? '') === ''
  }

  title(text: string): void {
    this.#line(this.#style('1', text))
  }

  act(title: string): void {
    this.#acts += 1
    this.#line('')
    this.#line(this.#style('1;36', `${this.#acts}. ${title}`))
  }

  /** A paragraph, wrapped. */
  say(text: string): void {
    for (const line of wrapped(text, WIDTH - 2)) this.#line(`  ${line}`)
  }

  /** Lines that belong to what was just said. */
  show(lines: readonly string[]): void {
    for (const line of lines) this.#line(INDENT + line)
  }

  /** What is measured, not told. */
  measure(text: string): void {
    for (const line of wrapped(text, WIDTH - 2)) this.#line(this.#style('2', `  ${line}`))
  }

  /** Columns as wide as their widest cell; numbers stand on the right. */
  table(rows: readonly (readonly (string | number)[])[]): void {
    const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => String(row[column] ?? '').length)))
    const cell = (value: string | number, column: number): string =>
      typeof value === 'number' ? String(value).padStart(widths[column] ?? 0) : value.padEnd(widths[column] ?? 0)
    this.show(rows.map((row) => row.map(cell).join('  ').trimEnd()))
  }

  good(text: string): void {
    this.#line(`  ${this.#style('32', text)}`)
  }

  bad(text: string): void {
    this.#line(`  ${this.#style('31', text)}`)
  }

  #style(code: string, text: string): string {
    return this.#hasColour ? `\u001b[${code}m${text}\u001b[0m` : text
  }

  #line(text: string): void {
    this.#stage.write(`${text}\n`)
  }
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}
