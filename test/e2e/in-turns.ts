/** Runs a few trials at once: most of a trial is waiting for a server to fall silent. */

export async function inTurns<T, R>(
  items: readonly T[],
  run: (item: T, index: number) => Promise<R>,
  { atOnce }: { readonly atOnce: number },
): Promise<readonly R[]> {
  const results: R[] = []
  const waiting = [...items.entries()]
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) results[next[0]] = await run(next[1], next[0])
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return results
}
