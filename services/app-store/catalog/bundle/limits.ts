/** What a bundle may cost. Each is a setting of the installation. */
export interface BundleLimits {
  /** Of the zip, bytes. */
  readonly bundleBytes: number;
  /** Of all files together, unpacked, bytes. */
  readonly expandedBytes: number;
  readonly entries: number;
  /** Of the zip's central directory, which is held in memory. */
  readonly directoryBytes: number;
  /** Unpacked to packed; asked only of what unpacks to more than `ratioFreeBytes`. */
  readonly ratio: number;
  readonly ratioFreeBytes: number;
  readonly manifestBytes: number;
  /** Each of requirements.txt, packages.txt and the long description. */
  readonly textBytes: number;
  readonly iconBytes: number;
  readonly screenshotBytes: number;
  readonly screenshots: number;
  readonly uploadSeconds: number;
  /** For checking a bundle after it arrived. */
  readonly checkSeconds: number;
  readonly concurrentImports: number;
}

const megabyte = 1024 * 1024;

export const defaultBundleLimits: BundleLimits = {
  bundleBytes: 512 * megabyte,
  expandedBytes: 2048 * megabyte,
  entries: 50_000,
  directoryBytes: 32 * megabyte,
  ratio: 200,
  ratioFreeBytes: 10 * megabyte,
  manifestBytes: megabyte,
  textBytes: 256 * 1024,
  iconBytes: megabyte,
  screenshotBytes: 10 * megabyte,
  screenshots: 20,
  uploadSeconds: 900,
  checkSeconds: 120,
  concurrentImports: 4,
};
