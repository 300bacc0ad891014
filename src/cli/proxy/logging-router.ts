import type { Destination } from '../../proxy/exit.js';
import { formatDestination } from '../../proxy/rules/route-error.js';
import { type Route, Router, type RouterParts } from '../../proxy/rules/router.js';

/** A router that prints where each connection goes, or why it does not. */
export class LoggingRouter extends Router {
  readonly #print: (line: string) => void;

  constructor(parts: RouterParts, print: (line: string) => void) {
    super(parts);
    this.#print = print;
  }

  override async route(to: Destination, signal: AbortSignal): Promise<Route> {
    const route = await this.#orPrinted(super.route(to, signal));
    const { name } = route.exit;
    this.#print(`${formatDestination(route.to)} goes ${name === 'direct' ? 'direct' : `through ${name}`}`);
    return route;
  }

  override async dial(route: Route, signal: AbortSignal) {
    return await this.#orPrinted(super.dial(route, signal));
  }

  async #orPrinted<T>(attempt: Promise<T>): Promise<T> {
    try {
      return await attempt;
    } catch (error) {
      if (error instanceof Error) this.#print(error.message);
      throw error;
    }
  }
}
