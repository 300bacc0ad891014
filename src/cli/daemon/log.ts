/** The amount that a daemon logs; each level includes those before it. */
export const LOG_LEVELS = ['silent', 'error', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Reads `LOG_LEVEL`. `verbose` is another word for `debug`; anything unknown counts as the default. */
export function parseLogLevel(text: string | undefined): LogLevel {
  if (text === 'verbose') return 'debug';
  return LOG_LEVELS.find((level) => level === text) ?? 'error';
}

/**
 * The log of one daemon: one line per event.
 *
 * Lines never hold a key, except the first and last characters of a peer's public key, and never
 * anything that a stranger's datagram can cause below `debug`.
 */
export class Log {
  readonly level: LogLevel;
  readonly #name: string;
  readonly #write: (line: string) => void;

  /** @param name The name of the interface. */
  constructor(level: LogLevel, name: string, write: (line: string) => void) {
    this.level = level;
    this.#name = name;
    this.#write = write;
  }

  error(event: string): void {
    this.#line('error', event);
  }

  info(event: string): void {
    this.#line('info', event);
  }

  debug(event: string): void {
    this.#line('debug', event);
  }

  #line(level: LogLevel, event: string): void {
    if (LOG_LEVELS.indexOf(level) > LOG_LEVELS.indexOf(this.level)) return;
    this.#write(`${new Date().toISOString()} ${level.padEnd(5)} ${this.#name}: ${event}\n`);
  }
}
