/** The address if a click on it can only ever be a visit: http or https. Anything else, such as `javascript:`, is none. */
export function safeHref(address: string | null | undefined): string | undefined {
  if (address === null || address === undefined || address === '') return undefined;
  try {
    const url = new URL(address, location.origin);
    return url.protocol === 'http:' || url.protocol === 'https:' ? url.href : undefined;
  } catch {
    return undefined;
  }
}
