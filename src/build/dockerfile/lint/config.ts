/** `# check=skip=Rule,Rule;error=true;experimental=all`: for the whole file on top, for one instruction right above it. */
import { WctrError } from '../../../errors.ts';
import { quote } from '../../../images/quote.ts';
import { matchDirective } from '../directives.ts';
import { LINT_RULES, type LintRuleName } from './rules.ts';

export interface LintConfig {
  readonly skip: 'all' | ReadonlySet<string>;
  readonly experimental: 'all' | ReadonlySet<string>;
  /** A warning fails the build. */
  readonly isError: boolean;
}

export const DEFAULT_LINT: LintConfig = { skip: new Set(), experimental: new Set(), isError: false };

const HINT = 'write skip=Rule,Rule;error=true;experimental=all, without spaces';

/** Throws `invalid-dockerfile`. */
export function parseLintConfig(text: string): LintConfig {
  if (text.trim() === '') return DEFAULT_LINT;
  let { skip, experimental, isError } = DEFAULT_LINT;
  const parts = text.trim().split(';');
  for (const part of parts.length > 3 ? [...parts.slice(0, 2), parts.slice(2).join(';')] : parts) {
    const equals = part.indexOf('=');
    if (equals < 0) throw invalid(`invalid check option ${quote(part)}`);
    const key = part.slice(0, equals).trim();
    const value = part.slice(equals + 1).trim();
    if (key === 'skip') skip = rulesOf(value);
    else if (key === 'experimental') experimental = rulesOf(value);
    else if (key !== 'error') throw invalid(`invalid check option ${quote(key)}`);
    else if (/^(?:1|t|T|TRUE|true|True)$/.test(value)) isError = true;
    else if (/^(?:0|f|F|FALSE|false|False)$/.test(value)) isError = false;
    else throw invalid(`failed to parse check option ${quote(part)}`);
  }
  return { skip, experimental, isError };
}

/** What comments above an instruction add for it alone; a mistake in them is as if they were not there. */
export function mergedWithComments(config: LintConfig, comments: readonly string[]): LintConfig {
  for (const comment of comments) {
    const directive = matchDirective(comment);
    if (directive?.name !== 'check') continue;
    try {
      const own = parseLintConfig(directive.value.split(' ', 1)[0] ?? '');
      return {
        skip: union(config.skip, own.skip),
        experimental: union(config.experimental, own.experimental),
        isError: config.isError,
      };
    } catch {
      return config;
    }
  }
  return config;
}

export function isActive(rule: LintRuleName, { skip, experimental }: LintConfig): boolean {
  if (LINT_RULES[rule].isExperimental) return experimental === 'all' || experimental.has(rule);
  return skip !== 'all' && !skip.has(rule);
}

function rulesOf(value: string): 'all' | ReadonlySet<string> {
  return value === 'all' ? 'all' : new Set(value.split(',').map((name) => name.trim()));
}

function union(a: 'all' | ReadonlySet<string>, b: 'all' | ReadonlySet<string>): 'all' | ReadonlySet<string> {
  return a === 'all' || b === 'all' ? 'all' : new Set([...a, ...b]);
}

function invalid(message: string): WctrError {
  return new WctrError('invalid-dockerfile', message, { hint: HINT });
}
