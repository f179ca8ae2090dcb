/** Platforms: `os/arch[/variant]`, containerd's aliases, and which of an image's platforms to take. */
import { WctrError } from '../errors.ts';
import type { Platform } from '../spec/image-spec.ts';
import { quote } from './quote.ts';

/** What runs here, best first. `wasi/wasm` and `wasi/wasm32` are the names used before preview 1 had its own. */
export const DEFAULT_PLATFORMS: readonly Platform[] = [
  { os: 'wasip1', architecture: 'wasm' },
  { os: 'wasi', architecture: 'wasm' },
  { os: 'wasi', architecture: 'wasm32' },
  { os: 'wasip2', architecture: 'wasm' },
];

/** What a build is for, unless it says otherwise. */
export const DEFAULT_BUILD_PLATFORM: Platform = { os: 'wasi', architecture: 'wasm' };

const OS_ALIAS: Readonly<Record<string, string>> = { macos: 'darwin' };
const ARCHITECTURE_ALIAS: Readonly<Record<string, Omit<Platform, 'os'>>> = {
  i386: { architecture: '386' },
  x86_64: { architecture: 'amd64' },
  'x86-64': { architecture: 'amd64' },
  aarch64: { architecture: 'arm64' },
  armhf: { architecture: 'arm', variant: 'v7' },
  armel: { architecture: 'arm', variant: 'v6' },
};
const PART = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/;

/** Parses `--platform`. Throws `invalid-argument`. */
export function parsePlatform(text: string): Platform {
  const parts = text.split('/');
  const [os, architecture, variant] = parts;
  if (parts.length > 3 || os === undefined || architecture === undefined || !parts.every((part) => PART.test(part))) {
    throw new WctrError('invalid-argument', `${quote(text)} is not a platform`, {
      hint: 'write os/arch or os/arch/variant, such as wasip1/wasm or linux/arm64',
    });
  }
  return normalisePlatform(variant === undefined ? { os, architecture } : { os, architecture, variant });
}

/** Lower case, aliases replaced, default variants made explicit or dropped as containerd does. */
export function normalisePlatform(platform: Platform): Platform {
  const os = platform.os.toLowerCase();
  const architecture = platform.architecture.toLowerCase();
  const alias = Object.hasOwn(ARCHITECTURE_ALIAS, architecture) ? ARCHITECTURE_ALIAS[architecture] : undefined;
  const arch = alias?.architecture ?? architecture;
  const variant = normaliseVariant(arch, (platform.variant ?? '').toLowerCase() || (alias?.variant ?? ''));
  return {
    os: Object.hasOwn(OS_ALIAS, os) ? (OS_ALIAS[os] as string) : os,
    architecture: arch,
    ...(variant === '' ? {} : { variant }),
  };
}

function normaliseVariant(architecture: string, variant: string): string {
  if (architecture === 'arm64') return variant === '8' || variant === 'v8' ? '' : variant;
  if (architecture === 'amd64') return variant === 'v1' ? '' : variant;
  if (architecture === 'arm') return variant === '' ? 'v7' : /^[5-8]$/.test(variant) ? `v${variant}` : variant;
  return variant;
}

/** `linux/arm/v7` */
export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant } = platform;
  return [os || 'unknown', architecture || 'unknown', ...(variant ? [variant] : [])].join('/');
}

export function samePlatform(a: Platform, b: Platform): boolean {
  return formatPlatform(normalisePlatform(a)) === formatPlatform(normalisePlatform(b));
}

/** Position of the platform in the wish list, -1 when it is not wanted at all. */
export function platformRank(wanted: readonly Platform[], platform: Platform): number {
  return wanted.findIndex((wish) => samePlatform(wish, platform));
}

/** True for the platforms whose programs are Wasm by definition. */
export function isWasmPlatform(platform: Platform): boolean {
  return /^wasm(?:32|64)?$/.test(platform.architecture.toLowerCase());
}

/**
 * The error for an image that has nothing to run here: says what it has and what would run. Escapes are not needed in
 * the names since `parseManifest` admits plain words only.
 */
export function noMatchingPlatform(
  image: string,
  available: readonly Platform[],
  wanted: readonly Platform[] = DEFAULT_PLATFORMS,
): WctrError {
  const names = [...new Set(available.map(formatPlatform))];
  const what = names.length === 0 ? 'no platform at all' : names.join(', ');
  const wishes = wanted.map(formatPlatform).join(', ');
  return new WctrError('no-matching-platform', `image ${image} is for ${what}; none of them is ${wishes}`, {
    hint: 'wctr runs WebAssembly images: look for a wasip1/wasm or wasi/wasm tag of this image, or build the program for WASI',
    data: { available: names, wanted: wanted.map(formatPlatform) },
  });
}
