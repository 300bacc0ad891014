import { isCommandError } from '../../host/net/command-error.js';
import type { Commands } from '../../host/net/commands.js';
import { bypassOthers, divertUntilGone, removeBypass, removeRules } from '../../host/net/default-route.js';
import { addFirewall, removeFirewall } from '../../host/net/firewall.js';
import { queryAddresses, queryRules } from '../../host/net/ip-query.js';
import { parsePrefix } from '../../host/net/prefix.js';
import { markSourceValidation, restoreSourceValidation } from '../../host/net/source-validation.js';
import type { IpFamily } from '../../wire/endpoint.js';

/** Firewall mark of all that an agent itself sends, and number of the table for everything else. */
export const EXIT_MARK = 51_821;

/**
 * The way into an agent's interface for all traffic of the host, but the agent's own and that to networks which the main table knows
 * better than by a default route.
 *
 * It stands whether or not the exit may be used: until it may, and from when it may no longer, nothing leaves (docs/decisions/0120).
 * After a kill the route goes with the interface, and the rules lead nowhere; the next `open` takes them over.
 */
export class ExitRoutes {
  readonly #commands: Commands;
  readonly #interfaceName: string;
  readonly #families: readonly IpFamily[];
  /** Keeps the old value of a switch. */
  readonly #stateFolder: string;

  constructor(commands: Commands, interfaceName: string, families: readonly IpFamily[], stateFolder: string) {
    this.#commands = commands;
    this.#interfaceName = interfaceName;
    this.#families = families;
    this.#stateFolder = stateFolder;
  }

  /** Requires that the agent's own datagrams have the mark. @throws {WireGuardError} ERR_COMMAND_FAILED, ERR_COMMAND_MISSING */
  async open(): Promise<void> {
    await this.#removeRules();
    try {
      for (const family of this.#families) {
        await bypassOthers(this.#commands, family, EXIT_MARK);
        const everything = parsePrefix('default', family)!;
        await divertUntilGone(this.#commands, this.#interfaceName, everything, EXIT_MARK);
      }
      await this.#letAnswersIn();
    } catch (error) {
      await this.clear();
      throw error;
    }
  }

  /** Removes what `open` made, also that of an agent that was killed. */
  async clear(): Promise<void> {
    if (!(await queryRules(this.#commands, 4)).some(({ mark }) => mark === EXIT_MARK)) return;
    await removeFirewall(this.#commands, this.#interfaceName);
    await this.#removeRules();
    await restoreSourceValidation(this.#commands, this.#stateFolder);
  }

  async #removeRules(): Promise<void> {
    for (const family of this.#families) {
      await removeRules(this.#commands, this.#interfaceName, family, EXIT_MARK);
      await removeBypass(this.#commands, family, EXIT_MARK);
      const route = ['default', 'dev', this.#interfaceName, 'table', String(EXIT_MARK)];
      await this.#commands.ask(['ip', `-${family}`, 'route', 'delete', ...route]);
    }
  }

  /** A strict reverse path filter accepts answers to marked packets only if they have the mark as well. */
  async #letAnswersIn(): Promise<void> {
    markSourceValidation(this.#commands, this.#stateFolder);
    const addresses = await queryAddresses(this.#commands, this.#interfaceName);
    const rules = { interfaceName: this.#interfaceName, addresses, mark: EXIT_MARK, hasTcp: true };
    try {
      for (const family of this.#families) await addFirewall(this.#commands, { ...rules, family });
    } catch (error) {
      if (!isCommandError(error)) throw error;
      this.#commands.warn(`${error.message}: where rp_filter is 1, answers are dropped`);
    }
  }
}
