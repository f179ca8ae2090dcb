import { WctrError } from '../../errors.ts';

/** `type=local,"dest=a,b",push`: a flag's fields as docker reads them (one CSV record); a name alone has no value. */
export interface Field {
  /** In small letters. */
  readonly key: string;
  readonly value: string | undefined;
}

/** Throws `invalid-argument`. `flag` is what messages call it: `--output`. */
export function readFields(text: string, flag: string): Field[] {
  return splitRecord(text, flag).map((field) => {
    const equals = field.indexOf('=');
    if (equals < 0) return { key: field.trim().toLowerCase(), value: undefined };
    return { key: field.slice(0, equals).trim().toLowerCase(), value: field.slice(equals + 1) };
  });
}

function splitRecord(text: string, flag: string): string[] {
  const fields: string[] = [];
  for (let at = 0; at <= text.length; ) {
    if (text[at] !== '"') {
      const comma = text.indexOf(',', at);
      const end = comma < 0 ? text.length : comma;
      fields.push(text.slice(at, end));
      at = end + 1;
      continue;
    }
    const [whole, quoted] = /^"((?:[^"]|"")*)"(?=,|$)/.exec(text.slice(at)) ?? [];
    if (whole === undefined || quoted === undefined) {
      throw new WctrError('invalid-argument', `invalid value for ${flag}: ${text}: a quote is not closed`);
    }
    fields.push(quoted.replaceAll('""', '"'));
    at += whole.length + 1;
  }
  return fields;
}

/** A field nobody knows. */
export function unknownField(flag: string, key: string, known: readonly string[]): WctrError {
  return new WctrError('invalid-argument', `${flag}: unknown field "${key}"`, { hint: `there is ${known.join(', ')}` });
}
