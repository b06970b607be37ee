/** What a LINK app may open: a web page. No script, no file, and no password that everyone would read. */
export function isLinkAddress(address: string): boolean {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
}
