/** Remembers which mailboxes are to be looked at, until a pass takes them. */

export class ToDo {
  private isAll = false
  private readonly paths = new Set<string>()

  get hasAll(): boolean {
    return this.isAll
  }

  get hasAny(): boolean {
    return this.isAll || this.paths.size > 0
  }

  add(mailboxes: 'all' | readonly string[]): void {
    if (mailboxes === 'all') this.isAll = true
    else for (const path of mailboxes) this.paths.add(path)
  }

  /** Nothing in particular is everything. */
  take(): 'all' | readonly string[] {
    const mailboxes = this.isAll || this.paths.size === 0 ? ('all' as const) : [...this.paths]
    this.isAll = false
    this.paths.clear()
    return mailboxes
  }
}
