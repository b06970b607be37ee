/** History state of an instance page that was reached by pressing Run: it goes on to the app by itself, once. */
export const openWhenReady = { openWhenReady: true } as const;

export const wantsOpening = (state: unknown): boolean =>
  typeof state === 'object' && state !== null && 'openWhenReady' in state && state.openWhenReady === true;
