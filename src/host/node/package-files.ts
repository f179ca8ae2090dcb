/**
 * dist/, where the Wasm modules, the bundled programs and the images of the package are: from a compiled file anywhere
 * in it, or from a source file under src/host/node.
 */
export const DIST: URL = distOf(import.meta.url);

function distOf(here: string): URL {
  const at = here.lastIndexOf('/dist/');
  return at < 0 ? new URL('../../../dist/', here) : new URL(here.slice(0, at + '/dist/'.length));
}
