// The one place where a service looks up to apps/: a type alone, so that writer and reader of instance.json cannot drift apart.
// biome-ignore lint/style/noRestrictedImports: type only, erased at run time
export type { LauncherConfig } from '@haic/launcher/config.ts';
