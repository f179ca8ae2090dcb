/** Columns as docker lays them out: ten wide at least, three spaces between, no trailing blanks. */
export function renderTable(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  leastWidth: number = LEAST_WIDTH,
): string {
  const widths = heads.map((head, column) =>
    Math.max(leastWidth, GAP + Math.max(head.length, ...rows.map((row) => (row[column] ?? '').length))),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('')
      .trimEnd();
  return `${[heads, ...rows].map(line).join('\n')}\n`;
}

const LEAST_WIDTH = 10;
const GAP = 3;
