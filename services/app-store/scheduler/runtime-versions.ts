/** A Python that apps may ask for by name (`Runtime.RuntimeVersion`). */
export interface RuntimeVersion {
  readonly name: string;
  /** What the launcher asks the installer for, e.g. `3.11`. */
  readonly python: string;
  readonly aliases: readonly string[];
  readonly default: boolean;
  /** Runs what names it already, and refuses new apps. */
  readonly deprecated: boolean;
  /** Lines of a constraints file that hold for every app on it: `starlette<1`. */
  readonly constraints?: string | undefined;
  /** YYYY-MM-DD: of what was published later, nothing is installed. */
  readonly cutOff?: string | undefined;
  /** Why nothing can run on it here just now, in plain words. */
  readonly unavailable?: string | undefined;
}

/**
 * Names that real bundles carry (contracts/app-store.md §6). They promise a Python of their own, which an installation with one Python
 * cannot give: they are aliases of the one there is, because most of those bundles run on it. So are the names that this installation
 * itself gave before its machine got a newer Python.
 */
export const namesInTheWild = [
  'deb11_py38_wlatest',
  'deb11_py39_wlatest',
  'deb11_py310_wlatest',
  'ub2004_cuda114_cudnn8_py38_wlatest',
  'ub2204_cuda121_cudnn8_py310_wlatest',
  'deb_py38',
  'deb_py39',
  'deb_py310',
  'deb_py311',
  'deb_py312',
  'deb_py313',
  'deb_py314',
];

/** The runtime versions of an installation that has one Python, say `3.11`. */
export function singlePythonVersions(python: string): readonly RuntimeVersion[] {
  const name = `deb_py${python.replace('.', '')}`;
  const aliases = namesInTheWild.filter((alias) => alias !== name);
  return [{ name, python, aliases, default: true, deprecated: false }];
}

/** With the word of those whose Python is not among the machine's. */
export const onPythons = (
  versions: readonly RuntimeVersion[],
  pythons: readonly string[],
): readonly RuntimeVersion[] =>
  versions.map((version) =>
    pythons.includes(version.python)
      ? version
      : {
          ...version,
          unavailable: `The runtime version ${version.name} needs Python ${version.python}, which is not installed on this machine. There is: ${pythons.join(', ') || 'none'}. An administrator can install it, or let ${version.name} be an alias of another one (HAIC_RUNTIME_VERSIONS).`,
        },
  );
