/** What passes over the wire, for traces: octets as they come, and lines with literals left out and secrets masked. */

export type WireDirection = 'up' | 'down'

export type WireEvent =
  | { readonly kind: 'octets'; readonly direction: WireDirection; readonly octets: number }
  | { readonly kind: 'line'; readonly direction: WireDirection; readonly text: string }

export type WireListener = (event: WireEvent) => void
