import type { LauncherConfig } from './launcher-config.ts';
import type { RuntimeVersion } from './runtime-versions.ts';

/** What of the installation goes into the specification of an instance. */
export interface TemplateSettings {
  readonly publicUrl: string;
  readonly issuer: string;
  readonly masterKey: Buffer;
  readonly launcher: { readonly image: string; readonly command: readonly string[] };
  readonly installer: { readonly socket: string } | undefined;
  readonly network: LauncherConfig['network'];
  readonly runtimeVersions: readonly RuntimeVersion[];
  /** Bytes, for apps that name none. */
  readonly defaultMemoryLimit: number;
}
