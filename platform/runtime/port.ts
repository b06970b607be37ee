/**
 * The runtime port: what Haic asks of the thing that runs workloads. It speaks Kubernetes' language so that nothing is lost on the
 * way to a cluster. The runtime is the truth about what runs: labels and annotations of a workload are the only record of it.
 */

/** An RFC 1123 label of at most 63 characters. */
export type WorkloadName = string;

export type EnvVar =
  | { readonly name: string; readonly value: string }
  /** From the workload's own secret; never shown by `get` or `list`. */
  | { readonly name: string; readonly secretKey: string }
  /** The number of a declared port, as the runtime assigned it. */
  | { readonly name: string; readonly portName: string };

export interface ContainerPort {
  readonly name: string;
  /** A fixed number; without it the runtime assigns one and tells the process by an EnvVar with `portName`. */
  readonly port?: number;
}

export interface Resources {
  /** Bytes. Above the limit the kernel ends the process: OOMKilled. */
  readonly memoryLimit?: number;
  readonly memoryRequest?: number;
  /** Thousandths of a core. */
  readonly cpuLimit?: number;
  readonly cpuRequest?: number;
  /** Whole devices. Refused (`invalid_workload`) by a runtime that cannot give any. */
  readonly gpus?: number;
}

/** A node's taint that a workload accepts. Without a value, whatever the taint's is; without an effect, every effect. */
export interface Toleration {
  readonly key: string;
  readonly value?: string;
  readonly effect?: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
}

export interface VolumeMount {
  readonly name: string;
  /** Absolute path that the process sees. */
  readonly mountPath: string;
  readonly readOnly?: boolean;
  readonly source: /** Lives until `remove` with `volumes: 'delete'`; the claim's name is unique in the runtime. */
    | { readonly kind: 'persistent'; readonly claim: string; readonly sizeBytes?: number }
    /** Lives as long as the pod: it survives a restart of the process, not a suspend. */
    | { readonly kind: 'ephemeral' }
    /** In memory, counted against the memory limit; gone with the process. At `/dev/shm` it is the size of the shared memory. */
    | { readonly kind: 'memory'; readonly sizeBytes: number }
    /** Files of the workload's own secret, one a key, readable by the process alone. */
    | { readonly kind: 'secret'; readonly keys: readonly string[] };
}

export interface Probe {
  readonly check:
    | { readonly kind: 'http'; readonly path: string; readonly port: string }
    | { readonly kind: 'tcp'; readonly port: string };
  readonly initialDelaySeconds?: number;
  /** Default 10, as in Kubernetes; fractions are allowed locally. */
  readonly periodSeconds?: number;
  readonly timeoutSeconds?: number;
  readonly failureThreshold?: number;
}

/** What runs. A change of anything here replaces the process; labels and annotations do not. */
export interface PodTemplate {
  /** Name of an image that the adapter was configured with (locally: a set of read-only directories). */
  readonly image: string;
  readonly command: readonly string[];
  readonly workingDirectory?: string;
  readonly env: readonly EnvVar[];
  /** Values for `secretKey` and secret volumes. Written 0600, redacted everywhere else. */
  readonly secret: Readonly<Record<string, string>>;
  readonly ports: readonly ContainerPort[];
  readonly resources: Resources;
  /** Labels that a node must have. This and tolerations are refused (`invalid_workload`) by a runtime of one machine. */
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly tolerations?: readonly Toleration[];
  readonly volumes: readonly VolumeMount[];
  /** Ready is not asked for before the startup probe passed. Failing it ends the process. */
  readonly startupProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly restartPolicy: 'Always' | 'OnFailure' | 'Never';
  /** Between SIGTERM and SIGKILL. */
  readonly terminationGracePeriodSeconds: number;
}

export interface WorkloadSpec {
  readonly name: WorkloadName;
  /** Kubernetes' label rules; selectable. */
  readonly labels: Readonly<Record<string, string>>;
  /** Free text; not selectable. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Zero keeps the workload and its volumes and runs nothing: suspended. */
  readonly replicas: 0 | 1;
  readonly template: PodTemplate;
}

/**
 * Pending: accepted, not started yet · Starting: the process lives, its startup probe has not passed · Running: started, not ready ·
 * Ready · BackOff: it ended and waits for its next start (CrashLoopBackOff) · Terminating · Succeeded and Failed: ended, not
 * to be restarted · Suspended: zero replicas and nothing runs.
 */
export type WorkloadPhase =
  | 'Pending'
  | 'Starting'
  | 'Running'
  | 'Ready'
  | 'BackOff'
  | 'Terminating'
  | 'Succeeded'
  | 'Failed'
  | 'Suspended';

