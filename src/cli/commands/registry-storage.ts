import { WctrError } from '../../errors.ts';
import type { Context } from '../command.ts';
import type { Flag, ParsedFlags } from '../flags.ts';
import type { RegistryHost } from '../registry-host.ts';

/** Where a registry keeps what it has. */
export const STORAGE_FLAGS: readonly Flag[] = [
  { name: 'root', type: 'string', value: 'path', description: 'The store; images of this machine share its blobs' },
  {
    name: 's3',
    type: 'string',
    value: 'url',
    description: 'Keep everything in this bucket; keys are AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION',
  },
  { name: 's3-prefix', type: 'string', value: 'path', description: 'Where in the bucket' },
];

export async function openStorage(
  flags: ParsedFlags,
  host: RegistryHost,
  { env }: Context['terminal'],
  isServing: boolean,
): ReturnType<RegistryHost['openStorage']> {
  const endpoint = flags.string('s3');
  if (endpoint === undefined) return host.openStorage(flags.string('root'), isServing);
  if (flags.has('root')) throw new WctrError('invalid-argument', '--root and --s3 are two places');
  if (!URL.canParse(endpoint) || !/^https?:/.test(endpoint)) {
    throw new WctrError('invalid-argument', `--s3 is no URL: ${endpoint}`, { hint: 'https://HOST/BUCKET' });
  }
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env;
  if (!accessKeyId || !secretAccessKey) {
    throw new WctrError('invalid-argument', '--s3 needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY');
  }
  const { s3Driver } = await import('../../registry/storage/s3-driver.ts');
  const [prefix, sessionToken, region] = [flags.string('s3-prefix'), env.AWS_SESSION_TOKEN, env.AWS_REGION];
  const driver = s3Driver({
    endpoint,
    accessKeyId,
    secretAccessKey,
    ...(prefix === undefined ? {} : { prefix }),
    ...(sessionToken ? { sessionToken } : {}),
    ...(region ? { region } : {}),
  });
  // A wrong key or bucket is said now, not at the first push.
  await driver.documents.list('repositories');
  return { driver, release: async () => {} };
}
