/** `--progress=rawjson`: each event a line of JSON, as BuildKit's own clients write them: bytes in base64. */
import type { BuildVertexWarning, SolveStatus } from '../../spec/build-progress.ts';
import { printable } from '../format/units.ts';
import type { Terminal } from '../terminal.ts';
import type { BuildProgress } from './progress.ts';
import { BuildTrace } from './trace.ts';

export class JsonProgress implements BuildProgress {
  readonly trace = new BuildTrace();
  readonly #terminal: Terminal;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  show(status: SolveStatus): void {
    const { vertexes, statuses, logs, warnings } = status;
    const line = {
      ...(vertexes === undefined ? {} : { vertexes }),
      ...(statuses === undefined ? {} : { statuses }),
      ...(logs === undefined ? {} : { logs: logs.map((log) => ({ ...log, data: base64(log.data) })) }),
      ...(warnings === undefined ? {} : { warnings: warnings.map(warningLine) }),
    };
    // What JSON leaves as it is may still steer a terminal; as an escape it means the same.
    this.#terminal.err(`${printable(JSON.stringify(line))}\n`);
  }

  end(): void {}
}

function warningLine({ short, detail, sourceInfo, ...rest }: BuildVertexWarning): object {
  return {
    ...rest,
    short: base64(new TextEncoder().encode(short)),
    ...(detail === undefined ? {} : { detail: detail.map((text) => base64(new TextEncoder().encode(text))) }),
    ...(sourceInfo === undefined ? {} : { sourceInfo: { ...sourceInfo, data: base64(sourceInfo.data) } }),
  };
}

function base64(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
