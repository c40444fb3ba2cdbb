/** What of the server's words may be shown: one line, no control characters, bounded, no secret. */

const SERVER_TEXT_CHARACTERS_MAX = 200

export function showable(text: string, secrets: readonly string[] = []): string {
  const shown = withoutSecrets(text, secrets)
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
  return shown.length > SERVER_TEXT_CHARACTERS_MAX ? `${shown.slice(0, SERVER_TEXT_CHARACTERS_MAX - 1)}…` : shown
}

export function withoutSecrets(text: string, secrets: readonly string[]): string {
  let masked = text
  for (const secret of secrets) if (secret !== '') masked = masked.replaceAll(secret, '***')
  return masked
}

/** The forms in which a secret may come back: as it is, as LOGIN quotes it, and in Base64 with the user in front (SASL PLAIN). */
export function formsOfSecret(user: string, secret: string): readonly string[] {
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  const quoted = secret.replace(/["\\]/g, '\\$&')
  return [quoted, secret, base64(secret), base64(`\0${user}\0${secret}`), base64(`user=${user}\x01auth=Bearer ${secret}\x01\x01`)]
}
