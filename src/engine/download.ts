/** Files of addresses, for ADD and for contexts. */
import type { Download } from '../build/solve/ports.ts';
import { WctrError } from '../errors.ts';
import { shownAddress } from '../host/shown-address.ts';
import { quote } from '../images/quote.ts';

/**
 * Over the web's fetch. What an address redirects to is the address' business, as with docker; a login in it goes to its
 * own host only. Throws `registry-unreachable`, and `not-found` for every answer but a good one.
 */
export const download: Download = async (address, signal) => {
  const shown = quote(shownAddress(address));
  const { url, headers } = withoutLogin(address);
  const response = await fetch(url, { headers, redirect: 'follow', ...(signal === undefined ? {} : { signal }) }).catch(
    (cause: unknown) => {
      signal?.throwIfAborted();
      throw new WctrError('registry-unreachable', `cannot fetch ${shown}`, { cause });
    },
  );
  if (response.ok && response.body !== null) return { body: response.body as unknown as AsyncIterable<Uint8Array> };
  await response.body?.cancel();
  throw new WctrError('not-found', `invalid response status ${response.status} for ${shown}`);
};

/** fetch takes no address with a login in it. */
function withoutLogin(address: string): { url: string; headers: Record<string, string> } {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || (url.username === '' && url.password === '')) return { url: address, headers: {} };
  const bytes = new TextEncoder().encode(`${decoded(url.username)}:${decoded(url.password)}`);
  url.username = '';
  url.password = '';
  return { url: url.href, headers: { authorization: `Basic ${btoa(String.fromCharCode(...bytes))}` } };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
