import Markdown, { type Components } from 'react-markdown';
import remarkGfm from 'remark-gfm';
import { safeHref } from '../components/safe-href.ts';

/**
 * The author's Markdown, GitHub's kind: tables, task lists, bare links. Raw HTML is not rendered, links are http(s) only and open apart, and what is not on this host is a
 * link rather than an image: a description must not tell its author who reads it.
 */
export const LongDescription = ({ markdown }: { markdown: string }) => (
  <div className="prose">
    <Markdown components={components} remarkPlugins={plugins} skipHtml>
      {markdown}
    </Markdown>
  </div>
);

const plugins = [remarkGfm];

const components: Components = {
  // The page's own title is the first heading; the author's come below it.
  h1: ({ children }) => <h2>{children}</h2>,
  h2: ({ children }) => <h3>{children}</h3>,
  h3: ({ children }) => <h4>{children}</h4>,
  // A wide table scrolls by itself instead of widening the page.
  table: ({ children }) => (
    <div className="prose-table">
      <table>{children}</table>
    </div>
  ),
  a: ({ href, children }) => {
    const safe = safeHref(href);
    if (safe === undefined) return <span>{children}</span>;
    return (
      <a href={safe} target="_blank" rel="noopener noreferrer">
        {children}
      </a>
    );
  },
  img: ({ src, alt }) => {
    const safe = safeHref(typeof src === 'string' ? src : undefined);
    if (safe === undefined) return <span>{alt}</span>;
    if (new URL(safe).origin === location.origin) return <img src={safe} alt={alt ?? ''} loading="lazy" />;
    return (
      <a href={safe} target="_blank" rel="noopener noreferrer">
        {alt || safe}
      </a>
    );
  },
};
