/** The flags of `wctr build`: those it takes, and docker's that it refuses by name. */
import { WctrError } from '../../errors.ts';
import type { Flag, ParsedFlags } from '../flags.ts';

type Spec = readonly [name: string, description: string, value?: string, short?: string];

function flagsOf(type: Flag['type'], specs: readonly Spec[]): Flag[] {
  return specs.map(([name, description, value, short]) => ({
    name,
    type,
    description,
    ...(value === undefined || value === '' ? {} : { value }),
    ...(short === undefined ? {} : { short }),
  }));
}

const TAKEN: readonly Flag[] = [
  ...flagsOf('list', [['tag', 'Name of the image', 'name[:tag]', 't']]),
  ...flagsOf('string', [
    ['file', "The Dockerfile ('-': standard input), default PATH/Dockerfile", 'path', 'f'],
    ['target', 'Stage to build, default the last', 'stage'],
  ]),
  ...flagsOf('list', [
    ['build-arg', "Value of an ARG; a name alone takes the caller's variable", 'NAME[=value]'],
    ['label', 'Set a label', 'name=value'],
    ['annotation', "Set an annotation of the manifest, or of the index ('index:name=value')", 'name=value'],
    ['platform', 'Platforms to build for (default wasi/wasm)', 'os/arch,...'],
    ['secret', 'A secret that RUN may mount', 'id=x[,src=path|,env=NAME]'],
    ['build-context', 'A further context: a directory, address, or docker-image://name', 'name=place'],
    [
      'output',
      'Where the result goes: oci, docker, local, tar, image, edge, or a directory',
      'type=...,dest=path',
      'o',
    ],
  ]),
  ...flagsOf('boolean', [
    ['push', 'Push the image: --output type=image,push=true'],
    ['load', 'Keep the image in this store, beside other outputs'],
    ['no-cache', 'Use nothing of the cache'],
  ]),
  ...flagsOf('list', [['no-cache-filter', 'Use nothing of the cache for these stages', 'stage,...']]),
  ...flagsOf('boolean', [
    ['pull', 'Ask the registry for base images even where they are here'],
    ['reproducible', 'Fix the clock and the randomness of RUN'],
    ['check', 'Look for mistakes in the Dockerfile and build nothing'],
    ['quiet', 'Print the image ID only', '', 'q'],
  ]),
  ...flagsOf('string', [
    ['progress', "How progress is shown: 'auto', 'plain', 'tty', 'rawjson' or 'quiet'", 'type'],
    ['iidfile', 'Write the image ID to a file', 'path'],
    ['metadata-file', 'Write what was made to a file, as JSON', 'path'],
    ['network', "Network of RUN: 'default', 'none' or 'host'", 'mode'],
  ]),
  ...flagsOf('list', [['add-host', "Add a line to RUN's /etc/hosts", 'host:ip']]),
  ...flagsOf('string', [
    ['memory', 'Memory limit of each RUN (64m, 1g)', 'bytes', 'm'],
    ['compression', "Layers of what leaves the store: 'uncompressed' or 'gzip'", 'kind'],
    ['provenance', "Attach how it was built: 'min', 'max', 'true' or 'false'", 'mode'],
  ]),
  ...flagsOf('list', [
    ['attest', "The same: 'type=provenance,mode=max'", 'type=...'],
    ['cache-from', 'Take steps from a cache: type=local,src=DIR or type=registry,ref=NAME', 'type=...'],
    ['cache-to', 'Write the steps to a cache: type=local,dest=DIR or type=registry,ref=NAME[,mode=max]', 'type=...'],
  ]),
  ...flagsOf('string', [['call', "'build' or 'check'", 'method']]),
];

/** Taken as docker takes them, and without an effect: what they ask for is so anyway. */
const IDLE: readonly Flag[] = flagsOf('boolean', [
  ['rm', 'Has no effect: a RUN leaves no container'],
  ['force-rm', 'Has no effect: a RUN leaves no container'],
  ['compress', 'Has no effect: the context is not sent in one piece'],
  ['disable-content-trust', 'Has no effect: see policy.json'],
]);

const NO_CPU = 'there is no share of a processor to give to a RUN';
const NO_HOST = 'a RUN has nothing of the host that could be opened to it';

/** name -> type, why. */
const REFUSED: Readonly<Record<string, readonly [Flag['type'], string]>> = {
  ssh: ['list', 'no agent is forwarded to a RUN: use --secret'],
  allow: ['list', NO_HOST],
  device: ['list', NO_HOST],
  'security-opt': ['list', NO_HOST],
  ulimit: ['list', 'a RUN is limited by --memory alone'],
  'memory-swap': ['string', 'a RUN is limited by --memory alone'],
  'shm-size': ['string', 'there is no /dev/shm in a RUN'],
  'cgroup-parent': ['string', 'there are no cgroups'],
  'cpu-shares': ['string', NO_CPU],
  'cpu-period': ['string', NO_CPU],
  'cpu-quota': ['string', NO_CPU],
  'cpuset-cpus': ['string', NO_CPU],
  'cpuset-mems': ['string', NO_CPU],
  isolation: ['string', 'a RUN is always isolated by WebAssembly'],
  squash: ['boolean', 'it would hide which layers are shared: use stages and COPY --from'],
  sbom: ['string', 'no list of packages is made'],
  builder: ['string', 'there is one builder: use --context for another engine'],
  policy: ['list', 'policies of builds are not known: see policy.json'],
};

export const BUILD_FLAGS: readonly Flag[] = [
  ...TAKEN,
  ...IDLE,
  ...Object.entries(REFUSED).map(([name, [type]]): Flag => {
    const short = name === 'cpu-shares' ? { short: 'c' } : {};
    return { name, ...short, type, description: 'Not supported', isHidden: true };
  }),
];

/** Throws `unsupported` for a flag of docker's that cannot be kept. */
export function refuseFlags(flags: ParsedFlags): void {
  for (const name of flags.names()) {
    const refused = REFUSED[name];
    // `--squash=false`, `--sbom=false` ask for what is so anyway.
    if (refused === undefined || flags.string(name) === 'false') continue;
    throw new WctrError('unsupported', `--${name} is not supported: ${refused[1]}`);
  }
}
