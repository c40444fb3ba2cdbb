import { describe, expect, it } from 'vitest'
import { isLoopback, requireSameAccount, resolveSettings, type SettingsLayers } from './settings.ts'

const NOTHING: SettingsLayers = { options: {}, variables: {}, config: {}, store: {} }
const ACCOUNT = { host: 'mail.example', user: 'me' } as const

describe('resolveSettings', () => {
  it('takes each setting from the highest place that names it', () => {
    const settings = resolveSettings({
      options: { host: 'a.example' },
      variables: { host: 'b.example', user: 'b' },
      config: { user: 'c', ca: '/c.pem' },
      store: { host: 'd.example', user: 'd', ca: '/d.pem', bodies: 'all' },
    })
    expect(settings).toMatchObject({ host: 'a.example', user: 'b', ca: '/c.pem', bodies: 'all' })
  })

  it('is TLS on port 993 unless something else is said, and port 143 otherwise', () => {
    expect(resolveSettings({ ...NOTHING, options: ACCOUNT })).toMatchObject({ security: 'tls', port: 993 })
    expect(resolveSettings({ ...NOTHING, options: { ...ACCOUNT, security: 'starttls' } }).port).toBe(143)
  })

  it('forgets the kept port when another security is named, and keeps it otherwise', () => {
    const store = { ...ACCOUNT, security: 'tls', port: 1993 } as const
    expect(resolveSettings({ ...NOTHING, store, options: { security: 'starttls' } }).port).toBe(143)
    expect(resolveSettings({ ...NOTHING, store, options: { security: 'tls' } }).port).toBe(1993)
    expect(resolveSettings({ ...NOTHING, store }).port).toBe(1993)
  })

  it('lets the secret of a higher place replace that of a lower one', () => {
    const secret = { kind: 'file', path: '/higher' } as const
    const lower = { kind: 'command', command: 'lower' } as const
    expect(resolveSettings({ ...NOTHING, variables: { ...ACCOUNT, secret }, store: { secret: lower } }).secret).toEqual(secret)
    expect(resolveSettings({ ...NOTHING, variables: ACCOUNT, store: { secret: lower } }).secret).toEqual(lower)
  })

  it.each(['host', 'user'] as const)('says that the %s is missing', (what) => {
    const { [what]: _left, ...rest } = ACCOUNT
    expect(() => resolveSettings({ ...NOTHING, options: rest })).toThrow(
      expect.objectContaining({ code: 'account.configuration' }),
    )
  })

  // Verifies: I-SEC-1
  it('sends a password in clear to this machine only, unless that was allowed', () => {
    const clear = (host: string) => ({ ...NOTHING, options: { host, user: 'me', security: 'none' } as const })
    expect(() => resolveSettings(clear('mail.example'))).toThrow(expect.objectContaining({ code: 'remote.cleartext-refused' }))
    expect(resolveSettings(clear('127.0.0.1')).security).toBe('none')
    const allowed = { ...clear('mail.example'), config: { allowCleartext: true } }
    expect(resolveSettings(allowed).security).toBe('none')
  })
})

describe('isLoopback', () => {
  it.each(['localhost', 'LOCALHOST', '127.0.0.1', '127.8.9.10', '::1', '[::1]'])('is so for %s', (host) => {
    expect(isLoopback(host)).toBe(true)
  })

  it.each(['128.0.0.1', '127.example.org', 'localhost.example.org', '::2', '0.0.0.0', '127.1'])('is not so for %s', (host) => {
    expect(isLoopback(host)).toBe(false)
  })
})

describe('requireSameAccount', () => {
  it('takes the same host in any case, and whatever is not named', () => {
    expect(() => requireSameAccount({ host: 'MAIL.example', user: 'me' }, ACCOUNT)).not.toThrow()
    expect(() => requireSameAccount({}, ACCOUNT)).not.toThrow()
  })

  it.each([{ host: 'other.example' }, { user: 'Me' }])('refuses %o', (named) => {
    expect(() => requireSameAccount(named, ACCOUNT)).toThrow(expect.objectContaining({ code: 'account.mismatch' }))
  })
})
