/** The length that a UID set may have on a command line: with the rest of the command it stays under 8,192 octets (RFC 7162 §4). */
export const UID_SET_OCTETS_MAX = 7_000
