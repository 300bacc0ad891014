import type { Report } from '../map/messages.js';

type PathKind = Report['paths'][string];

/**
 * The paths of one agent as the hub keeps them: the nodes by kind. A table of all nodes for each agent would be most of the hub's
 * memory, and takes five times as much as lists of ids that are there anyway.
 */
export type PathSummary = ReadonlyMap<PathKind, readonly string[]>;

/** A report as the hub keeps it. */
export type KeptReport = Omit<Report, 'paths'> & { readonly paths: PathSummary };

export function keepReport({ paths, ...report }: Report): KeptReport {
  const byKind = new Map<PathKind, string[]>();
  for (const [node, kind] of Object.entries(paths)) {
    const known = byKind.get(kind);
    if (known === undefined) byKind.set(kind, [node]);
    else known.push(node);
  }
  // A list that grew has room for more, which is given back.
  return { ...report, paths: new Map([...byKind].map(([kind, nodes]) => [kind, nodes.slice()])) };
}

/** Writes a summary out, by node. */
export function pathsOf(summary: PathSummary): Record<string, PathKind> {
  return Object.fromEntries([...summary].flatMap(([kind, nodes]) => nodes.map((node) => [node, kind] as const)));
}
