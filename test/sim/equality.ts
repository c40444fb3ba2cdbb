/** The normal form in which a store and a server are compared (docs/spec/equality.md). */

export { type NormalForm, serverForm, storeForm } from '@tidemail/simulator'
