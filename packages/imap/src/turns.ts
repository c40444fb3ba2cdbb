/** Lets one at a time use the connection, in the order in which they asked. */

export class Turns {
  #last: Promise<void> = Promise.resolve()

  /** Resolves when it is our turn, with what ends it. */
  async take(): Promise<() => void> {
    const before = this.#last
    let end = (): void => {}
    this.#last = new Promise((resolve) => {
      end = resolve
    })
    await before
    return end
  }
}
