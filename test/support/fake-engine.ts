/** An Engine whose answers the test gives; what it does not give fails by name. Calls are written down. */
import type { AttachedStreams, Engine } from '../../src/engine/engine.ts';

type Part = Record<string, (...args: never[]) => unknown>;
type Parts = Partial<Record<'images' | 'containers' | 'exec' | 'volumes' | 'networks' | 'system' | 'builds', Part>>;

export interface Call {
  readonly name: string;
  readonly args: readonly unknown[];
}

export function fakeEngine(parts: Parts): { engine: Engine; calls: Call[] } {
  const calls: Call[] = [];
  const part = (group: keyof Parts) =>
    new Proxy(
      {},
      {
        get: (_, method: string) => {
          const answer = parts[group]?.[method];
          return (...args: unknown[]) => {
            const name = `${group}.${method}`;
            calls.push({ name, args });
            if (answer === undefined) throw new Error(`the test gave no ${name}`);
            return (answer as (...args: unknown[]) => unknown)(...args);
          };
        },
      },
    );
  const engine = {
    images: part('images'),
    containers: part('containers'),
    exec: part('exec'),
    volumes: part('volumes'),
    networks: part('networks'),
    system: part('system'),
    builds: part('builds'),
    close: async () => {},
  };
  return { engine: engine as unknown as Engine, calls };
}

export interface FakeStreams extends AttachedStreams {
  /** What was typed into it so far. */
  typed(): string;
  readonly inputClosed: Promise<void>;
  say(text: string, stream?: 'stdout' | 'stderr'): void;
  /** The program's output ends. */
  end(): void;
  readonly detached: () => boolean;
}

export function fakeStreams(options: { tty?: boolean; stdin?: boolean } = {}): FakeStreams {
  const { tty = false, stdin = false } = options;
  const decoder = new TextDecoder();
  let text = '';
  let left = false;
  let closeInput = () => {};
  const inputClosed = new Promise<void>((resolve) => {
    closeInput = resolve;
  });
  const outputs: Record<string, ReadableStreamDefaultController<Uint8Array>> = {};
  const output = (name: string) =>
    new ReadableStream<Uint8Array>({
      start: (controller) => {
        outputs[name] = controller;
      },
    });
  return {
    tty,
    stdin: stdin
      ? new WritableStream<Uint8Array>({
          write: (chunk) => {
            text += decoder.decode(chunk, { stream: true });
          },
          close: () => closeInput(),
        })
      : undefined,
    stdout: output('stdout'),
    stderr: tty ? undefined : output('stderr'),
    detach: async () => {
      left = true;
    },
    typed: () => text,
    inputClosed,
    say: (said, stream = 'stdout') => outputs[stream]!.enqueue(new TextEncoder().encode(said)),
    end: () => {
      for (const controller of Object.values(outputs)) controller.close();
    },
    detached: () => left,
  };
}
