import { useEffect } from 'preact/hooks';

import { attempt } from './ui.js';

/** Loads a list when its part of the page appears. @returns A function that does something, and loads the list again. */
export function useReloading(load: () => Promise<unknown>): (work: () => Promise<unknown>) => Promise<void> {
  useEffect(() => {
    void attempt(load);
  }, []);
  return (work) =>
    attempt(async () => {
      await work();
      await load();
    });
}
