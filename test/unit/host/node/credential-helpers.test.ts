import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NodeCredentialHelpers } from '../../../../src/host/node/credential-helpers.ts';
import { dockerCredentials, parseDockerConfig } from '../../../../src/images/registry/docker-config.ts';
import { tempDir } from '../../../support/image-store.ts';
import { createTestClient } from '../../../support/registry-client.ts';
import { startFakeRegistry } from '../../../support/registry-server.ts';

let dir: ReturnType<typeof tempDir>;
beforeEach(() => {
  dir = tempDir();
});
afterEach(() => dir[Symbol.dispose]());

/** A helper on PATH that runs this shell script. */
function install(name: string, script: string): void {
  const path = join(dir.path, `docker-credential-${name}`);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

const helpers = (timeoutMs = 5_000) =>
  new NodeCredentialHelpers({ timeoutMs, env: { PATH: `${dir.path}${delimiter}${process.env.PATH}` } });

describe('a credential helper', () => {
  it('is called as docker calls it', async () => {
    install('fake', `echo "$@" > ${dir.path}/args; cat > ${dir.path}/input; echo '{"Username":"u","Secret":"s"}'`);
    expect(await helpers().get('fake', 'reg.example:5000')).toEqual({ username: 'u', secret: 's' });
    expect(readFileSync(join(dir.path, 'args'), 'utf8')).toBe('get\n');
    expect(readFileSync(join(dir.path, 'input'), 'utf8')).toBe('reg.example:5000\n');
  });

  it('may know nothing', async () => {
    install('fake', 'echo "credentials not found in native keychain"; exit 1');
    expect(await helpers().get('fake', 'reg.example')).toBeUndefined();
  });

  it.each([
    ['echo "the vault is locked"; exit 1', 'the vault is locked'],
    ['echo "on stderr" >&2; exit 2', 'on stderr'],
    ['printf "\\033[31mred" ; exit 1', '?[31mred'],
    ['exit 3', 'exit code 3'],
    ['echo nonsense', 'its answer is not valid'],
    ['echo null', 'its answer is not valid'],
    ['echo \'{"Username":1,"Secret":"s"}\'', 'its answer is not valid'],
    ['yes', 'it prints too much'],
  ])('that does %s is reported', async (script, why) => {
    install('fake', script);
    await expect(helpers().get('fake', 'reg.example')).rejects.toMatchObject({
      code: 'unauthorized',
      message: `credential helper docker-credential-fake: ${why}`,
    });
  });

  it('that hangs is killed', async () => {
    install('fake', `echo $$ > ${dir.path}/pid; exec sleep 60`);
    await expect(helpers(300).get('fake', 'reg.example')).rejects.toMatchObject({
      message: 'credential helper docker-credential-fake: it did not answer within 0.3 s',
    });
    const pid = readFileSync(join(dir.path, 'pid'), 'utf8').trim();
    await expect
      .poll(() => existsSync(`/proc/${pid}/cmdline`) && readFileSync(`/proc/${pid}/cmdline`).length > 0)
      .toBe(false);
  });

  it('that does not read its input is no trouble', async () => {
    install('fake', 'exec 0<&-; echo \'{"Username":"u","Secret":"s"}\'');
    expect(await helpers().get('fake', 'x'.repeat(1_000_000))).toEqual({ username: 'u', secret: 's' });
  });

  it('that is not installed is named', async () => {
    await expect(helpers().get('absent', 'reg.example')).rejects.toMatchObject({
      message: 'credential helper docker-credential-absent: not found on PATH',
    });
  });

  it.each(['../evil', 'a/b', '/bin/sh', '', '.', '-x', 'a b', 'a\0b', 'a;b', 'x'.repeat(65)])(
    'must not be called %j',
    async (name) => {
      install('fake', 'echo evil > ran');
      await expect(helpers().get(name, 'reg.example')).rejects.toMatchObject({ code: 'invalid-argument' });
    },
  );

  it('logs a pull in, and is asked once it is needed', async () => {
    install('fake', `echo asked >> ${dir.path}/log; echo '{"Username":"u","Secret":"p"}'`);
    const registry = await startFakeRegistry();
    try {
      registry.addManifest('a', 'latest', { schemaVersion: 2 }, 'application/vnd.oci.image.manifest.v1+json');
      const config = parseDockerConfig(JSON.stringify({ credHelpers: { [registry.host]: 'fake' } }), 'config.json');
      const client = createTestClient({ credentials: dockerCredentials(config, helpers()) });
      const repository = client.repository({ domain: registry.host, path: 'a' });
      await repository.manifest('latest');
      expect(existsSync(join(dir.path, 'log'))).toBe(false);
      registry.login = { kind: 'bearer', username: 'u', password: 'p' };
      await repository.manifest('latest');
      expect(readFileSync(join(dir.path, 'log'), 'utf8')).toBe('asked\n');
    } finally {
      await registry.close();
    }
  });
});
