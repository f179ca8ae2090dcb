/** Nested values as `info` and `version` show them: a line each, what is inside one a blank further in. */
import { printable } from './units.ts';

/** A string or number stands beside its name, a list below it, a line each, and so do further sections. */
export type Section = Readonly<Record<string, unknown>>;

/** @param column where values begin; absent, right behind the name. */
export function renderSections(sections: readonly (readonly [head: string, Section])[], column = 0): string {
  return sections.map(([head, section]) => `${head}\n${lines(section, 1, column)}`).join('\n');
}

function lines(section: Section, depth: number, column: number): string {
  const indent = ' '.repeat(depth);
  return Object.entries(section)
    .map(([name, value]) => {
      if (Array.isArray(value))
        return `${indent}${name}:\n${value.map((item) => `${indent} ${printable(String(item))}\n`).join('')}`;
      if (typeof value === 'object' && value !== null) {
        const { '': own, ...inner } = value as Section;
        const head = own === undefined ? '' : ` ${printable(String(own))}`;
        return `${indent}${name}:${head}\n${lines(inner, depth + 1, column)}`;
      }
      return `${`${indent}${name}: `.padEnd(column)}${printable(String(value))}\n`;
    })
    .join('');
}
