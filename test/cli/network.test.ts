/** `wctr network` with the real binary: what is made, listed, connected, refused and removed, and the exit codes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cli, guestLayout, openCli } from '../support/cli.ts';

let cli: Cli;
beforeAll(async () => {
  cli = openCli();
  const layout = await guestLayout(cli.dir, 'web', 'docker.io/library/web:latest');
  expect((await cli.run(['load', '-i', layout])).code).toBe(0);
});
afterAll(async () => {
  await cli.run(['rm', '-f', 'web']);
  cli.remove();
}, 30_000);

/** A line, its output (both streams), its exit code when it is not 0. */
type Step = readonly [line: string, output: string | RegExp, code?: number];

const ID = /^[0-9a-f]{64}\n$/;
const CONNECTED = `-f '{{range $name, $on := .NetworkSettings.Networks}}{{$name}} {{$on.IPAddress}};{{end}}'`;

const STORIES: Readonly<Record<string, readonly Step[]>> = {
  'makes and lists': [
    [
      'network ls',
      /^NETWORK ID {5}NAME {6}DRIVER {4}SCOPE\n[0-9a-f]{12} {3}bridge {4}bridge {4}local\n[0-9a-f]{12} {3}host .*\n[0-9a-f]{12} {3}none {6}null {6}local\n$/,
    ],
    ['network create a', ID],
    ['network create a', /^wctr: network with name a already exists\n$/, 1],
    [
      'network create --subnet 10.9.0.0/24 --gateway 10.9.0.9 --ip-range 10.9.0.128/25 --aux-address x=10.9.0.130 --label k=v --internal b',
      ID,
    ],
    [`network inspect -f '{{(index .IPAM.Config 0).Gateway}} {{.Internal}} {{.Labels.k}}' b`, '10.9.0.9 true v\n'],
    [`network ls -f type=custom --format '{{.Name}} {{.Internal}} {{.Labels}}'`, 'a false \nb true k=v\n'],
    [`network ls -f label=k=v --format '{{.Name}} {{.Label "k"}}'`, 'b v\n'],
    ['network ls -q --no-trunc -f name=a', ID],
    ['network inspect a', /^\[\n {4}\{\n {8}"Name": "a",\n/],
    [`network inspect -f '{{.Name}}' a nosuch b`, 'a\nb\nwctr: network nosuch not found\n', 1],
  ],
  'refuses what cannot be': [
    ['network create --subnet 10.9.0.0/16 c', /Pool overlaps/, 1],
    ['network create --subnet bogus c', /invalid CIDR address/, 1],
    ['network create --gateway 10.9.0.9 c', /every ip-range or gateway must have a corresponding subnet/, 1],
    ['network create -d overlay c', /plugin not found/, 1],
    ['network create bridge', /predefined/, 1],
    ['network create ../x', /invalid network name/, 1],
    ['network create', /requires exactly 1 argument/, 1],
    ['network create --nosuch c', /unknown flag: --nosuch/, 125],
    ['network ls -f bare', /invalid filter/, 125],
    ['network ls -f nosuch=1', /invalid filter 'nosuch'/, 1],
    ['network rm bridge', /pre-defined/, 1],
    ['network inspect', /requires at least 1 argument/, 1],
    ['network frobnicate', /is not a wctr network command/, 1],
  ],
  'puts a running container on and takes it off': [
    ['run -d --name web --network a --network-alias www -p 127.0.0.1::80 web', ID],
    ['network connect --ip 10.9.0.140 --alias db b web', ''],
    [`inspect web ${CONNECTED}`, /^a 172\.\d+\.0\.2;b 10\.9\.0\.140;\n$/],
    [`network inspect -f '{{range .Containers}}{{.Name}} {{.IPv4Address}}{{end}}' b`, 'web 10.9.0.140/24\n'],
    ['network connect b web', /already exists in network b/, 1],
    ['network connect nosuch web', /network nosuch not found/, 1],
    ['network connect b nosuch', /no such container: nosuch/, 1],
    ['network rm a', /has active endpoints/, 1],
    ['network disconnect b nosuch', /no such container/, 1],
    ['network disconnect -f b nosuch', ''],
    ['network disconnect b web', ''],
    ['network disconnect b web', /is not connected/, 1],
    [`inspect web ${CONNECTED}`, /^a [\d.]+;\n$/],
    ['rm -f web', 'web\n'],
  ],
  removes: [
    ['network rm a nosuch', 'a\nwctr: network nosuch not found\n', 1],
    ['network rm -f nosuch', ''],
    ['network prune -f', 'Deleted Networks:\nb\n\n'],
    ['network prune -f', ''],
    ['network ls -q -f type=custom', ''],
  ],
};

/** A line as a shell splits it; the only quotes are single ones. */
const words = (line: string) =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');

describe('wctr network', () => {
  it.each(Object.entries(STORIES))('%s', { timeout: 40_000 }, async (_, steps) => {
    for (const [line, output, code = 0] of steps) {
      const answer = await cli.run(words(line));
      const said = `${answer.stdout}${answer.stderr}`;
      if (typeof output !== 'string') expect(said, line).toMatch(output);
      expect({ line, code: answer.code, said }).toEqual({
        line,
        code,
        said: typeof output === 'string' ? output : said,
      });
    }
  });
});
