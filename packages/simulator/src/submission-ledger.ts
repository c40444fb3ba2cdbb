/** Keeps account of what was to be sent, and of what was handed over: each at most once, and what nobody can tell of only where nobody can. */

interface Submission {
  /** How often it may be handed over: once, and once more each time the user lets it be sent again. */
  allowed: number
  taken: number
  /** Whether whoever made the last attempt heard what became of it, and lives. */
  isAnswered: boolean
  /** Whether it was never accepted, taken back or given up. */
  isWithdrawn: boolean
}

/** Messages are told apart by their Message-ID. */
export class SubmissionLedger {
  readonly #submissions = new Map<string, Submission>()

  ask(id: string): void {
    this.#submissions.set(id, { allowed: 1, taken: 0, isAnswered: false, isWithdrawn: false })
  }

  withdraw(ids: readonly string[]): void {
    for (const id of ids) {
      const submission = this.#submissions.get(id)
      if (submission !== undefined) submission.isWithdrawn = true
    }
  }

  /** The user lets it be sent again, of which nobody can tell whether it was. */
  allowRepeat(ids: readonly string[]): void {
    for (const id of ids) {
      const submission = this.#submissions.get(id)
      if (submission !== undefined) submission.allowed += 1
    }
  }

  /** Enters an attempt, and answers what is wrong with it. */
  enter(id: string, { isTaken }: { readonly isTaken: boolean }): string[] {
    const submission = this.#submissions.get(id)
    if (submission === undefined) return [`${id} was handed over, which nobody asked for`]
    submission.isAnswered = false
    if (!isTaken) return []
    submission.taken += 1
    const { allowed, taken } = submission
    return taken > allowed ? [`${id} was sent ${taken} times, asked for were ${allowed}`] : []
  }

  /** Whether a message that was to be sent was not: then no copy of it is to be kept as sent. */
  isUnsent(id: string): boolean {
    return this.#submissions.get(id)?.taken === 0
  }

  /** The process that handed it over hears the answer. */
  answer(id: string): void {
    const submission = this.#submissions.get(id)
    if (submission !== undefined) submission.isAnswered = true
  }

  /** A process is dead: what it had heard, and not written, nobody knows. */
  forgetAnswers(): void {
    for (const submission of this.#submissions.values()) submission.isAnswered = false
  }

  /** Whether it is known what became of the last attempt: then it is no matter for the user. */
  isAnswered(id: string): boolean {
    return this.#submissions.get(id)?.isAnswered === true
  }

  /** What was accepted to be sent, and neither was nor was given up. */
  get unsent(): readonly string[] {
    return [...this.#submissions].flatMap(([id, { isWithdrawn, taken }]) => (taken === 0 && !isWithdrawn ? [id] : []))
  }
}
