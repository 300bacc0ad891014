import { cutText, padText, textWidth } from './text-width.js';

const GAP = '  ';

/** A column of a table, with a cell for each row. */
export interface TextColumn {
  readonly title: string;
  readonly cells: readonly string[];
  /** Numbers are aligned on the right. */
  readonly isRight?: boolean;
}

/** A column to give up if a table is too wide: the column is cut down to `minWidth`, and dropped by 0. */
export interface TableSacrifice {
  readonly title: string;
  readonly minWidth: number;
}

/**
 * Lays out a table.
 *
 * @param width The columns of the terminal; `undefined`: unlimited.
 * @param sacrifices Applied in this order until the table fits. Lines that are still too long are cut.
 * @returns The line of titles, and one line for each row.
 */
export function formatTextTable(
  columns: readonly TextColumn[],
  width: number | undefined,
  sacrifices: readonly TableSacrifice[],
): string[] {
  const laidOut = columns.map((column) => ({ ...column, width: widestOf(column) }));
  const limit = width ?? Number.POSITIVE_INFINITY;
  let kept = laidOut;
  for (const { title, minWidth } of sacrifices) {
    const excess = totalWidth(kept) - limit;
    if (excess <= 0) break;
    const column = kept.find((candidate) => candidate.title === title)!;
    if (minWidth === 0) kept = kept.filter((candidate) => candidate !== column);
    else column.width = Math.max(Math.min(minWidth, column.width), column.width - excess);
  }
  const rows = Math.max(0, ...columns.map(({ cells }) => cells.length));
  return Array.from({ length: rows + 1 }, (_, row) => {
    const cells = kept.map((column) => {
      const text = row === 0 ? column.title : column.cells[row - 1]!;
      return padText(cutText(text, column.width), column.width, column.isRight);
    });
    return cutText(cells.join(GAP).trimEnd(), limit);
  });
}

function widestOf({ title, cells }: TextColumn): number {
  return cells.reduce((widest, cell) => Math.max(widest, textWidth(cell)), textWidth(title));
}

function totalWidth(columns: readonly { readonly width: number }[]): number {
  return columns.reduce((sum, { width }) => sum + width + GAP.length, -GAP.length);
}
