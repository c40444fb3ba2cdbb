import { defineConfig } from 'vitest/config'

const conditions = ['@tidemail/source', 'import', 'module', 'default']
const resolve = { resolve: { conditions }, ssr: { resolve: { conditions } } }

/** What takes seconds: left out of the quick check, and part of the whole test. */
const SLOW = [
  'test/campaign/**/*.test.ts',
  'test/api/**/*.test.ts',
  'packages/store/src/node/damaged-store.test.ts',
  'test/sim/{folding,drafts.sim,windows.sim,message-store,node-store-crash}.test.ts',
  'test/sim/{parts,mailbox-operations,engine-drafts,engine-background}.test.ts',
  'test/sim/review/interruptions.test.ts',
  'test/wire/{fuzz,examine-server,conformance,conformance-answers,conformance-condstore,engine-sessions,lying-servers}.test.ts',
]

export default defineConfig({
  test: {
    projects: [
      {
        ...resolve,
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'test/{arch,sim,wire,api}/**/*.test.ts'],
          exclude: SLOW,
          testTimeout: 60_000,
        },
      },
      {
        ...resolve,
        test: { name: 'sim', include: SLOW, testTimeout: 600_000 },
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
