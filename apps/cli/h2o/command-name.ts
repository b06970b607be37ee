/** Set by the bundler in the single file that the portal offers (`installation/build.ts`). */
declare const H2O_SINGLE_FILE: boolean | undefined;

/** Whether this is the downloaded file, which knows nothing of a clone or an installation. */
export const isSingleFile = typeof H2O_SINGLE_FILE !== 'undefined';

/** How people call this command line: what it proposes as the next command begins with it. */
export const commandName = isSingleFile ? 'h2o' : './haic';
