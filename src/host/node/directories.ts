import { builtin } from './builtin.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Where images and containers live: `WCTR_DATA_ROOT`, else `~/.local/share/wctr`. */
export function dataRoot(env: Env): string {
  return env.WCTR_DATA_ROOT || `${home(env)}/.local/share/wctr`;
}

/** Where `registries.json` is looked for: `WCTR_CONFIG_DIR`, else `~/.config/wctr`. */
export function configDirectory(env: Env): string {
  return env.WCTR_CONFIG_DIR || `${home(env)}/.config/wctr`;
}

function home(env: Env): string {
  return env.HOME || builtin.os.homedir();
}
