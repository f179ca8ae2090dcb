import type { BuildOutcome } from '../../engine/builds.ts';
import { WctrError } from '../../errors.ts';
import { checkDockerfile } from '../build/check.ts';
import { BUILD_FLAGS } from '../build/flags.ts';
import { createBuildProgress, progressMode, warningLines } from '../build/progress.ts';
import { readBuildLine } from '../build/request.ts';
import type { Command, Context } from '../command.ts';
import type { ParsedFlags } from '../flags.ts';

export const command: Command = {
  usage: 'PATH|URL|-',
  args: [1, 1],
  flags: BUILD_FLAGS,
  examples: [
    'wctr build -t app .',
    'wctr build -f docker/Dockerfile --target test --build-arg VERSION=1.2 .',
    'wctr build --secret id=token,env=TOKEN --output type=oci,dest=app.tar .',
    'wctr build --check .',
    'wctr build -t app - < Dockerfile',
  ],
  async run(context, [place], flags) {
    const { terminal } = context;
    const mode = progressMode(terminal, flags);
    const isCheck = readMethod(flags) === 'check';
    const { request, plan } = await readBuildLine(context, place!, flags);
    if (isCheck) return checkDockerfile(context, request);
    // What a build before this one made is not to be taken for this one's.
    const idFile = flags.string('iidfile');
    if (idFile !== undefined) await context.host.removeFile(idFile);
    const engine = await context.engine();
    const progress = createBuildProgress(terminal, mode);
    const warnings = progress.trace?.warnings ?? [];
    let outcome: BuildOutcome;
    try {
      outcome = await engine.builds.build({
        ...request,
        signal: context.signal,
        onStatus: (status) => progress.show(status),
      });
    } finally {
      progress.end();
    }
    if (mode !== 'rawjson') terminal.err(warningLines(terminal, warnings));
    await writeResults(context, flags, outcome);
    if (mode === 'quiet' && !plan.takesStdout && outcome.imageId !== undefined) terminal.out(`${outcome.imageId}\n`);
    return 0;
  },
};

function readMethod(flags: ParsedFlags): 'build' | 'check' {
  const method = flags.string('call') ?? 'build';
  if (method === 'check' || method === 'lint' || flags.bool('check')) return 'check';
  if (method === 'build') return 'build';
  throw new WctrError('unsupported', `--call ${method} is not supported`, { hint: 'write build or check' });
}

async function writeResults(
  { host }: Context,
  flags: ParsedFlags,
  { imageId, digest, references }: BuildOutcome,
): Promise<void> {
  const write = (path: string, text: string) => host.writeFile(path, new TextEncoder().encode(text));
  const idFile = flags.string('iidfile');
  if (idFile !== undefined && imageId !== undefined) await write(idFile, imageId);
  const metadataFile = flags.string('metadata-file');
  if (metadataFile === undefined) return;
  const metadata = {
    ...(imageId === undefined ? {} : { 'containerimage.config.digest': imageId }),
    ...(digest === undefined ? {} : { 'containerimage.digest': digest }),
    ...(references.length === 0 ? {} : { 'image.name': references.join(',') }),
  };
  await write(metadataFile, `${JSON.stringify(metadata, undefined, 2)}\n`);
}
