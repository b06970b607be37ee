import path from 'node:path';

/** Where things are for this instance. `root` is empty in a sandbox and a directory where there is none. */
export interface LauncherPaths {
  readonly app: string;
  readonly resources: string;
  readonly temporary: string;
  readonly home: string;
  /** The interpreter's environment: a link to the shared one, or a private build. */
  readonly venv: string;
  readonly uvCache: string;
  /** Where the instance makes its environments itself, if it does. */
  readonly environments: string;
  readonly packages: string;
  /**
   * waved's working directory: a real directory two levels below the root, because bundles name their folders relative to it
   * (`H2O_WAVE_PUBLIC_DIR=/assets/@../../app/static/`).
   */
  readonly waved: string;
  /** The launcher's own notes. */
  readonly notes: string;
}

export function launcherPaths(root: string): LauncherPaths {
  const below = (name: string) => path.join(root === '' ? '/' : root, name);
  return {
    app: below('app'),
    resources: below('resources'),
    temporary: below('tmp'),
    home: below('resources/home'),
    venv: below('resources/venv'),
    uvCache: below('resources/uv-cache'),
    environments: below('resources/environments'),
    packages: below('resources/packages'),
    waved: below('resources/waved'),
    notes: below('resources/launcher'),
  };
}
