/** Checks of FROM that look at ARGs and platforms. */
import { isWctrError } from '../../../errors.ts';
import { formatPlatform, parsePlatform } from '../../../images/platform.ts';
import { parseReference } from '../../../images/reference.ts';
import type { Dockerfile, FromInstruction } from '../ast.ts';
import { WordExpander } from '../expand.ts';
import type { Word } from '../source.ts';
import { type GlobalOptions, globalVariables } from '../variables.ts';
import type { LintReport } from './report.ts';
import { suggestion } from './suggest.ts';

export function checkFroms(file: Dockerfile, globals: ReadonlyMap<string, string>, report: LintReport): void {
  const known = new Set(globals.keys());
  for (const { args } of file.globalArgs) for (const { key } of args) known.add(key.text);
  for (const { from } of file.stages) {
    for (const word of [from.base, from.platform]) {
      if (word !== undefined) checkArgs(word, from, known, globals, file, report);
    }
    if (from.platform !== undefined && from.platform.text !== '') {
      checkPlatform(from.platform, from, globals, file, report);
    }
  }
}

/** The file has to make sense with the defaults of its ARGs alone. */
export function checkDefaults(file: Dockerfile, options: GlobalOptions, report: LintReport): void {
  const platformArgs = Object.fromEntries(
    Object.entries(options.buildArgs ?? {}).filter(([name]) => /^(?:BUILD|TARGET)/.test(name)),
  );
  const declared = new Set(file.globalArgs.flatMap(({ args }) => args.map(({ key }) => key.text)));
  for (const name of declared) delete platformArgs[name];
  let globals: Map<string, string>;
  try {
    globals = globalVariables(file, { ...options, buildArgs: platformArgs });
  } catch {
    // It is refused with its place when the build is planned
    return;
  }
  for (const { from } of file.stages) {
    try {
      parseReference(new WordExpander(globals, file).word(from.base).text);
    } catch (error) {
      if (!isWctrError(error, 'invalid-reference')) return;
      const message = `Default value for ARG ${from.base.text} results in empty or invalid base image name`;
      report.addAt('InvalidDefaultArgInFrom', from.firstLine, message, from.base.span);
    }
  }
}

function checkArgs(
  word: Word,
  from: FromInstruction,
  known: ReadonlySet<string>,
  globals: ReadonlyMap<string, string>,
  file: Dockerfile,
  report: LintReport,
): void {
  const expander = new WordExpander(globals, file);
  expander.word(word);
  for (const name of expander.unset) {
    if (known.has(name)) continue;
    const near = suggestion(name, known);
    const message = `FROM argument '${name}' is not declared${near === undefined ? '' : ` (did you mean ${near}?)`}`;
    report.add('UndefinedArgInFrom', from, message, word.span);
  }
}

function checkPlatform(
  word: Word,
  from: FromInstruction,
  globals: ReadonlyMap<string, string>,
  file: Dockerfile,
  report: LintReport,
): void {
  const expander = new WordExpander(globals, file);
  const { text } = expander.word(word);
  const { used, unset } = expander;
  if (used.size === 1 && unset.length === 0 && used.has('TARGETPLATFORM') && text === globals.get('TARGETPLATFORM')) {
    const message = `Setting platform to predefined ${word.text} in FROM is redundant as this is the default behavior`;
    report.add('RedundantTargetPlatform', from, message, word.span);
  }
  if (used.size > 0 || unset.length > 0) return;
  const parts = platformParts(text);
  const name = from.stageName?.text.toLowerCase() ?? '';
  if (parts === undefined || parts.some((part) => name.includes(part))) return;
  report.add(
    'FromPlatformFlagConstDisallowed',
    from,
    `FROM --platform flag should not use constant value "${text}"`,
    word.span,
  );
}

/** System and architecture; undefined for what is refused later. */
function platformParts(text: string): string[] | undefined {
  try {
    return formatPlatform(parsePlatform(text.includes('/') ? text : `linux/${text}`))
      .split('/')
      .slice(0, 2);
  } catch {
    return undefined;
  }
}
