/** Finds programs where servers live, which is outside the search path of an ordinary user. */

import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

const SERVER_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/sbin']

/** The full path of an executable, or null. */
export function findProgram(name: string): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...SERVER_FOLDERS]
  return folders.map((folder) => join(folder, name)).find(isExecutable) ?? null
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
