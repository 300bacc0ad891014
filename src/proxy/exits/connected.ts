import type { ExitStream } from '../exit.js';

/** Waits until a stream is connected. The stream is destroyed when the signal gives up on it. */
export function connected<Stream extends ExitStream>(stream: Stream, signal: AbortSignal): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      signal.removeEventListener('abort', giveUp);
      stream.removeListener('connect', succeed);
      stream.removeListener('error', fail);
    };
    const succeed = (): void => {
      settle();
      resolve(stream);
    };
    const fail = (error: Error): void => {
      settle();
      reject(error);
    };
    const giveUp = (): void => {
      settle();
      stream.on('error', () => {});
      stream.destroy();
      reject(signal.reason);
    };
    stream.on('connect', succeed);
    stream.on('error', fail);
    if (signal.aborted) giveUp();
    else signal.addEventListener('abort', giveUp, { once: true });
  });
}
