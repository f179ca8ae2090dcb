import { readFileSync } from 'node:fs';
import { main } from 'assemblyscript/asc';
import { describe, expect, it } from 'vitest';

/** The core's text with names, unoptimized, so that nothing is inlined away. */
async function debugText(): Promise<string> {
  let text = '';
  const { error, stderr } = await main(
    ['assembly/index.ts', '--target', 'core-debug', '--outFile', 'ignored.wasm', '--textFile', 'core.wat'],
    {
      readFile: (name, base) => {
        try {
          return readFileSync(`${base}/${name}`, 'utf8');
        } catch {
          return null;
        }
      },
      writeFile: (name, contents) => {
        if (name === 'core.wat') text = String(contents);
      },
    },
  );
  if (error) throw new Error(`${error.message}\n${stderr.toString()}`);
  return text;
}

describe('the core', () => {
  it('allocates nothing of the AssemblyScript runtime', async () => {
    const text = await debugText();
    expect(text).toContain('assembly/codec/decoder/decoderRun');
    const runtime = text
      .split('\n')
      .filter(
        (line) =>
          /^\s*\(func \$/.test(line) && /~lib\/(rt|array|string|map|set|typedarray|arraybuffer|util)\b/.test(line),
      );
    expect(runtime).toEqual([]);
    expect(text).not.toMatch(/call \$~lib\/rt\/(stub|itcms|tcms)|__new|__renew|__pin/);
  });

  it('imports its memory and nothing else', () => {
    const bytes = readFileSync(new URL('../../../dist/wasm/core.wasm', import.meta.url));
    expect(WebAssembly.Module.imports(new WebAssembly.Module(bytes))).toEqual([
      { module: 'env', name: 'memory', kind: 'memory' },
    ]);
  });
});
