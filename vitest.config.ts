import { defineConfig } from 'vitest/config'

const conditions = ['@tidemail/source', 'import', 'module', 'default']
const resolve = { resolve: { conditions }, ssr: { resolve: { conditions } } }

export default defineConfig({
  test: {
    projects: [
      {
        ...resolve,
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'test/{arch,sim,wire,api}/**/*.test.ts'],
          testTimeout: 60_000,
        },
      },
      {
        ...resolve,
        test: { name: 'sim', include: ['test/campaign/**/*.test.ts'], testTimeout: 600_000 },
      },
      {
        ...resolve,
        test: {
          name: 'server',
          include: ['test/{server,e2e}/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        ...resolve,
        test: { name: 'browser', include: ['test/browser/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 60_000 },
      },
    ],
  },
})
