export type PreviewKind = 'table' | 'markdown' | 'picture' | 'text' | 'none';

const kinds: Readonly<Record<Exclude<PreviewKind, 'none'>, RegExp>> = {
  table: /\.(csv|tsv)$/i,
  markdown: /\.(md|markdown)$/i,
  // As <img>, which runs nothing of it; SVG among them.
  picture: /\.(png|jpe?g|gif|webp|avif|bmp|ico|svg)$/i,
  text: /\.(txt|log|json|jsonl|ndjson|ya?ml|toml|ini|cfg|conf|env|py|ipynb|r|sql|js|ts|css|html?|xml|sh|java|scala|go|rs|c|h|cpp|tex|rst|properties|gitignore)$/i,
};

/** By the name: whoever put it there may have said anything of its type. HTML is shown as the text that it is. */
export function kindOfPreview(name: string): PreviewKind {
  for (const [kind, pattern] of Object.entries(kinds)) if (pattern.test(name)) return kind as PreviewKind;
  return /^(readme|license|makefile|dockerfile)$/i.test(name) ? 'text' : 'none';
}
