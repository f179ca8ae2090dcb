/** Which lines of `run` make this very process the container's, and which start one of its own. */
import { describe, expect, it } from 'vitest';
import { RUN_FLAGS } from '../../../src/cli/commands/create-flags.ts';
import { runsDirectly } from '../../../src/cli/commands/run-path.ts';
import { parseFlags } from '../../../src/cli/flags.ts';

const direct = (line: string) => runsDirectly(parseFlags([...line.split(' '), 'app'], RUN_FLAGS, false).flags);

describe('run', () => {
  it.each([
    '--rm',
    '--rm -i',
    '--rm -e A=b --env-file env -l a=b --label-file labels',
    '--rm -w /work -u 1:1 --entrypoint /a.wasm -h host --read-only --init',
    '--rm -m 64m --cpus 0.5 --pids-limit 3 --ulimit nofile=10 --storage-opt size=1m --timeout 3s',
    '--rm --pull never --platform wasi/wasm -q --cidfile id',
    '--rm --isolation worker',
    '--rm --sandbox inline --unknown-imports trap --deterministic',
    '--rm -v /host:/work',
    '--rm -v ./here:/work:ro',
    '--rm --tmpfs /tmp --mount type=bind,src=/a,dst=/b --mount type=tmpfs,dst=/c',
    '--rm --network none',
    '--rm --net default',
    '--rm --sig-proxy=true',
    '--rm -d=false -t=false -P=false --privileged=false',
  ])('becomes the container: %s', (line) => {
    expect(direct(line)).toBe(true);
  });

  it.each([
    '-i',
    '--rm=false',
    '--rm -d',
    '--rm -t',
    '--rm -it',
    '--rm --name a',
    '--rm -p 80:80',
    '--rm -P',
    '--rm --expose 80',
    '--rm --network bridge',
    '--rm --network host',
    '--rm --network backend',
    '--rm --network-alias a',
    '--rm --link a',
    '--rm --add-host a:1.2.3.4',
    '--rm -v named:/data',
    '--rm -v /anonymous',
    '--rm --mount type=volume,src=named,dst=/data',
    '--rm --mount src=named,dst=/data',
    '--rm --volumes-from other',
    '--rm --restart always',
    '--rm --health-cmd true',
    '--rm --log-driver none',
    '--rm --log-opt max-size=1m',
    '--rm --stop-signal INT',
    '--rm --stop-timeout 3',
    '--rm --privileged',
    '--rm --sig-proxy=false',
    '--rm --attach stdout',
    '--rm --detach-keys ctrl-x',
  ])('starts a process of its own: %s', (line) => {
    expect(direct(line)).toBe(false);
  });
});
