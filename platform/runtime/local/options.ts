import type { Logger } from '@haic/kit/logging.ts';

export interface ImageMount {
  readonly hostPath: string;
  /** Where the process sees it. */
  readonly path: string;
  /** Default true. */
  readonly readOnly?: boolean;
  /** Left out when the host does not have it, instead of failing the start. */
  readonly optional?: boolean;
}

/** What an image is here: directories of this machine and an environment. The system's own /usr is always there, read-only. */
export interface LocalImage {
  readonly mounts: readonly ImageMount[];
  readonly env: Readonly<Record<string, string>>;
  /** A fixed uid for every workload of the image, instead of one of `uids` each. */
  readonly uid?: number;
}

/** Milliseconds. Tests make them short; nobody else has a reason to. */
export interface Timing {
  readonly backOffFirst: number;
  readonly backOffLongest: number;
  /** A process that ran for so long starts with a clean record. */
  readonly backOffReset: number;
  /** How often a found-again process is looked at, in case no event told of its end. */
  readonly livenessPoll: number;
  readonly logRotationPoll: number;
}

export const defaultTiming: Timing = {
  backOffFirst: 1_000,
  backOffLongest: 60_000,
  backOffReset: 60_000,
  livenessPoll: 2_000,
  logRotationPoll: 1_000,
};

export interface LocalRuntimeOptions {
  /** Made if needed. Both directories must be reachable (mode 0711 or more on the way) for the uids of workloads. */
  readonly stateDirectory: string;
  readonly volumesDirectory: string;
  readonly images: Readonly<Record<string, LocalImage>>;
  /** `auto` isolates where root and bubblewrap allow it and says in `capabilities` where not; `required` refuses to start there. */
  readonly isolation: 'auto' | 'required' | 'none';
  readonly uids: { readonly first: number; readonly count: number };
  /** Prefix of the cgroups; default `haic`. */
  readonly cgroupName?: string;
  readonly logger: Logger;
  /** Bytes of a log file before it is rotated; two files are kept for each of the last two attempts. Default 10 MiB. */
  readonly logLimitBytes?: number;
  /** Processes and threads of one workload; default 4096. */
  readonly processLimit?: number;
  readonly timing?: Partial<Timing>;
  /** Nothing is started or ended before `begin`: what is stored may have to be changed first. */
  readonly held?: boolean;
}
