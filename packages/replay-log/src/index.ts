export type * from './claim.ts'
export type * from './entry.ts'
export type * from './operation.ts'
export type * from './receipt.ts'
