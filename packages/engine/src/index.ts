export type * from './api.ts'
export { createMailEngine } from './create-mail-engine.ts'
export { APPEND_BYTES_MAX } from './new-local-message.ts'
