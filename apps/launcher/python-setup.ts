import type { LauncherConfig } from '@haic/services/app-store/scheduler/launcher-config.ts';
import type { EnvironmentsClient } from '@haic/services/environments/client.ts';
import type { Environment } from './environment.ts';
import type { InstanceLog } from './instance-log.ts';
import type { LauncherPaths } from './paths.ts';
import type { Patience } from './patience.ts';

/** What the Python of an instance is made from. */
export interface PythonSetup {
  readonly installer: EnvironmentsClient;
  readonly paths: LauncherPaths;
  readonly mode: 'wave' | 'python';
  readonly module: string;
  /** Versions of its requirements are chosen once for the app, so that every instance and restart runs the same. */
  readonly appId: string;
  readonly runtimeVersion: string;
  /** What the administrator asks of every environment on it. */
  readonly runtime: LauncherConfig['runtime'];
  /** YYYY-MM-DD: for requirements that no longer fit together. */
  readonly publishedOn: string;
  /** Place of uv in the sandbox, for what has to be built privately. */
  readonly uv: string | undefined;
  readonly site: Environment;
  readonly log: InstanceLog;
  readonly say: (message: string) => void;
  readonly patience: Patience;
  readonly signal: AbortSignal;
}
