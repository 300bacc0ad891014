/** Waiting for what other programs do: always for a condition, always with an end. */
import { setTimeout as pause } from 'node:timers/promises';

/** Far longer than anything takes that is waited for: a slow machine fails no test. */
export const PATIENCE_MS = 90_000;
const POLL_INTERVAL_MS = 25;

/**
 * Polls until the answer is neither `false` nor `undefined`.
 *
 * @param what Completes the sentence "Waited in vain for …".
 * @throws {Error} After `withinMs`, with the last answer.
 */
export async function waitFor<T>(
  what: string,
  ask: () => T | Promise<T>,
  withinMs = PATIENCE_MS,
): Promise<Exclude<T, false | undefined>> {
  const endMs = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== false && answer !== undefined) return answer as Exclude<T, false | undefined>;
    if (performance.now() > endMs) throw new Error(`Waited in vain for ${what} (${withinMs} ms)`);
    await pause(POLL_INTERVAL_MS);
  }
}

/** Lets time pass, for tests whose subject is that nothing happens meanwhile. */
export async function watchFor(durationMs: number): Promise<void> {
  await pause(durationMs);
}
