/** npm's ruby.wasm with its standard library as an image's files: pushed by skopeo, served by docker-registry. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cli, openCli } from '../support/cli.ts';
import { type DockerRegistry, pushLayout, startDockerRegistry } from '../support/docker-registry.ts';
import { hasRubyPeers, RUBY_FLAGS, RUBY_MAIN, RUBY_PATH, RUBY_TAG, rubyLayout } from './ruby-image.ts';

const SCRIPT = `
require 'json'
require 'set'
require 'erb'
require 'digest'
require 'optparse'
require 'fileutils'
require_relative 'lib/greeting'

rows = JSON.parse(File.read(File.join(__dir__, 'rows.json')), symbolize_names: true)
names = Set.new(rows.map { |row| row[:name] })
puts ERB.new(<<~TEMPLATE, trim_mode: '-').result(binding)
  <%- names.sort.each do |name| -%>
  * <%= greet(name) %>
  <%- end -%>
TEMPLATE
puts Digest::SHA256.hexdigest('abc')
puts "argv #{ARGV.inspect}"
FileUtils.mkdir_p('/tmp/deep/er')
File.write('/tmp/deep/er/file', 'x' * 100_000)
puts Dir.glob('/tmp/deep/**/*').select { |path| File.file?(path) }.map { |path| "#{path} #{File.size(path)}" }
puts "library #{Dir.glob('/opt/ruby/lib/**/*').count { |path| File.file?(path) } > 1500}"
File.write(File.join(__dir__, 'out.txt'), names.to_a.join(','))
puts [3, 1, 2].sort_by { -_1 }.inspect
`;

const EXPECTED = [
  '* Hello, ada!',
  '* Hello, grace!',
  'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  'argv ["--flag", "value"]',
  '/tmp/deep/er/file 100000',
  'library true',
  '[3, 2, 1]',
  '',
].join('\n');

describe.skipIf(!hasRubyPeers())('ruby from a registry', () => {
  let cli: Cli;
  let registry: DockerRegistry;

  beforeAll(async () => {
    cli = openCli();
    const [layout, started] = await Promise.all([rubyLayout(), startDockerRegistry()]);
    registry = started;
    await pushLayout(layout, RUBY_TAG, registry.host, 'ruby:gzip', { compress: 'gzip' });
    await pushLayout(layout, RUBY_TAG, registry.host, 'ruby:zstd', { compress: 'zstd' });
    mkdirSync(join(cli.dir, 'app', 'lib'), { recursive: true });
    writeFileSync(join(cli.dir, 'app', 'script.rb'), SCRIPT);
    writeFileSync(join(cli.dir, 'app', 'rows.json'), '[{"name":"grace"},{"name":"ada"},{"name":"ada"}]');
    writeFileSync(join(cli.dir, 'app', 'lib', 'greeting.rb'), 'def greet(name) = "Hello, #{name}!"\n');
  }, 600_000);
  afterAll(async () => {
    await registry?.stop();
    cli?.remove();
  });

  const ruby = (flags: readonly string[], ...args: string[]) =>
    cli.run(['run', '--rm', '-q', '-v', './app:/app', ...flags, `${registry.host}/ruby:gzip`, ...args]);

  it.each(['gzip', 'zstd'])('pulls %s layers and runs a script from a mounted directory', async (compression) => {
    const image = `${registry.host}/ruby:${compression}`;
    const pulled = await cli.run(['pull', '-q', image]);
    expect(pulled).toEqual({ code: 0, stdout: `${image}\n`, stderr: '' });
    const args = ['/app/script.rb', '--flag', 'value'];
    const result = await cli.run(['run', '--rm', '--pull', 'never', '-v', './app:/app', image, ...args]);
    expect(result).toEqual({ code: 0, stdout: EXPECTED, stderr: '' });
  });

  it('ends with the status of the script', async () => {
    writeFileSync(join(cli.dir, 'app', 'exit.rb'), '$stderr.puts "to stderr"; exit 42');
    expect(await ruby([], '/app/exit.rb')).toEqual({ code: 42, stdout: '', stderr: 'to stderr\n' });
  });

  it('tells of an exception with its backtrace', async () => {
    writeFileSync(join(cli.dir, 'app', 'raise.rb'), 'def fail_here = File.read("/no/such")\nfail_here\n');
    const { code, stdout, stderr } = await ruby([], '/app/raise.rb');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^\/app\/raise\.rb:1:in .*No such file or directory.*\/no\/such \(Errno::ENOENT\)/);
  });

  it('reads standard input and keeps the root file system read-only', async () => {
    writeFileSync(
      join(cli.dir, 'app', 'filter.rb'),
      `puts $stdin.each_line.map { |line| line.chomp.reverse }
begin
  File.write('/file', 'x')
rescue SystemCallError => error
  puts error.class
end`,
    );
    const args = ['run', '--rm', '-i', '--read-only', '-v', './app:/app:ro', `${registry.host}/ruby:gzip`];
    const result = await cli.run([...args, '/app/filter.rb'], { input: 'one\ntwo\n' });
    expect(result).toEqual({ code: 0, stdout: 'eno\nowt\nErrno::EROFS\n', stderr: '' });
  });

  it('goes on from a checkpoint with its library loaded, pushed and pulled', async () => {
    const succeed = async (...args: string[]) => {
      const { code, stdout, stderr } = await cli.run(args);
      expect({ args, code, stderr }).toMatchObject({ code: 0 });
      return stdout;
    };
    writeFileSync(join(cli.dir, 'app', 'warm.rb'), 'puts JSON.generate(ARGV), Digest::MD5.hexdigest("")\n');
    const load = '%w[json set erb digest optparse fileutils].each { |name| require name }';
    const image = `${registry.host}/ruby`;
    await succeed('create', '--name', 'ruby', '--entrypoint', RUBY_PATH, `${image}:gzip`, load, ...RUBY_FLAGS);
    const entrypoint = `ENTRYPOINT ${JSON.stringify([RUBY_PATH, RUBY_MAIN])}`;
    await succeed('checkpoint', 'create', '--image', `${image}:warm`, '-c', entrypoint, '-c', 'CMD []', 'ruby');
    await succeed('push', '-q', `${image}:warm`);
    await succeed('rm', 'ruby');
    await succeed('rmi', `${image}:warm`);
    await succeed('pull', '-q', `${image}:warm`);
    for (const args of [[], ["it's", '"quoted"', 'ü', '']]) {
      expect(await cli.run(['run', '--rm', '-v', './app:/app', `${image}:warm`, '/app/warm.rb', ...args])).toEqual({
        code: 0,
        stdout: `${JSON.stringify(args)}\nd41d8cd98f00b204e9800998ecf8427e\n`,
        stderr: '',
      });
    }
  }, 120_000);

  it('ends when it calls what only a JavaScript host has', async () => {
    writeFileSync(join(cli.dir, 'app', 'js.rb'), 'require "js"\nJS.global\n');
    const { code, stderr } = await ruby([], '/app/js.rb');
    expect(stderr).toMatch(/ended: trap: called "rb-js-abi-host\.global-this: .*", which is not there/);
    expect(code).toBe(134);
  });
});
