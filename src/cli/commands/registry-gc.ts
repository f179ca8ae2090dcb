import { WctrError } from '../../errors.ts';
import { createRegistry } from '../../registry/registry.ts';
import type { Command } from '../command.ts';
import { humanSize, parseDuration } from '../format/units.ts';
import { openStorage, STORAGE_FLAGS } from './registry-storage.ts';

export const command: Command = {
  usage: '',
  args: [0, 0],
  flags: [
    ...STORAGE_FLAGS,
    { name: 'grace', type: 'string', value: 'duration', description: 'Keep what was used this recently (default 1h)' },
    {
      name: 'upload-grace',
      type: 'string',
      value: 'duration',
      description: 'Keep unfinished uploads this young (default 24h)',
    },
    { name: 'untagged', type: 'boolean', description: 'Remove manifests that no tag leads to' },
  ],
  examples: ['wctr registry gc', 'wctr registry gc --untagged --grace 10m'],
  async run({ terminal, registryServer: openHost }, _args, flags) {
    if (openHost === undefined) throw new WctrError('unsupported', 'this host cannot serve a registry');
    const host = await openHost();
    const storage = await openStorage(flags, host, terminal, false);
    const [grace, uploadGrace] = ['grace', 'upload-grace'].map((name) => flags.string(name));
    try {
      const registry = createRegistry({ driver: storage.driver, createHasher: host.createHasher });
      const found = await registry.collect({
        untagged: flags.bool('untagged'),
        ...(grace === undefined ? {} : { graceMs: parseDuration(grace, '--grace') }),
        ...(uploadGrace === undefined ? {} : { uploadGraceMs: parseDuration(uploadGrace, '--upload-grace') }),
      });
      const { manifests, links, uploads, blobs, reclaimedBytes } = found;
      terminal.out(`Removed ${blobs} blobs, ${links} links, ${manifests} manifests, ${uploads} uploads\n`);
      terminal.out(`Total reclaimed space: ${humanSize(reclaimedBytes)}\n`);
    } finally {
      await storage.release();
    }
    return 0;
  },
};
