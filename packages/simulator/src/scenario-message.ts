/** The messages of a scenario, by name. */

export function idOf(name: string): string {
  return `<${name}@sweep.example>`
}

export function messageCalled(name: string): Uint8Array {
  return new TextEncoder().encode(
    `From: a@sweep.example\r\nSubject: ${name}\r\nMessage-ID: ${idOf(name)}\r\n\r\nText of ${name}.\r\n`,
  )
}
