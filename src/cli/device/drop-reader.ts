import { join } from 'node:path';

import { UapiClient } from '../../control/uapi-client.js';
import type { ReceivedExplanation } from '../../control/uapi-explain-text.js';
import { WireGuardError } from '../../core/errors.js';
import type { WgContext } from '../wg/wg-context.js';

/** Reads what the daemon of an interface dropped. Only wiretyped reports that: another daemon is queried only once. */
export function dropReader(
  { socketDirectory }: WgContext,
  interfaceName: string,
): () => Promise<ReceivedExplanation | undefined> {
  const client = new UapiClient(join(socketDirectory, `${interfaceName}.sock`));
  let isReported = true;
  return async () => {
    const explanation = isReported ? await explainOrNothing(client) : undefined;
    isReported = explanation !== undefined;
    return explanation;
  };
}

async function explainOrNothing(client: UapiClient): Promise<ReceivedExplanation | undefined> {
  try {
    return await client.explain();
  } catch (error) {
    if (error instanceof WireGuardError) return undefined;
    throw error;
  }
}
