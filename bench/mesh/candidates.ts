import { CHECKOUT } from '../../test/lab/implementation.js';
import { attempt } from '../../test/lab/program.js';
import { type Candidate, type Contender, HUB, HUB_JS } from '../contender.js';

const WIRETYPE = `${CHECKOUT}bin/wiretype`;

/** Returns all contenders of the measures of the mesh. */
export function meshCandidates(): Candidate[] {
  return [
    [HUB, () => ours(HUB)],
    [HUB_JS, () => ours(HUB_JS)],
  ];
}

async function ours(title: string): Promise<Contender> {
  const { stdout } = await attempt(WIRETYPE, ['--version']);
  return { kind: 'gateway', title, command: WIRETYPE, version: /\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? 'unknown version' };
}
