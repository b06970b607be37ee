import { createHash } from 'node:crypto';
import { type Html, html, trustedHtml } from './html.ts';

const style = `
:root{color-scheme:light dark;--page:#f4f5f7;--card:#fff;--text:#1b1d21;--dim:#5b616b;--line:#c9ced6;--accent:#8a6200;
--button:#1b1d21;--button-text:#fff;--bad:#a4161a;--bad-page:#fdeceb;--good:#1b5e20;--good-page:#e8f3e9}
@media (prefers-color-scheme:dark){:root{--page:#111317;--card:#1b1e24;--text:#eceef1;--dim:#a3aab5;--line:#454c58;--accent:#ffd54a;
--button:#ffd54a;--button-text:#1b1d21;--bad:#ffb4ab;--bad-page:#3b1d1c;--good:#a5d6a7;--good-page:#1c2f1e}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1rem;background:var(--page);color:var(--text);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
main{width:100%;max-width:24rem;padding:2rem 1.75rem;background:var(--card);border:1px solid var(--line);border-radius:.75rem}
.brand{display:flex;align-items:center;gap:.5rem;margin-bottom:1.5rem;font-weight:700;letter-spacing:.02em}
.brand svg{width:1.5rem;height:1.5rem;color:var(--accent)}
h1{margin:0 0 .25rem;font-size:1.375rem;line-height:1.3}
p{margin:.5rem 0;overflow-wrap:anywhere}
.dim{color:var(--dim);font-size:.9rem}
label{display:block;margin:1rem 0 .25rem;font-weight:600;font-size:.9rem}
.check{display:flex;gap:.5rem;align-items:flex-start;font-weight:400}
.check input{width:1.1rem;height:1.1rem;margin:.15rem 0 0;flex:none}
input[type=text],input[type=password]{width:100%;padding:.6rem .7rem;font:inherit;color:inherit;background:var(--page);
border:1px solid var(--line);border-radius:.4rem}
input:focus-visible,button:focus-visible,a:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
button,.button{display:block;width:100%;margin-top:1.5rem;padding:.65rem 1rem;font:inherit;font-weight:600;text-align:center;
color:var(--button-text);background:var(--button);border:1px solid var(--button);border-radius:.4rem;cursor:pointer;text-decoration:none}
button.plain,a.plain{margin-top:.75rem;color:inherit;background:none;border-color:var(--line)}
button:hover,.button:hover{filter:brightness(1.12)}
form~p{margin-top:1.25rem}
a{color:inherit}
.notice{margin:1rem 0;padding:.65rem .8rem;border-radius:.4rem;font-size:.95rem;border:1px solid currentColor}
.bad{color:var(--bad);background:var(--bad-page)}
.good{color:var(--good);background:var(--good-page)}
code{font:600 1.4rem/1.6 ui-monospace,Menlo,Consolas,monospace;letter-spacing:.08em}
`;

const styleHash = createHash('sha256').update(style).digest('base64');

/**
 * No script at all; style by its hash. `form-action` is left out on purpose: browsers apply it to the redirects that follow a form,
 * and a sign-in ends at the host of the app that asked for it.
 */
export const pageHeaders: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; frame-ancestors 'none'; base-uri 'none'`,
  'cache-control': 'no-store',
  // Not no-referrer: with it, browsers send "Origin: null" with a form, and the origin is what is checked.
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

const mark = trustedHtml(
  '<svg viewBox="0 0 24 24" fill="currentColor" aria-hidden="true"><path d="M12 1.5 21.1 6.75v10.5L12 22.5l-9.1-5.25V6.75z"/></svg>',
);

export const page = (title: string, content: Html): string =>
  html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title} · Haic</title>
<style>${trustedHtml(style)}</style>
</head>
<body>
<main>
<div class="brand">${mark}Haic</div>
${content}
</main>
</body>
</html>
`.text;

export const notice = (kind: 'bad' | 'good', text: string | undefined): Html =>
  text === undefined
    ? html``
    : html`<p class="notice ${kind}" role="${kind === 'bad' ? 'alert' : 'status'}">${text}</p>`;
