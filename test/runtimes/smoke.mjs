// One suite for every runtime: pull from a loopback registry, run, files and mounts, limits, kill. Plain JavaScript of
// the web's standards, so that each runtime loads this very file.

/**
 * @param {object} context
 * @param {{ run: Function, pull: Function, images: Function }} context.wctr an open Wctr
 * @param {string} context.reference the test image: /bin/busybox (test/support/guests) and /etc/motd
 * @param {string[]} context.isolations to go through, one after the other
 * @param {string} [context.directory] a directory of the host with a file `in` ("from the host")
 * @param {object} [context.fs] an object like node:fs, empty; mounted where the isolation is `inline`
 * @returns {Promise<{ name: string, problem?: string }[]>}
 */
export async function smoke({ wctr, reference, isolations, directory, fs }) {
  const results = [];
  const test = async (name, body) => {
    try {
      await body();
      results.push({ name });
    } catch (error) {
      results.push({ name, problem: String(error?.stack ?? error) });
    }
  };

  await test('pulls, and then has the image', async () => {
    equal((await wctr.pull(reference)).changed, true);
    equal((await wctr.pull(reference)).changed, false);
    equal((await wctr.images()).length, 1);
  });

  for (const isolation of isolations) {
    const start = (args, options = {}) => wctr.run(reference, { args, isolation, ...options });
    const run = async (args, options) => {
      const { exitCode, oomKilled, stdout, stderr, reason } = await (await start(args, options)).output();
      if (exitCode === 125) throw new Error(reason);
      return { exitCode, oomKilled, stdout, stderr };
    };
    const fine = (stdout) => ({ exitCode: 0, oomKilled: false, stdout, stderr: '' });
    const of = (name) => `${isolation}: ${name}`;

    await test(of('runs a program'), async () => {
      equal(await run(['hello']), fine('Hello from the guest\n'));
      equal(await run(['args', 'a b']), fine('/bin/busybox\nargs\na b\n'));
      equal((await run(['env'], { env: { GREETING: 'hi' } })).stdout.includes('GREETING=hi\n'), true);
    });
    await test(of('passes exit codes and standard error on'), async () => {
      equal((await run(['exit', '7'])).exitCode, 7);
      equal(await run(['err', 'oops']), { exitCode: 0, oomKilled: false, stdout: '', stderr: 'oops' });
      equal((await run(['trap'])).exitCode, 134);
    });
    await test(of('feeds standard input'), async () => {
      const container = await start(['cat'], { stdin: true });
      const output = container.output();
      const writer = container.stdin.getWriter();
      await writer.write(new TextEncoder().encode('through '));
      await writer.write(new TextEncoder().encode('the guest'));
      await writer.close();
      equal((await output).stdout, 'through the guest');
    });
    await test(of('reads the image and writes its own layer'), async () => {
      equal(await run(['read', '/etc/motd']), fine('from the image\n'));
      equal(await run(['write', '/etc/motd', 'changed']), fine(''));
      equal(await run(['read', '/etc/motd']), fine('from the image\n'));
    });
    await test(of('mounts a tmpfs'), async () => {
      equal(
        await run(['write', '/t/file', 'x'], { readonlyRootfs: true, mounts: { '/t': { tmpfs: true } } }),
        fine(''),
      );
    });
    if (directory !== undefined) {
      await test(of('mounts a directory of the host'), async () => {
        const mounts = { '/mnt': directory };
        equal(await run(['read', '/mnt/in'], { mounts }), fine('from the host'));
        equal(await run(['write', `/mnt/${isolation}`, 'from the guest'], { mounts }), fine(''));
        equal(await run(['read', `/mnt/${isolation}`], { mounts }), fine('from the guest'));
      });
    }
    if (fs !== undefined && isolation === 'inline') {
      await test(of('mounts an object like node:fs'), async () => {
        equal(await run(['write', '/mnt/out', 'from the guest'], { mounts: { '/mnt': fs } }), fine(''));
        equal(fs.readFileSync('/out', 'utf8'), 'from the guest');
      });
    }
    await test(of('keeps limits'), async () => {
      const memory = await run(['grow', 'abort'], { resources: { memoryBytes: 32 * 1024 * 1024 } });
      equal([memory.exitCode, memory.oomKilled], [137, true]);
      equal((await run(['loop'], { resources: { timeoutMs: 500 } })).exitCode, 124);
      equal((await run(['fill', '/big', '3e6'], { resources: { storageBytes: 1e6 } })).exitCode, 1);
    });
    if (isolation !== 'inline') {
      await test(of('kills a computing guest'), async () => {
        const container = await start(['loop']);
        const reader = container.stdout.getReader();
        await reader.read();
        await container.kill('SIGTERM');
        equal((await container.wait()).exitCode, 143);
        while (!(await reader.read()).done);
      });
    }
    await test(of('carries 10 MB'), async () => {
      const container = await start(['flood', '1e7']);
      let bytes = 0;
      const reader = container.stdout.getReader();
      for (let part = await reader.read(); !part.done; part = await reader.read()) bytes += part.value.length;
      equal(bytes, 1e7);
    });
  }
  return results;
}

function equal(actual, expected) {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`expected ${b}, got ${a}`);
}
