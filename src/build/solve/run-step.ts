/** RUN as a step: what is called with what, and what of it goes into the image, the key and the history. */
import { WctrError } from '../../errors.ts';
import { formatPlatform } from '../../images/platform.ts';
import { quote } from '../../images/quote.ts';
import type { StepLayer } from '../cache/build-cache.ts';
import type { RunInstruction } from '../dockerfile/ast.ts';
import { refuse } from '../dockerfile/errors.ts';
import { runForm } from '../dockerfile/run-form.ts';
import type { SourceText } from '../dockerfile/source.ts';
import type { Origin } from '../dockerfile/stages.ts';
import { proxyVariables } from '../dockerfile/variables.ts';
import type { RunMount, RunOutcome } from '../run/executor.ts';
import { DEFAULT_SHELL } from '../stage/image-draft.ts';
import { withTime } from '../stage/retime.ts';
import { storeLayer } from '../stage/write-layer.ts';
import { FilesTree } from '../tree/files-tree.ts';
import { placeOf } from './place.ts';
import { mountKeys, planMounts, resolveMounts } from './run-mounts.ts';
import type { StageBuild } from './stage.ts';

export interface RunRequest {
  readonly instruction: RunInstruction;
  /** Of the mounts with a `from`, in order. */
  readonly origins: readonly Origin[];
  readonly source: SourceText;
  readonly text: string;
  /** Digest of its vertex. */
  readonly vertex: string;
  /** Another RUN of the stage follows. */
  readonly expectsMore: boolean;
}

/** Where docker puts the script of a here-document with a `#!` line. */
const SCRIPTS = '/dev/pipes';

interface Command {
  readonly args: readonly string[];
  readonly script?: { readonly name: string; readonly content: string };
}

export async function runStep(stage: StageBuild, request: RunRequest): Promise<void> {
  const { solver, draft, variables, platform } = stage;
  const { job, session } = solver;
  const { instruction, origins } = request;
  const command = commandOf(stage, instruction);
  const network = networkOf(stage, request);
  const planned = await planMounts(solver, instruction.mounts, origins, draft.workingDir);
  const env = variables.entries().map(([name, value]) => `${name}=${value}`);
  const user = draft.process.User ?? '';
  const cwd = draft.workingDir;
  const { fixedTime, extraHosts, mtime, retimesRuns } = job;
  await stage.step({
    digest: request.vertex,
    text: request.text,
    inputs: planned.flatMap(({ from }) => (from?.vertex === undefined ? [] : [from.vertex])),
    kind: 'run',
    keepsTree: false,
    keys: [
      async () =>
        stage.key({
          ...{
            kind: 'run',
            platform: formatPlatform(platform),
            args: command.args,
            env,
            user,
            cwd,
            network,
            extraHosts,
          },
          script: command.script === undefined ? null : [command.script.name, command.script.content],
          mounts: await mountKeys(solver, planned),
          fixedTime: fixedTime ?? null,
          mtime: retimesRuns ? mtime : null,
        }),
    ],
    make: async (vertex) => {
      const resolved = await resolveMounts(solver, planned);
      const proxies = [...proxyVariables(job.buildArgs)].filter(([name]) => variables.get(name) === undefined);
      const step = {
        ...{ diffIds: stage.diffIds, args: command.args, cwd, user, network, extraHosts },
        env: [...env, ...proxies.map(([name, value]) => `${name}=${value}`), ...resolved.env],
        mounts: [...resolved.mounts, ...scriptMounts(command)],
        ...(fixedTime === undefined ? {} : { fixedTime }),
        ...(job.memoryBytes === undefined ? {} : { memoryBytes: job.memoryBytes }),
        onOutput: (stream: 1 | 2, data: Uint8Array) => vertex.log(stream, data),
        ...(request.expectsMore ? { expectsMore: true } : {}),
        signal: session.signal,
      };
      return session.slots.use(async () => {
        session.signal.throwIfAborted();
        await session.pinStack(step.diffIds);
        const outcome = await session.parts.runs.run(step);
        try {
          return await layersOf(stage, request, command, outcome);
        } finally {
          await outcome.release();
        }
      });
    },
  });
}

async function layersOf(
  { solver }: StageBuild,
  { source, instruction }: RunRequest,
  { args }: Command,
  outcome: RunOutcome,
): Promise<readonly StepLayer[]> {
  const { job, session } = solver;
  const { parts, pins, signal } = session;
  const { exitCode, reason, oomKilled } = outcome;
  if (exitCode !== 0) {
    session.signal.throwIfAborted();
    const shown = quote(args.join(' '), 2000).slice(1, -1);
    const why = oomKilled ? ': out of memory' : reason === undefined ? '' : `: ${reason}`;
    throw new WctrError(
      'build-failed',
      `process "${shown}" did not complete successfully: exit code: ${exitCode}${why}`,
      { data: { exitCode, command: args, ...placeOf(source, instruction.name.span) } },
    );
  }
  const tar = job.retimesRuns ? withTime(outcome.layer(), job.mtime) : outcome.layer();
  const descriptor = await storeLayer(parts, pins, tar, { signal });
  // Nothing but what ends an archive
  return descriptor.size <= EMPTY_TAR_BYTES ? [] : [{ descriptor, diffId: descriptor.digest }];
}

const EMPTY_TAR_BYTES = 1024;

function commandOf({ draft }: StageBuild, instruction: RunInstruction): Command {
  const form = runForm(instruction);
  const shell = draft.process.Shell ?? DEFAULT_SHELL;
  if (form.kind === 'exec') return { args: form.args };
  if (form.kind === 'shell') return { args: [...shell, form.script] };
  const { name, content } = form;
  return { args: [...shell, `${SCRIPTS}/${name}`], script: { name, content } };
}

function scriptMounts({ script }: Command): readonly RunMount[] {
  if (script === undefined) return [];
  const { name, content } = script;
  const tree = new FilesTree(
    'a here-document',
    new Map([[name, { content: new TextEncoder().encode(content), mode: 0o755 }]]),
  );
  return [{ type: 'bind', target: SCRIPTS, tree, source: '', readonly: true }];
}

function networkOf(stage: StageBuild, { instruction, source }: RunRequest): 'default' | 'none' {
  const { network } = stage.solver.job;
  if (instruction.security === 'insecure') {
    throw refuse(source, instruction.name.span, 'RUN --security=insecure is not supported', {
      code: 'unsupported',
      hint: 'every program runs in its sandbox here',
    });
  }
  if (instruction.network === 'host' && network !== 'host') {
    throw refuse(source, instruction.name.span, 'RUN --network=host is not allowed by this build', {
      code: 'forbidden',
      hint: 'build with --network=host',
    });
  }
  return instruction.network === 'none' || network === 'none' ? 'none' : 'default';
}

/** With the first line of a script that is on lines of its own. */
export function runText({ text, heredocs }: RunInstruction): string {
  const [first, second] = heredocs;
  if (first === undefined || second !== undefined) return text;
  const [line = '', ...more] = first.content.trim().split('\n');
  return `${text} (${line}${more.length > 0 ? '...' : ''})`;
}

/** As docker has it in an image's history: the ARGs so far in front, the shell spelled out. */
export function runHistory(stage: StageBuild, instruction: RunInstruction): string {
  const { args } = commandOf(stage, instruction);
  const { variables } = stage;
  const values = new Map(variables.declared.map(({ key, value }) => [key, variables.get(key) ?? value ?? '']));
  const prefix = values.size === 0 ? [] : [`|${values.size}`, ...[...values].map(([key, value]) => `${key}=${value}`)];
  return ['RUN', ...prefix, ...args].join(' ');
}
