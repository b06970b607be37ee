import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Beside the dependencies: it goes with them and with the clone. */
const directory = fileURLToPath(new URL('../../node_modules/.cache/haic', import.meta.url));

/**
 * Node keeps what it compiles of modules that this process loads from now on, and finds it again the next time: most of what a short
 * command takes. A call and not the environment, which whatever is started would inherit. Where it cannot be written, nothing is kept.
 */
export const keepCompiled = (): void => void enableCompileCache(directory);
