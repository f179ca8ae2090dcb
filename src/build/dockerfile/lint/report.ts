/** Collects warnings, each under the configuration of the place it is about. */
import type { Instruction } from '../ast.ts';
import type { Span } from '../source.ts';
import { isActive, type LintConfig, mergedWithComments } from './config.ts';
import { LINT_RULES, type LintRule, type LintRuleName } from './rules.ts';

export interface LintWarning {
  readonly rule: LintRule;
  /** What is wrong here. */
  readonly message: string;
  /** From 1. */
  readonly line: number;
  readonly span: Span;
}

export class LintReport {
  readonly #config: LintConfig;
  readonly #warnings: LintWarning[] = [];

  constructor(config: LintConfig) {
    this.#config = config;
  }

  /** By line; those of one line in the order they were found. */
  get warnings(): readonly LintWarning[] {
    return [...this.#warnings].sort((a, b) => a.line - b.line);
  }

  /** About an instruction; comments above it may have their say. */
  add(rule: LintRuleName, about: Instruction, message: string, span: Span = about.span): void {
    this.#add(rule, mergedWithComments(this.#config, about.comments), message, about.firstLine, span);
  }

  /** About a line, whatever the comments of an instruction say. */
  addAt(rule: LintRuleName, line: number, message: string, span: Span): void {
    this.#add(rule, this.#config, message, line, span);
  }

  #add(rule: LintRuleName, config: LintConfig, message: string, line: number, span: Span): void {
    if (!isActive(rule, config)) return;
    this.#warnings.push({ rule: LINT_RULES[rule], message: inert(message), line, span });
  }
}

function inert(message: string): string {
  return message.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '\uFFFD');
}
