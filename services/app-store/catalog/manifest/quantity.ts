const factors: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  K: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** A quantity of Kubernetes' resource model (`500Mi`, `1.5`, `500m`, `2e3`) as a number; undefined when it is none or below zero. */
export function parseQuantity(text: string): number | undefined {
  const match =
    /^\+?(\d{1,20}(?:\.\d{0,20})?|\.\d{1,20})(?:([eE][+-]?\d{1,3})|([numkKMGTPE]|[KMGTPE]i)?)$/.exec(text);
  if (match === null) return undefined;
  const [, digits = '', exponent, suffix = ''] = match;
  const value =
    exponent === undefined ? Number(digits) * (factors[suffix] ?? Number.NaN) : Number(digits + exponent);
  return Number.isFinite(value) ? value : undefined;
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** `90s`, `1h30m`, in seconds; `-1` is never; undefined when it is neither. */
export function parseTimeout(text: string): number | 'never' | undefined {
  if (text === '-1') return 'never';
  if (!/^(\d{1,9}(\.\d{1,3})?[smh]){1,3}$/.test(text)) return undefined;
  const seconds = [...text.matchAll(/([\d.]+)([smh])/g)].reduce(
    (sum, [, number = '0', unit = 's']) => sum + Number(number) * (unitSeconds[unit] ?? 0),
    0,
  );
  return seconds > 0 && seconds <= 366 * 24 * 3600 ? Math.ceil(seconds) : undefined;
}
