/** What `wctr daemon` does in every runtime, driven by the stock docker CLI: the same store, containers and API. */
import { describeStories, type Stories } from '../support/docker-stories.ts';
import type { Runtime } from '../support/runtimes.ts';

/** A shell's way to ask a web server. */
const GET = `"${process.execPath}" -e 'fetch(process.argv[1]).then(async (r) => process.stdout.write(await r.text()))'`;

const ID = /^[0-9a-f]{64}\n$/;

/** @param executable of the runtime, which is the one its containers run in. */
const stories = (executable: string): Stories => ({
  'a container from its start to its end': [
    ['version --format "{{.Server.APIVersion}}"', '1.51\n'],
    ['run --rm -e A=b box env', /^A=b$/m],
    ['run -i --rm box cat', 'typed\n', 0, 'typed\n'],
    ['run --rm box exit 7', '', 7],
    ['run --rm -m 64m --cpus 0.5 --read-only --tmpfs /tmp box write /tmp/x y', ''],
    ['run -d --name c1 -v kept:/kept box sleep 100000', ID],
    ['$ readlink /proc/$(docker inspect -f "{{.State.Pid}}" c1)/exe', new RegExp(`/${executable}[^/]*\\n$`)],
    ['ps --format "{{.Names}} {{.State}}"', 'c1 running\n'],
    ['exec -e X=y c1 /busybox.wasm env', /^X=y$/m],
    ['exec -i c1 /busybox.wasm cat', 'through\n', 0, 'through\n'],
    ['exec c1 /busybox.wasm exit 5', '', 5],
    ['exec -t c1 /busybox.wasm args', /args\r?\n/],
    ['exec c1 /busybox.wasm write /made content', ''],
    ['exec c1 /busybox.wasm write /kept/file durable', ''],
    ['top c1', /busybox.wasm sleep/],
    ['stats --no-stream --format "{{.Name}} {{.PIDs}}" c1', 'c1 1\n'],
    ['pause c1', 'c1\n'],
    ['inspect -f "{{.State.Status}}" c1', 'paused\n'],
    ['unpause c1', 'c1\n'],
    ['cp c1:/made made', ''],
    ['$ cat made', 'content'],
    ['$ tar -cf - made | docker cp - c1:/etc', ''],
    ['exec c1 /busybox.wasm read /etc/made', 'content'],
    ['diff c1', [/^A \/made$/m, /^A \/etc\/made$/m]],
    ['commit c1 kept:1', /^sha256:[0-9a-f]{64}\n$/],
    ['run --rm kept:1 read /made', 'content'],
    ['stop -t 1 c1', 'c1\n'],
    ['inspect -f "{{.State.ExitCode}}" c1', '143\n'],
    ['$ docker export c1 | tar -tf - | grep -x made', 'made\n'],
    ['start c1', 'c1\n'],
    ['exec c1 /busybox.wasm read /made', 'content'],
    ['rm c1', /./, 1],
    ['rm -f c1', 'c1\n'],
    ['run --rm -v kept:/data box read /data/file', 'durable'],
    ['volume rm kept', 'kept\n'],
  ],
  'an image built': [
    [
      '$ printf \'FROM box\\nCOPY made /\\nRUN ["/busybox.wasm","read","/made"]\\n\' > Dockerfile && printf in > made',
      '',
    ],
    [
      '$ DOCKER_BUILDKIT=0 docker build -t built:1 .',
      [/Running in/, /^in ---> Removed/m, /Successfully tagged built:1/],
    ],
    ['$ DOCKER_BUILDKIT=0 docker build -t built:1 .', /Using cache/],
    ['run --rm built:1 read /made', 'in'],
    ['rmi built:1', /Untagged/],
  ],
  'output kept': [
    ['run -d --name l1 box args one two', ID],
    ['wait l1', '0\n'],
    ['logs -f --tail 2 l1', 'one\ntwo\n'],
    ['logs -t --tail 1 l1', /^\d{4}-\d\d-\d\dT[\d:.]+Z two\n$/],
    ['rm l1', 'l1\n'],
    ['run -d --restart on-failure:1 --name r1 box exit 3', ID],
    ['$ until [ "$(docker inspect -f "{{.State.Status}}" r1)" = exited ]; do sleep 0.1; done', ''],
    ['inspect -f "{{.RestartCount}} {{.State.ExitCode}}" r1', '1 3\n'],
    ['rm r1', 'r1\n'],
  ],
  'published ports': [
    ['network create n1', ID],
    ['run -d --name w1 --network n1 -p 127.0.0.1::80 web served', ID],
    ['logs w1', /listening/],
    [`$ ${GET} "http://$(docker port w1 80)/"`, 'served\n'],
    ['run -d --name w2 -p 80 web everywhere', ID],
    ['port w2', /^80\/tcp -> 0\.0\.0\.0:\d+\n(80\/tcp -> \[::\]:\d+\n)?$/],
    [`$ ${GET} "http://127.0.0.1:$(docker port w2 | sed -n "1s/.*://p")/"`, 'everywhere\n'],
    ['$ docker run --name w3 -p "$(docker port w2 | sed -n "1s/.*://p"):80" web', /port is already allocated/, 125],
    ['rm -f w1 w2 w3', 'w1\nw2\nw3\n'],
    ['network rm n1', 'n1\n'],
  ],
  images: [
    ['$ docker save box | docker load', 'Loaded image: box:latest\n'],
    ['$ echo no tar | docker load', /./, 1],
    ['images --format "{{.Repository}}" web', 'web\n'],
    ['system df --format "{{.Type}}"', /^Images\n/],
    ['events --since 1m --until 0s --filter type=network --format "{{.Action}}"', /create/],
  ],
});

export function describeDaemon({ name, command, executable }: Runtime): void {
  describeStories(`wctr daemon on ${name}`, stories(executable), command);
}
