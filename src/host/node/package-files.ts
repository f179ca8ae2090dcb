/**
 * dist/ with a slash at its end, where the Wasm modules, the bundled programs and the images of the package are: from a
 * compiled file anywhere in it, or from a source file under src/host/node. A path, because a short command has no other
 * use for URLs and would load them for this.
 */
export const DIST: string = distOf(import.meta.dirname);

function distOf(here: string): string {
  const [, inside] = /^(.*[\\/]dist)(?:[\\/]|$)/.exec(here) ?? [];
  return `${inside ?? `${here}/../../../dist`}/`;
}
