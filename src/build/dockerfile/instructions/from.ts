import { plainWords } from '../arguments.ts';
import type { FromInstruction } from '../ast.ts';
import { baseOf, flagsOf, refuseAt, type Statement } from './statement.ts';

const STAGE_NAME = /^[a-z][a-z0-9._-]*$/;

/** `FROM [--platform=…] image [AS name]` */
export function parseFrom(statement: Statement): FromInstruction {
  const [base, as, stageName, extra] = plainWords(statement.rest);
  const isNamed = stageName !== undefined && extra === undefined && as?.text.toLowerCase() === 'as';
  if (base === undefined || (as !== undefined && !isNamed)) {
    throw refuseAt(statement, as?.span, 'FROM requires either one or three arguments', {
      hint: 'write FROM image, or FROM image AS name',
    });
  }
  if (isNamed && !STAGE_NAME.test(stageName.text.toLowerCase())) {
    throw refuseAt(
      statement,
      stageName.span,
      `invalid name for build stage: "${stageName.text}", name can't start with a number or contain symbols`,
      { hint: 'use a letter, then letters, digits and - _ .' },
    );
  }
  const flags = flagsOf(statement, { platform: 'text' });
  return { ...baseOf('from', statement), base, as, stageName, platform: flags.text('platform') };
}
