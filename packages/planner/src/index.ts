export { DEFAULT_POLICY, type Policy } from './policy.ts'
