/**
 * What runs in the browser on the registry's page. Only its text is served (page.ts), so nothing outside of the function can
 * be used inside. Everything a registry holds is somebody's content: it goes into the page as text, never as markup.
 */
export function browse(): void {
  interface Blob {
    readonly mediaType?: string;
    readonly digest?: string;
    readonly size?: number;
    readonly platform?: { readonly os?: string; readonly architecture?: string; readonly variant?: string };
  }
  interface Manifest extends Blob {
    readonly config?: Blob;
    readonly layers?: readonly Blob[];
    readonly manifests?: readonly Blob[];
    readonly artifactType?: string;
    readonly annotations?: Readonly<Record<string, unknown>>;
    readonly subject?: Blob;
  }
  const ACCEPT = [
    'application/vnd.oci.image.index.v1+json',
    'application/vnd.oci.image.manifest.v1+json',
    'application/vnd.docker.distribution.manifest.list.v2+json',
    'application/vnd.docker.distribution.manifest.v2+json',
  ].join(', ');
  const main = document.querySelector('main')!;
  const trail = document.querySelector('nav')!;
  /** Counts what was asked to be shown: an answer that comes too late is dropped. */
  let turn = 0;

  const element = (name: string, text = '', ...inside: Node[]): HTMLElement => {
    const made = document.createElement(name);
    made.textContent = text;
    made.append(...inside);
    return made;
  };
  const link = (text: string, target: string): HTMLElement => {
    const made = element('a', text) as HTMLAnchorElement;
    made.href = `#${encodeURI(target)}`;
    return made;
  };
  const size = (bytes: unknown): string => {
    if (typeof bytes !== 'number' || !Number.isFinite(bytes)) return '';
    const units = ['B', 'kB', 'MB', 'GB', 'TB'];
    let unit = 0;
    let value = bytes;
    for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
    return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
  };
  const ask = async (path: string, headers: Record<string, string> = {}): Promise<Response> => {
    const answer = await fetch(path, { headers });
    if (answer.ok) return answer;
    if (answer.status === 401) throw new Error('This registry wants a login that a page cannot give.');
    throw new Error(`The registry answered ${answer.status}.`);
  };
  const table = (heads: readonly string[], rows: readonly (readonly (string | Node)[])[]): HTMLElement => {
    const cells = (kind: string, row: readonly (string | Node)[]) =>
      row.map((cell) => (typeof cell === 'string' ? element(kind, cell) : element(kind, '', cell)));
    const body = rows.map((row) => element('tr', '', ...cells('td', row)));
    return element(
      'table',
      '',
      element('thead', '', element('tr', '', ...cells('th', heads))),
      element('tbody', '', ...body),
    );
  };

  /** A list that may have more pages; `row` makes a line of each name. */
  const listed = async (
    path: string,
    field: string,
    heads: readonly string[],
    row: (name: string) => (string | Node)[],
  ) => {
    const holder = element('div');
    const rows: (string | Node)[][] = [];
    const more = async (from: string): Promise<void> => {
      const answer = await ask(from);
      const names = ((await answer.json()) as Record<string, unknown>)[field];
      for (const name of Array.isArray(names) ? names : []) rows.push(row(String(name)));
      const next = /<([^>]+)>; *rel="next"/.exec(answer.headers.get('link') ?? '')?.[1];
      const button = element('button', 'More');
      button.addEventListener('click', () => void more(next!));
      const shown = rows.length === 0 ? element('p', 'There is nothing here yet.') : table(heads, rows);
      holder.replaceChildren(shown, ...(next === undefined ? [] : [button]));
    };
    await more(path);
    return [holder];
  };

  const repositories = () =>
    listed('/v2/_catalog?n=100', 'repositories', ['Repository'], (name) => [link(name, `/${name}`)]);
  const tags = (name: string) =>
    listed(`/v2/${name}/tags/list?n=100`, 'tags', ['Tag', 'Pull'], (tag) => [
      link(tag, `/${name}:${tag}`),
      element('code', `${location.host}/${name}:${tag}`),
    ]);

  const manifest = async (name: string, reference: string): Promise<Node[]> => {
    const answer = await ask(`/v2/${name}/manifests/${reference}`, { accept: ACCEPT });
    const document = (await answer.json()) as Manifest;
    const facts: [string, string | Node][] = [
      ['Digest', element('code', answer.headers.get('docker-content-digest') ?? '')],
      ['Type', element('code', answer.headers.get('content-type') ?? '')],
    ];
    if (document.artifactType !== undefined) facts.push(['Artifact', element('code', String(document.artifactType))]);
    if (document.subject?.digest !== undefined) {
      facts.push(['Refers to', link(String(document.subject.digest), `/${name}@${document.subject.digest}`)]);
    }
    const shown: Node[] = [];
    if (Array.isArray(document.manifests)) {
      const rows = document.manifests.map((entry: Blob) => [
        link(String(entry.digest).slice(0, 19), `/${name}@${entry.digest}`),
        [entry.platform?.os, entry.platform?.architecture, entry.platform?.variant].filter(Boolean).join('/'),
        String(entry.mediaType ?? ''),
        size(entry.size),
      ]);
      shown.push(element('h2', 'Manifests'), table(['Digest', 'Platform', 'Type', 'Size'], rows));
    }
    if (Array.isArray(document.layers)) {
      const blobs: Blob[] = [...(document.config === undefined ? [] : [document.config]), ...document.layers];
      const total = blobs.reduce((sum, blob) => sum + (typeof blob.size === 'number' ? blob.size : 0), 0);
      facts.push(['Size', size(total)]);
      const rows = blobs.map((blob, i) => [
        i === 0 && document.config !== undefined ? 'config' : `${i}`,
        element('code', String(blob.digest).slice(0, 19)),
        String(blob.mediaType ?? ''),
        size(blob.size),
      ]);
      shown.push(element('h2', 'Content'), table(['', 'Digest', 'Type', 'Size'], rows));
    }
    for (const [key, value] of Object.entries(document.annotations ?? {})) facts.push([key, String(value)]);
    const referrers = await ask(`/v2/${name}/referrers/${answer.headers.get('docker-content-digest')}`)
      .then((found) => found.json() as Promise<Manifest & { manifests: (Blob & { artifactType?: string })[] }>)
      .catch(() => ({ manifests: [] }));
    if (referrers.manifests.length > 0) {
      const rows = referrers.manifests.map((entry) => [
        link(String(entry.digest).slice(0, 19), `/${name}@${entry.digest}`),
        String((entry as { artifactType?: string }).artifactType ?? entry.mediaType ?? ''),
        size(entry.size),
      ]);
      shown.push(element('h2', 'Refers to this'), table(['Digest', 'Type', 'Size'], rows));
    }
    return [table(['', ''], facts), ...shown];
  };

  const show = async (): Promise<void> => {
    turn += 1;
    const mine = turn;
    const target = decodeURI(location.hash.slice(1)).replace(/^\//, '');
    const [, name = '', separator, reference = ''] = /^([^:@]*)(?:([:@])(.*))?$/.exec(target) ?? [];
    trail.replaceChildren(link('Repositories', '/'));
    if (name !== '') trail.append(' / ', link(name, `/${name}`));
    if (reference !== '') trail.append(` ${separator} `, element('span', reference));
    main.setAttribute('aria-busy', 'true');
    const shown = await (name === ''
      ? repositories()
      : reference === ''
        ? tags(name)
        : manifest(name, reference)
    ).catch((error: unknown) => [element('p', error instanceof Error ? error.message : String(error))]);
    if (mine !== turn) return;
    main.replaceChildren(...shown);
    main.removeAttribute('aria-busy');
  };
  addEventListener('hashchange', () => void show());
  void show();
}
