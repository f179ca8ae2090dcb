/** Tries a part of a pipeline on the beginning of its input. Only for commands that do nothing but read and write. */
import { TextWriter } from '../../io/writer';
import { builtinOf } from '../builtins/table';
import { OpenFile } from '../state/open-files';
import { Shell } from '../state/shell';
import { LITERAL, Node, PARAMETER, Part, PLAIN, QUOTED, SIMPLE, Simple, Word } from '../syntax/ast';
import { BOX, lookUp } from './lookup';
import { PrefixReader, PrefixWriter } from './prefix';
import { runCopy } from './subshell';

/** Applets that change nothing but what they write. */
const HARMLESS: StaticArray<string> = [
  '[',
  'base64',
  'basename',
  'cat',
  'cksum',
  'comm',
  'cut',
  'dirname',
  'echo',
  'egrep',
  'expand',
  'expr',
  'false',
  'fgrep',
  'fmt',
  'fold',
  'grep',
  'head',
  'hexdump',
  'join',
  'md5sum',
  'nl',
  'od',
  'paste',
  'printf',
  'rev',
  'seq',
  'sha1sum',
  'sha256sum',
  'sha512sum',
  'sort',
  'strings',
  'tac',
  'tail',
  'test',
  'tr',
  'true',
  'unexpand',
  'uniq',
  'wc',
  'xxd',
];

export class Trial {
  status: i32;
  private input: PrefixReader;
  private writer: PrefixWriter = new PrefixWriter();

  constructor(shell: Shell, node: Node, input: PrefixReader, messages: TextWriter) {
    const copy = shell.copy();
    this.input = input;
    input.writer = this.writer;
    copy.files.set(0, new OpenFile(-1, input, null));
    copy.files.set(1, new OpenFile(-1, null, this.writer));
    copy.files.set(2, new OpenFile(-1, null, messages));
    this.status = runCopy(shell, copy, node);
    this.writer.flush();
  }

  /** It asked for more than there is. */
  get isStarved(): bool {
    return this.input.isStarved;
  }

  get text(): string {
    return this.writer.kept.toString();
  }

  /** For the part after it: goes on if this one would. */
  output(): PrefixReader {
    const kept = this.writer.kept;
    return new PrefixReader(-1, kept.bytes, kept.length, this.isStarved);
  }
}

/** Can it be run and what it did be forgotten? */
export function isHarmless(shell: Shell, node: Node): bool {
  if (node.kind != SIMPLE || node.redirects.length > 0) return false;
  const simple = changetype<Simple>(node);
  if (simple.assignments.length > 0 || simple.words.length == 0) return false;
  for (let i = 0; i < simple.words.length; i++) if (!isQuiet(simple.words[i])) return false;
  const name = simple.words[0].plain;
  if (name === null || shell.functions.has(name)) return false;
  if (builtinOf(name) === null) {
    const kind = lookUp(shell, name).kind;
    // all that comes of it is a message
    if (kind < BOX) return true;
    if (kind != BOX) return false;
  }
  if (HARMLESS.includes(name)) return true;
  if (name == 'sed') return has(simple, 'w') < 0 && has(simple, 'e') < 0 && has(simple, '-i') < 0;
  if (name != 'awk') return false;
  return has(simple, '>') < 0 && has(simple, '|') < 0 && has(simple, 'system') < 0 && has(simple, 'getline') < 0;
}

/** Its expansion changes nothing. */
function isQuiet(word: Word): bool {
  for (let i = 0; i < word.parts.length; i++) {
    const part: Part = word.parts[i];
    if (part.kind == LITERAL || part.kind == QUOTED) continue;
    if (part.kind != PARAMETER || part.operator != PLAIN) return false;
  }
  return true;
}

/** The place of an argument that has the text in it, or that is not known before it is expanded. */
function has(simple: Simple, text: string): i32 {
  for (let i = 1; i < simple.words.length; i++) {
    const parts = simple.words[i].parts;
    for (let k = 0; k < parts.length; k++) {
      if (parts[k].kind == PARAMETER || parts[k].text.includes(text)) return i;
    }
  }
  return -1;
}
