/**
 * Runs work that sends requests to a daemon, and replaces its failures with errors that explain them.
 *
 * @throws {WireGuardError} ERR_CONTROL_UNREACHABLE, ERR_DAEMON_ENDED, ERR_CONTROL_REPLY, ERR_CONTROL_REFUSED,
 *   ERR_PORT_IN_USE, ERR_KERNEL_REFUSED, ERR_ADDON_MISSING, ERR_INTERFACE_NAME; ERR_USAGE for misplaced words.
 */
export async function explained<T>(name: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const { explain } = await import('./explain-failure.js');
    const { explainAbsence } = await import('./absent-interface.js');
    throw explainAbsence(name, explain(name, error));
  }
}
