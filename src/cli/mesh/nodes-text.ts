import type { NodeBody } from '../../server/operations/mesh-schemas.js';
import { formatTextTable } from '../device/text-table.js';

/** Shows the nodes of a network on a terminal. */
export function nodesText(nodes: readonly NodeBody[]): string {
  if (nodes.length === 0) return 'No nodes yet: wiretype mesh invite\n';
  const columns = [
    { title: 'node', cells: nodes.map(({ name }) => name) },
    { title: 'address', cells: nodes.map(({ addresses }) => addresses[0] ?? '') },
    { title: 'kind', cells: nodes.map(({ kind }) => kind) },
    { title: 'state', cells: nodes.map(stateText) },
    { title: 'paths', cells: nodes.map(pathsText) },
    { title: 'seen at', cells: nodes.map(({ observed }) => observed ?? '') },
    { title: 'leads to', cells: nodes.map(({ routes, offeredRoutes }) => routesText(routes, offeredRoutes)) },
  ];
  return [...formatTextTable(columns, undefined, []), ''].join('\n');
}

function stateText({ state, hasSharedKey }: NodeBody): string {
  return hasSharedKey ? `${state}; two hosts use its key` : state;
}

function pathsText({ paths }: NodeBody): string {
  const counts = new Map<string, number>();
  for (const kind of Object.values(paths)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts].map(([kind, count]) => `${count} ${kind}`).join(', ');
}

function routesText(routes: readonly string[], offered: readonly string[]): string {
  return [...routes, ...offered.map((route) => `${route} (not approved)`)].join(', ');
}
