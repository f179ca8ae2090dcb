/** What the commands that work on registries have in common. */
import { WctrError } from '../../errors.ts';
import type { Context } from '../command.ts';
import type { RegistryTools } from '../registry-tools.ts';

export async function registryTools({ registry }: Context): Promise<RegistryTools> {
  if (registry === undefined) throw new WctrError('unsupported', 'this host cannot work on registries directly');
  return registry();
}
