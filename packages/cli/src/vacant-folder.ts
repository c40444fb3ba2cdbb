/** Tells whether a folder has still to become a store: it is not there, or there is nothing in it. */

import { readdir } from 'node:fs/promises'

export async function isVacant(directory: string): Promise<boolean> {
  try {
    return (await readdir(directory)).length === 0
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT'
  }
}
