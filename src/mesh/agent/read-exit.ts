import type { ExitStatus } from './agent-status.js';
import type { MeshAgent } from './mesh-agent.js';

/** Tests whether a range is everything of its family. */
export function isExitRoute(route: string): boolean {
  return route.endsWith('/0');
}

/** Reads by whom everything leaves. @returns `undefined`: no exit was chosen. */
export function readExit({ exitNode, map, state }: MeshAgent): ExitStatus | undefined {
  if (exitNode === undefined) return undefined;
  const nodes = [...map.entries.values()].map(({ record }) => record).filter(({ id }) => id !== state.id);
  const found = nodes.find(({ id, name }) => id === exitNode || name === exitNode);
  return { node: exitNode, isKnown: found !== undefined, routes: found?.routes.filter(isExitRoute) ?? [] };
}
