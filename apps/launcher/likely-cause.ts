/** What usually is behind a failure, told from what the app or the tool printed last. */
interface Known {
  readonly pattern: RegExp;
  readonly cause: (match: RegExpExecArray, app: { module: string }) => string;
}

const known: readonly Known[] = [
  {
    pattern: /got an unexpected keyword argument 'on_startup'/,
    cause: () =>
      'This h2o-wave does not work with starlette 1 or newer. Add "starlette<1" to requirements.txt, or use h2o-wave 1.8.9 or newer.',
  },
  {
    pattern: /numpy\.dtype size changed|_ARRAY_API not found|compiled using NumPy 1\.x/,
    cause: () => 'A package was built for NumPy 1 and got NumPy 2. Add "numpy<2" to requirements.txt.',
  },
  {
    pattern: /Attribute "main" not found in module "([^"]+)"/,
    cause: (match) =>
      `The module ${match[1]} has no "main". A Wave app needs: from h2o_wave import main, app, Q.`,
  },
  {
    pattern: /Could not import module "([^"]+)"/,
    cause: (match) =>
      `The module ${match[1]}, which app.toml names, is not in the bundle or cannot be imported.`,
  },
  {
    pattern: /No module named '?([\w.]+)'?/,
    cause: (match, app) =>
      isOwnModule(match[1] ?? '', app.module)
        ? `The module ${match[1]}, which app.toml names, is not in the bundle.`
        : `The app imports "${match[1]}", which is not installed. Add its package to requirements.txt and import the bundle again.`,
  },
  {
    pattern: /(lib[\w.+-]+\.so[\w.]*): cannot open shared object file/,
    cause: (match) =>
      `The system library ${match[1]} is missing. Name the OS package that has it in packages.txt.`,
  },
  {
    pattern: /No space left on device|Disk quota exceeded/i,
    cause: () => 'The disk is full. Free some space, or ask for a larger volume (VolumeSize).',
  },
  {
    pattern: /MemoryError|Cannot allocate memory/,
    cause: () => 'The app ran out of memory. Raise MemoryLimit in app.toml.',
  },
  {
    pattern: /address already in use/i,
    cause: () => 'The port that the app wants is taken by another process.',
  },
  {
    pattern: /Read-only file system: '([^']+)'/,
    cause: (match) => `The app cannot write to ${match[1]}. Write below /tmp or to a volume (VolumeMount).`,
  },
  {
    pattern: /PermissionError: .*'([^']+)'/,
    cause: (match) => `The app may not use ${match[1]}. Write below /tmp or to a volume (VolumeMount).`,
  },
  {
    pattern: /invalid peer certificate|CERTIFICATE_VERIFY_FAILED/,
    cause: () =>
      'The certificate of the package index is not trusted here. An own certificate authority is set with HAIC_CA_FILE.',
  },
  {
    pattern: /(?:Failed to fetch|error sending request|Could not connect|dns error)/i,
    cause: () => 'A package could not be downloaded: the package index cannot be reached from here.',
  },
  {
    pattern: /No solution found when resolving|ResolutionImpossible|was not found in the package registry/,
    cause: () =>
      'requirements.txt cannot be satisfied: a package or version does not exist, or two exclude each other.',
  },
  {
    pattern: /Failed to build|error: command .*(gcc|cc|clang)|metadata-generation-failed/,
    cause: () =>
      'A requirement has no ready-made wheel for this Python and its build failed. Choose a version that has one.',
  },
  {
    pattern: /^(SyntaxError|IndentationError|TabError): (.+)$/,
    cause: (match) => `A Python file of the app cannot be read (${match[1]}: ${match[2]}).`,
  },
  {
    pattern: /KeyError: '([A-Z][A-Z0-9_]+)'/,
    cause: (match) =>
      `The environment variable ${match[1]} may be missing. Set it with [[Env]] in app.toml if the app needs it.`,
  },
];

const isOwnModule = (missing: string, own: string) => missing !== '' && `${own}.`.startsWith(`${missing}.`);

/** The cause in plain words; undefined when the lines tell nothing. The first exception printed decides, the last line explains. */
export function likelyCause(lines: readonly string[], app: { module: string }): string | undefined {
  for (const { pattern, cause } of known) {
    for (const line of lines) {
      const match = pattern.exec(line.trim());
      if (match !== null) return cause(match, app);
    }
  }
  const exception = lines.findLast((line) =>
    /^[A-Za-z_][\w.]*(Error|Exception|Exit|Interrupt)\b(: .*)?$/.test(line.trim()),
  );
  return exception === undefined ? undefined : `The app stopped with ${shorten(exception.trim())}`;
}

const shorten = (text: string) => (text.length > 300 ? `${text.slice(0, 300)}…` : text);

/** How a process ended, in words. */
export function describeEnd(end: { code: number | null; signal: string | null }): string {
  if (end.signal === 'SIGKILL')
    return 'was killed (SIGKILL), often because it used more memory than its limit allows';
  if (end.signal !== null) return `was ended by ${end.signal}`;
  return `ended with exit code ${end.code ?? 'unknown'}`;
}
