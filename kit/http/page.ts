/** A page that a service answers by itself, outside the portal: plain HTML without script, in light and dark, readable at any width. */
export interface Page {
  readonly title: string;
  /** Paragraphs of plain text. */
  readonly text: readonly string[];
  /** Shown small, e.g. the reason in the platform's own words. */
  readonly detail?: string;
  readonly actions?: readonly PageAction[];
  /** Shown with a spinner, and asked for again by itself. */
  readonly refreshSeconds?: number;
}

export type PageAction =
  | { readonly label: string; readonly href: string }
  | { readonly label: string; readonly post: string; readonly fields: Readonly<Record<string, string>> };

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (char) => entities[char] ?? '');

/** Nothing may run or load on these pages, and nobody may frame them. */
export const pagePolicy =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

const style = `
:root{color-scheme:light dark;--bg:#f5f6f8;--card:#fff;--text:#1c1f23;--dim:#5b626b;--line:#e1e4e8;--accent:#ffe52b;--ink:#1c1f23}
@media(prefers-color-scheme:dark){:root{--bg:#131518;--card:#1d2024;--text:#eceef1;--dim:#a0a8b2;--line:#30353b}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1rem;background:var(--bg);color:var(--text);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{width:100%;max-width:30rem;background:var(--card);border:1px solid var(--line);border-top:4px solid var(--accent);
border-radius:10px;padding:1.75rem 1.75rem 1.5rem;overflow-wrap:anywhere}
h1{font-size:1.3rem;line-height:1.3;margin:0 0 .75rem;display:flex;gap:.7rem;align-items:center}
p{margin:0 0 .75rem}.detail{color:var(--dim);font-size:.875rem}
.actions{display:flex;flex-wrap:wrap;gap:.6rem;margin-top:1.25rem}form{margin:0}
a.button,button{font:inherit;font-weight:600;cursor:pointer;text-decoration:none;border-radius:6px;border:1px solid var(--line);
padding:.5rem 1rem;background:transparent;color:var(--text);display:inline-block}
.actions>:first-child a.button,.actions>a.button:first-child,.actions>:first-child button{background:var(--accent);border-color:var(--accent);color:var(--ink)}
a.button:focus-visible,button:focus-visible{outline:3px solid #4c8dff;outline-offset:2px}
.spin{flex:none;width:1.1rem;height:1.1rem;border-radius:50%;border:3px solid var(--line);border-top-color:var(--text);animation:turn 1s linear infinite}
@keyframes turn{to{transform:rotate(1turn)}}
@media(prefers-reduced-motion:reduce){.spin{animation-duration:6s}}`;

export function renderPage(page: Page): string {
  const refresh =
    page.refreshSeconds === undefined ? '' : `<meta http-equiv="refresh" content="${page.refreshSeconds}">`;
  const spinner = page.refreshSeconds === undefined ? '' : '<span class="spin" aria-hidden="true"></span>';
  const text = page.text.map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`).join('');
  const detail = page.detail ? `<p class="detail">${escapeHtml(page.detail)}</p>` : '';
  const actions = page.actions?.length
    ? `<div class="actions">${page.actions.map(renderAction).join('')}</div>`
    : '';
  return (
    `<!doctype html><html lang="en"><head><meta charset="utf-8">` +
    `<meta name="viewport" content="width=device-width,initial-scale=1">${refresh}` +
    `<title>${escapeHtml(page.title)} · Haic</title><style>${style}</style></head>` +
    `<body><main role="${page.refreshSeconds === undefined ? 'main' : 'status'}">` +
    `<h1>${spinner}<span>${escapeHtml(page.title)}</span></h1>${text}${detail}${actions}</main></body></html>`
  );
}

function renderAction(action: PageAction): string {
  if ('href' in action)
    return `<a class="button" href="${escapeHtml(action.href)}">${escapeHtml(action.label)}</a>`;
  const fields = Object.entries(action.fields)
    .map(([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`)
    .join('');
  return (
    `<form method="post" action="${escapeHtml(action.post)}">${fields}` +
    `<button type="submit">${escapeHtml(action.label)}</button></form>`
  );
}