export interface Termination {
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  /**
   * `StartError`: the command could not be run at all; its message says why. `ProbeFailed`: ended by the runtime. `Evicted`: the machine
   * ran short of something and chose it. `Lost`: nobody saw its end.
   */
  readonly reason: 'Completed' | 'Error' | 'OOMKilled' | 'ProbeFailed' | 'StartError' | 'Evicted' | 'Lost';
  readonly message: string;
  /** ISO 8601. */
  readonly finishedAt: string;
}

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface WorkloadStatus {
  readonly phase: WorkloadPhase;
  /** A CamelCase word, e.g. `CrashLoopBackOff`, `OOMKilled`, `PortTaken`, `ProbeFailing`; empty when nothing is to say. */
  readonly reason: string;
  /** The reason in plain words, for the person who waits. */
  readonly message: string;
  /** When the phase was entered; ISO 8601. */
  readonly since: string;
  readonly startedAt: string | undefined;
  readonly restartCount: number;
  readonly lastTermination: Termination | undefined;
  /** Where each declared port is reached from the platform; empty while nothing runs. */
  readonly endpoints: Readonly<Record<string, Endpoint>>;
  /** Bytes and thousandths of a core-second since the start, where the runtime can tell; asked of one workload (`get`), not of all. */
  readonly usage: { readonly memoryBytes?: number; readonly cpuMilliseconds?: number };
}

/** A workload as the runtime sees it. The template's secret is never given back. */
export interface Workload {
  readonly name: WorkloadName;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly replicas: 0 | 1;
  readonly template: Omit<PodTemplate, 'secret'>;
  readonly createdAt: string;
  readonly status: WorkloadStatus;
}

export type LabelSelector = Readonly<Record<string, string>>;

export type WorkloadEvent =
  /** The first event of every watch: all that matches now. */
  | { readonly type: 'SYNC'; readonly workloads: readonly Workload[] }
  | { readonly type: 'SET'; readonly workload: Workload }
  | { readonly type: 'REMOVED'; readonly name: WorkloadName };

export interface LogOptions {
  /** The process before the current one, after a restart. */
  readonly previous?: boolean;
  /** Goes on as lines are written, across restarts, until the signal aborts or the workload is removed. */
  readonly follow?: boolean;
  /** Only the last so many lines of what is there already. */
  readonly tailLines?: number;
  readonly signal: AbortSignal;
}

export interface RuntimeCapabilities {
  readonly kind: string;
  /** What separates one workload from another and from the platform, in plain words for the portal. */
  readonly isolation: readonly string[];
  /** What is missing here and how to get it; shown by `doctor` and the portal. */
  readonly missing: readonly { readonly what: string; readonly remedy: string }[];
  /** What is wrong with it at this moment, where something is; shown by the portal. */
  readonly trouble?: { readonly what: string; readonly remedy: string };
}

export interface Runtime {
  /**
   * Creates the workload or changes it to the specification; acknowledged means durable. An unchanged template never
   * restarts the process. Throws HaicError `invalid_workload` (400) or `workload_conflict` (409: a fixed port or claim is in use).
   */
  apply(spec: WorkloadSpec, options: { signal: AbortSignal }): Promise<Workload>;
  /** Changes labels and annotations (undefined removes a key) or replicas only. Throws `not_found`. */
  patch(
    name: WorkloadName,
    change: {
      readonly labels?: Readonly<Record<string, string | undefined>>;
      readonly annotations?: Readonly<Record<string, string | undefined>>;
      readonly replicas?: 0 | 1;
    },
    options: { signal: AbortSignal },
  ): Promise<Workload>;
  /** Stops the process (grace period, then SIGKILL of all it started) and forgets the workload. Removing what is not there succeeds. */
  remove(name: WorkloadName, options: { volumes: 'keep' | 'delete'; signal: AbortSignal }): Promise<void>;
  get(name: WorkloadName): Promise<Workload | undefined>;
  /** Without their usage: a list must cost little however much runs. */
  list(selector: LabelSelector): Promise<readonly Workload[]>;
  /**
   * Never ends by itself: it ends when the signal aborts. Every consumer sees the latest state; intermediate ones may be merged. One that does
   * not wait between two events has been told, by the next turn of the event loop, all that `list` shows.
   */
  watch(selector: LabelSelector, options: { signal: AbortSignal }): AsyncIterable<WorkloadEvent>;
  /** Lines without their newline, stdout and stderr as one stream. Throws `not_found`. */
  logs(name: WorkloadName, options: LogOptions): AsyncIterable<string>;
  capabilities(): RuntimeCapabilities;
}
