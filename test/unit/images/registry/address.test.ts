import { describe, expect, it } from 'vitest';
import { classifyHost, mayPointTo, mayPointToResolved } from '../../../../src/images/registry/address.ts';

const CLASSES: [string, string][] = [
  ['localhost', 'loopback'],
  ['LOCALHOST.', 'loopback'],
  ['a.localhost', 'loopback'],
  ['127.0.0.1', 'loopback'],
  ['127.200.1.1', 'loopback'],
  ['0.0.0.0', 'loopback'],
  ['2130706433', 'loopback'],
  ['0x7f.1', 'loopback'],
  ['0177.0.0.1', 'loopback'],
  ['[::1]', 'loopback'],
  ['[::]', 'loopback'],
  ['[::ffff:127.0.0.1]', 'loopback'],
  ['[::127.0.0.1]', 'loopback'],
  ['[64:ff9b::7f00:1]', 'loopback'],
  ['[2002:7f00:1::]', 'loopback'],
  ['169.254.169.254', 'link-local'],
  ['[::ffff:169.254.169.254]', 'link-local'],
  ['[fe80::1]', 'link-local'],
  ['[fd00:ec2::254]', 'link-local'],
  ['100.100.100.200', 'link-local'],
  ['192.0.0.192', 'link-local'],
  ['metadata.google.internal', 'link-local'],
  ['10.1.2.3', 'private'],
  ['172.16.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['192.168.1.1', 'private'],
  ['255.255.255.255', 'private'],
  ['224.0.0.1', 'private'],
  ['[fc00::1]', 'private'],
  ['[ff02::1]', 'private'],
  ['172.32.0.1', 'public'],
  ['100.128.0.1', 'public'],
  ['8.8.8.8', 'public'],
  ['[2606:4700::1]', 'public'],
  ['[2002:808:808::]', 'public'],
  ['auth.docker.io', 'public'],
  ['127.0.0.1.nip.io', 'public'],
  ['localhost.example.com', 'public'],
];

describe('classifyHost', () => {
  it.each(CLASSES)('%s is %s', (host, expected) => {
    // Through the URL parser, as every host here comes.
    expect(classifyHost(new URL(`http://${host}/`).hostname)).toBe(expected);
  });
});

const REACH: [string, string, boolean][] = [
  ['https://reg.example', 'https://auth.example/token', true],
  ['https://reg.example', 'http://127.0.0.1/token', false],
  ['https://reg.example', 'https://localhost:8443/token', false],
  ['https://reg.example', 'http://169.254.169.254/latest/meta-data', false],
  ['https://reg.example', 'https://10.0.0.7/token', false],
  ['https://reg.example', 'https://[::ffff:10.0.0.7]/token', false],
  ['http://127.0.0.1:5000', 'http://localhost:5001/token', true],
  ['http://127.0.0.1:5000', 'http://169.254.169.254/', false],
  ['http://127.0.0.1:5000', 'http://10.0.0.1/', false],
  ['http://10.0.0.5', 'http://10.0.0.6/token', true],
  ['http://10.0.0.5', 'http://127.0.0.1/token', false],
  ['http://169.254.1.1', 'http://169.254.169.254/', false],
  ['http://169.254.1.1', 'http://169.254.1.1:81/token', true],
];

describe('mayPointTo', () => {
  it.each(REACH)('%s to %s: %s', async (from, to, allowed) => {
    expect(mayPointTo(new URL(from), new URL(to))).toBe(allowed);
    expect(await mayPointToResolved(new URL(from), new URL(to), undefined)).toBe(allowed);
  });

  it('looks behind names where the host can', async () => {
    const names: Record<string, string[]> = {
      'reg.example': ['93.184.216.34'],
      'auth.example': ['93.184.216.35'],
      'sly.example': ['93.184.216.36', '169.254.169.254'],
      'reg.lan': ['10.0.0.5'],
      'auth.lan': ['10.0.0.6'],
    };
    const lookup = async (name: string) => names[name] ?? Promise.reject(new Error('no such host'));
    const may = (from: string, to: string) => mayPointToResolved(new URL(from), new URL(to), lookup);
    expect(await may('https://reg.example', 'https://auth.example')).toBe(true);
    expect(await may('https://reg.example', 'https://sly.example')).toBe(false);
    expect(await may('https://reg.example', 'https://auth.lan')).toBe(false);
    expect(await may('https://reg.lan', 'https://auth.lan')).toBe(true);
    expect(await may('https://reg.example', 'https://unknown.example')).toBe(true);
  });
});
