/** The flags and keywords that the user and the rival set: few, so that they meet. */

import type { Flag } from '@tidemail/core'

export const FLAGS: readonly Flag[] = ['\\Seen', '\\Flagged', '\\Answered', '$Work']
