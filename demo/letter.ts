/** Writes a letter of about a given size, with the header lines that mail has. */

const LINE = 'The water comes and goes, and what was written in the sand is written down.\r\n'

export function letter(subject: string, sizeBytes: number): Uint8Array {
  const name = subject.toLowerCase().replace(/[^a-z]+/g, '-')
  const header = [
    'From: Ada <ada@demo.example>',
    'To: Bob <bob@demo.example>',
    `Subject: ${subject}`,
    `Message-ID: <${name}@demo.example>`,
    'Date: Mon, 05 Jan 2026 10:00:00 +0000',
    'Content-Type: text/plain; charset=utf-8',
    '',
    '',
  ].join('\r\n')
  return new TextEncoder().encode(header + LINE.repeat(Math.max(1, Math.ceil((sizeBytes - header.length) / LINE.length))))
}
