/** A page to look at what the registry has: static, and nothing in it comes from anybody's content. */
import type { Reply } from '../http.ts';
import { browse } from './browse.ts';

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HTML = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>wctr registry</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/page/style.css">
<script src="/page/browse.js" defer></script>
</head>
<body>
<header><h1>wctr registry</h1><nav aria-label="Where you are"></nav></header>
<main aria-live="polite"></main>
<noscript><p>This page needs scripts to ask the registry what it has.</p></noscript>
</body>
</html>
`;

const STYLE = `:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
header { display: flex; flex-wrap: wrap; gap: 0 1.5rem; align-items: baseline; border-bottom: 1px solid #8886; }
h1 { font-size: 1.1rem; margin: 0.5rem 0; }
h2 { font-size: 1rem; margin: 1.5rem 0 0.25rem; }
nav { overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; margin-top: 0.75rem; }
th, td { text-align: left; vertical-align: top; padding: 0.3rem 0.75rem 0.3rem 0; border-bottom: 1px solid #8883; overflow-wrap: anywhere; }
th { font-weight: 600; }
th:last-child:not(:nth-child(-n + 2)), td:last-child:not(:nth-child(-n + 2)) { text-align: right; white-space: nowrap; }
code { font-family: ui-monospace, monospace; font-size: 0.9em; }
button { font: inherit; margin-top: 1rem; padding: 0.3rem 1rem; }
main[aria-busy] { opacity: 0.5; }
`;

const FILES: Readonly<Record<string, { readonly type: string; readonly text: () => string }>> = {
  '/': { type: 'text/html; charset=utf-8', text: () => HTML },
  '/page/style.css': { type: 'text/css; charset=utf-8', text: () => STYLE },
  '/page/browse.js': { type: 'text/javascript; charset=utf-8', text: () => `(${browse.toString()})();\n` },
};

/** Undefined: no part of the page. */
export function pageReply(path: string): Reply | undefined {
  const file = Object.hasOwn(FILES, path) ? FILES[path] : undefined;
  if (file === undefined) return undefined;
  const body = new TextEncoder().encode(file.text());
  return {
    status: 200,
    headers: {
      'content-type': file.type,
      'content-length': `${body.length}`,
      'content-security-policy': POLICY,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-cache',
    },
    body,
  };
}
