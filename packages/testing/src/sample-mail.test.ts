import { describe, expect, it } from 'vitest'
import { readEntity } from './model/mime/entity.ts'
import { headerValue } from './model/mime/header.ts'
import { decodeMessage } from './model/mime/summary.ts'
import { sampleMessages } from './sample-mail.ts'

describe('sampleMessages', () => {
  const messages = sampleMessages({ count: 400, seed: 7 })

  it('gives the same series for the same seed, and a prefix of it for a smaller count', () => {
    expect(sampleMessages({ count: 20, seed: 7 })).toEqual(messages.slice(0, 20))
    expect(sampleMessages({ count: 20, seed: 8 })).not.toEqual(messages.slice(0, 20))
  })

  it('ends every line with CRLF and stays between 500 octets and 60 kB', () => {
    for (const { bytes } of messages) {
      for (const [i, octet] of bytes.entries()) if (octet === 10) expect(bytes[i - 1]).toBe(13)
      expect(bytes.at(-1)).toBe(10)
      expect(bytes.length).toBeGreaterThanOrEqual(500)
      expect(bytes.length).toBeLessThan(60_000)
    }
    expect(Math.max(...messages.map(({ bytes }) => bytes.length))).toBeGreaterThan(20_000)
  })

  it('holds what mail is made of: alternatives, attachments, threads, encoded subjects, and some without Message-ID', () => {
    const decoded = messages.map(({ bytes }) => decodeMessage(bytes))
    const parts = decoded.flatMap((message) => message.parts)
    expect(new Set(parts.map(({ type }) => type))).toEqual(
      new Set(['text/plain', 'text/html', 'application/octet-stream', 'message/rfc822']),
    )
    expect(parts.some(({ fileName }) => fileName === 'chart-1.bin')).toBe(true)
    expect(decoded.some(({ envelope }) => envelope.subject?.startsWith('潮の満ち引きについて') === true)).toBe(true)
    expect(decoded.some(({ envelope }) => envelope.from[0]?.name === 'Björn Åström')).toBe(true)
    const withoutId = decoded.filter(({ envelope }) => envelope.messageId === null)
    expect(withoutId.length).toBeGreaterThan(5)
    expect(withoutId.length).toBeLessThan(80)
    const ids = new Set(decoded.map(({ envelope }) => envelope.messageId))
    const replies = messages.flatMap(({ bytes }) => headerValue(readEntity(bytes).header, 'References') ?? [])
    expect(replies.length).toBeGreaterThan(50)
    expect(replies.every((id) => ids.has(id))).toBe(true)
  })

  it('rises in date, in whole seconds, and varies flags and keywords', () => {
    const dates = messages.map(({ internalDate }) => internalDate)
    expect([...dates].sort((a, b) => a - b)).toEqual(dates)
    expect(dates.every((date) => date % 1000 === 0)).toBe(true)
    const flags = new Set(messages.flatMap((message) => message.flags))
    for (const flag of ['\\Seen', '\\Flagged', '\\Answered', '$Forwarded']) expect(flags).toContain(flag)
  })
})
