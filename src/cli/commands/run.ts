import type { RunOptions } from '../../engine/engine.ts';
import { ERROR_TABLE, WctrError } from '../../errors.ts';
import type { SandboxExit } from '../../host/sandbox.ts';
import type { Command, Context } from '../command.ts';
import { complain } from '../complain.ts';
import type { ParsedFlags } from '../flags.ts';
import { createProgress, lazyProgress, NO_PROGRESS } from '../progress.ts';
import { RUN_FLAGS } from './create-flags.ts';
import { runOptions } from './run-options.ts';
import { runsDirectly } from './run-path.ts';

export const command: Command = {
  usage: 'IMAGE|FILE.wasm|LAYOUT_DIR [COMMAND] [ARG...]',
  args: [1, Number.POSITIVE_INFINITY],
  interspersed: false,
  flags: RUN_FLAGS,
  examples: [
    'wctr run hello',
    'wctr run -d --name web -p 8080:80 --restart always app',
    'wctr run --rm -it -v "$PWD":/work -w /work ghcr.io/example/ruby script.rb',
    'wctr run --rm -m 64m --cpus 0.5 --read-only --tmpfs /tmp app',
    'wctr run ./app.wasm -- --flag value',
  ],
  exitCode: (code) => ERROR_TABLE[code].exit,
  async run(context, args, flags) {
    const direct = context.isRemote !== true && runsDirectly(flags);
    const code = direct ? await runDirectly(context, args, flags) : undefined;
    if (code !== undefined) return code;
    const { runManaged } = await import('./run-managed.ts');
    return runManaged(context, args, flags, direct);
  },
};

/** Undefined, with nothing run, for a program that has to have a network. */
async function runDirectly(context: Context, args: readonly string[], flags: ParsedFlags): Promise<number | undefined> {
  const options = await runOptions(context, args, flags);
  const progress = flags.bool('quiet') ? NO_PROGRESS : lazyProgress(() => createProgress(context.terminal));
  const container = await (await context.engine()).containers
    .run({
      ...options,
      // A sandbox that was chosen is what runs it.
      sockets: options.isolation === undefined ? 'refer' : 'none',
      get signal() {
        return context.signal;
      },
      onPull: (event) => progress.show(event),
      onCreated: (id) => writeCidFile(context, flags.string('cidfile'), id),
    })
    .finally(() => progress.end());
  const stop = context.host.onSignal((name) => void container.kill(name));
  try {
    const exit = await container.wait();
    if (exit.referred === true) return undefined;
    explain(context, exit, options);
    return exit.exitCode;
  } finally {
    stop();
  }
}

async function writeCidFile({ host }: Context, path: string | undefined, id: string): Promise<void> {
  if (path === undefined) return;
  await host.writeFile(path, new TextEncoder().encode(id), { exclusive: true });
}

/** Says why a guest ended that did not end by itself. */
function explain({ terminal }: Context, exit: SandboxExit, options: RunOptions): void {
  if (exit.reason === undefined) return;
  if (exit.errorCode !== undefined) {
    throw new WctrError(exit.errorCode, exit.reason, exit.hint === undefined ? {} : { hint: exit.hint });
  }
  const what = exit.oomKilled ? 'OOMKilled' : 'ended';
  complain(terminal, `${options.image} ${what}: ${exit.reason}`);
}
