import { once } from 'node:events';

import { CarriedPort } from '../../mesh/carrier/carried-port.js';
import { checkCarrier, failureText } from '../../mesh/carrier/carrier-check.js';
import { formatListenAddress, listenRefused } from '../../proxy/server/listen-on.js';
import type { CommandIo } from '../command.js';

/**
 * Carries datagrams until it is interrupted.
 *
 * @throws {WireGuardError} ERR_LISTEN; ERR_CARRIER: no hub is reached at the start.
 */
export async function runCarry(
  url: string,
  at: { readonly host: string; readonly port: number },
  io: CommandIo,
): Promise<void> {
  const interruption = io.interruption();
  const say = (line: string): void => io.write(`${line}\n`);
  const sayOnce = unlessRepeated((line) => io.writeError(`${line}\n`));
  const port = await CarriedPort.open({
    ...at,
    url,
    onFailure: (error) => sayOnce(failureText(url, error)),
    onChange: (sender, isOpen) => {
      sayOnce(undefined);
      say(`${sender} ${isOpen ? 'is carried' : 'has lost its connection; the next one is on its way'}`);
    },
    onRefused: (sender) => sayOnce(`${sender} was turned away: 16 others send to this port`),
  }).catch((error) => {
    throw listenRefused(at, error);
  });
  try {
    await checkCarrier(url);
    const shown = formatListenAddress({ ...at, port: port.port });
    say(`Carries what is sent to ${shown}. In the file of the peer: Endpoint = ${shown}`);
    if (!interruption.aborted) await once(interruption, 'abort');
  } finally {
    port.close();
  }
}

/** A hub that is away for an hour is one line. `undefined` makes the next line new again. */
function unlessRepeated(say: (line: string) => void): (line: string | undefined) => void {
  let last: string | undefined;
  return (line) => {
    if (line !== undefined && line !== last) say(line);
    last = line;
  };
}
