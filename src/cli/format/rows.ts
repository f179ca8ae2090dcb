/** `--format` of the listing commands: a table, a table with a template of one's own, JSON lines, or a template. */
import { renderTable } from './table.ts';
import { compileTemplate } from './template.ts';

/** Values by the names docker gives them. A function is a method, `{{.Label "x"}}`. */
export type Row = Readonly<Record<string, unknown>>;

export interface RowFormat {
  /** The table's columns where no template says others. */
  readonly columns: readonly string[];
  /** Field -> head of its column. */
  readonly heads: Row;
}

export function renderRows(format: string | undefined, { columns, heads }: RowFormat, rows: readonly Row[]): string {
  const asked = format === undefined || format === '' ? 'table' : format;
  if (asked === 'table') {
    return renderTable(
      columns.map((column) => String(heads[column])),
      rows.map((row) => columns.map((column) => String(row[column]))),
    );
  }
  if (!asked.startsWith('table ')) {
    const render = compileTemplate(asked);
    return rows.map((row) => `${render(row)}\n`).join('');
  }
  const render = compileTemplate(asked.slice('table '.length).trim());
  const cells = (row: Row) => render(row).split('\t');
  return renderTable(cells(heads), rows.map(cells));
}
