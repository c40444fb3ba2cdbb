/** The messages of a scenario, by name. */

export function idOf(name: string): string {
  return `<${name}@sweep.example>`
}

/** The name of the message of a Message-ID. */
export function nameOf(messageId: string): string {
  return messageId.slice(1, messageId.indexOf('@'))
}

export function messageCalled(name: string): Uint8Array {
  return new TextEncoder().encode(
    `From: a@sweep.example\r\nSubject: ${name}\r\nMessage-ID: ${idOf(name)}\r\n\r\nText of ${name}.\r\n`,
  )
}
