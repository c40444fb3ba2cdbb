/** Declares the part of AbortSignal that the ports name, for packages that compile without the types of a browser or of Node. */

declare global {
  interface AbortSignal {
    readonly aborted: boolean
    throwIfAborted(): void
  }
}

export {}
