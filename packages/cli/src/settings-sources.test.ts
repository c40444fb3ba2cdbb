import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { resolveSettings } from './settings.ts'
import { optionsLayer, readConfig, settingsToKeep, storeLayer, variablesLayer } from './settings-sources.ts'

const CONFIGURATION = expect.objectContaining({ code: 'account.configuration' })
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemail-settings-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('variablesLayer', () => {
  it('reads TIDEMAIL_*, with paths from the current folder', () => {
    const variables = {
      TIDEMAIL_HOST: 'h',
      TIDEMAIL_PORT: '1143',
      TIDEMAIL_USER: 'u',
      TIDEMAIL_PASSWORD_FILE: 'pw',
      TIDEMAIL_CA: '',
    }
    expect(variablesLayer(variables, '/here')).toEqual({
      host: 'h',
      port: 1143,
      user: 'u',
      secret: { kind: 'file', path: '/here/pw' },
    })
  })

  it('names the variable of the password, and does not hold the password', () => {
    const layer = variablesLayer({ TIDEMAIL_PASSWORD: 'geheim' }, '/')
    expect(layer.secret).toEqual({ kind: 'variable', name: 'TIDEMAIL_PASSWORD' })
    expect(JSON.stringify(layer)).not.toContain('geheim')
  })

  it.each([
    { TIDEMAIL_PORT: '0' },
    { TIDEMAIL_PORT: '70000' },
    { TIDEMAIL_PORT: 'imap' },
    { TIDEMAIL_SECURITY: 'ssl' },
    { TIDEMAIL_PASSWORD: 'x', TIDEMAIL_PASSWORD_FILE: 'y' },
    { TIDEMAIL_PASSWORD_COMMAND: 'x', TIDEMAIL_PASSWORD_FILE: 'y' },
  ])('refuses %o', (variables) => {
    expect(() => variablesLayer(variables, '/')).toThrow(CONFIGURATION)
  })
})

describe('readConfig', () => {
  const write = async (text: string): Promise<string> => {
    const path = join(folder, 'config.json')
    await writeFile(path, text)
    return path
  }

  it('reads the settings, with paths from the folder of the file', async () => {
    const path = await write('{"host":"h","user":"u","passwordFile":"pw","store":"mail","allowCleartext":true}')
    expect(await readConfig(path, {})).toEqual({
      layer: { host: 'h', user: 'u', allowCleartext: true, secret: { kind: 'file', path: join(folder, 'pw') } },
      store: join(folder, 'mail'),
    })
  })

  it('does without the file in the usual place, but not without one that was named', async () => {
    expect(await readConfig(null, { XDG_CONFIG_HOME: folder })).toEqual({ layer: {}, store: null })
    await expect(readConfig(join(folder, 'none.json'), {})).rejects.toMatchObject({ code: 'input.file-missing' })
  })

  it.each([
    '',
    '[]',
    'null',
    '{"password":"x"}',
    '{"port":"993"}',
    '{"host":""}',
    '{"user":"a\\nb"}',
    '{"allowCleartext":1}',
    '{"hold":"last-weeks:3"}',
  ])('refuses %s', async (text) => {
    await expect(readConfig(await write(text), {})).rejects.toMatchObject({ code: 'account.configuration' })
  })
})

describe('settingsToKeep', () => {
  it('comes back out of the store as it went in, and never holds a password', () => {
    const kept = { bodies: 'all', hold: 'last-days:30' }
    const options = optionsLayer({ host: 'h', user: 'u', port: 1993, ca: 'ca.pem', ...kept, passwordFile: 'pw' }, '/home')
    const settings = resolveSettings({ options, variables: {}, config: {}, store: {} })
    const store = storeLayer({ host: 'h', user: 'u', settings: settingsToKeep(settings) })
    expect(resolveSettings({ options: {}, variables: {}, config: {}, store })).toEqual(settings)
  })

  // Verifies: I-SEC-1
  it('keeps nothing of a password that came in a variable', () => {
    const variables = variablesLayer({ TIDEMAIL_HOST: 'h', TIDEMAIL_USER: 'u', TIDEMAIL_PASSWORD: 'geheim' }, '/')
    const kept = settingsToKeep(resolveSettings({ options: {}, variables, config: {}, store: {} }))
    expect(kept).toEqual({ port: 993, security: 'tls', allowCleartext: false })
  })
})
