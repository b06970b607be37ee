import type { Principal } from '@haic/kit/auth/principal.ts';
import type { App } from './client.ts';
import { accessOf, type DownloadRule, mayDownload } from './policy.ts';

export interface AppVersion {
  readonly id: string;
  readonly version: string;
  readonly createdAt: Date;
  /** Who decides over it, by the policy. */
  readonly app: Parameters<typeof accessOf>[1];
}

/** What of the installation shows in an app. */
export interface AppView {
  /** Put before the addresses of icons and screenshots; empty: relative to the portal. */
  readonly assetPrefix: string;
  readonly downloads: DownloadRule;
}

export const assetUrl = (prefix: string, appId: string, name: string): string =>
  `${prefix}/api/v1/apps/${appId}/assets/${name}`;

/** An app in a list: its long description and versions are in `presentAppDetails`. */
export function presentApp(app: App, principal: Principal, view: AppView) {
  const { manifest } = app;
  const access = accessOf(principal, app);
  const urlsOf = (kind: 'icon' | 'screenshot') =>
    app.assets
      .filter((asset) => asset.kind === kind)
      .map((asset) => assetUrl(view.assetPrefix, app.id, asset.name));
  return {
    id: app.id,
    name: manifest.name,
    version: manifest.version,
    title: manifest.title,
    description: manifest.description,
    longDescription: '',
    icon: urlsOf('icon')[0] ?? null,
    screenshots: urlsOf('screenshot'),
    owner: app.owner,
    visibility: app.visibility,
    lifecycle: manifest.lifecycle,
    linkAddress: manifest.linkAddress ?? null,
    tags: manifest.tags,
    mode: manifest.runtime.mode,
    routingMode: manifest.runtime.routingMode,
    oidc: manifest.runtime.oidc,
    runtimeVersion: manifest.runtime.runtimeVersion ?? null,
    bundleSize: app.bundleSize,
    precondition: app.precondition,
    createdAt: app.createdAt.toISOString(),
    updatedAt: app.updatedAt.toISOString(),
    canRun: access.canRun,
    /** In plain words; empty when one may run it. */
    cannotRunBecause: access.cannotRunBecause,
    canManage: access.canManage,
    canDownload: mayDownload(principal, app, view.downloads).allowed,
  };
}

export const presentAppDetails = (
  app: App,
  versions: readonly AppVersion[],
  principal: Principal,
  view: AppView,
) => ({
  ...presentApp(app, principal, view),
  longDescription: app.longDescription,
  versions: versions.map(({ id, version, createdAt, app: one }) => ({
    id,
    version,
    createdAt: createdAt.toISOString(),
    /** So that going back to an older version is one step from any of them. */
    canRun: accessOf(principal, one).canRun,
    precondition: one.precondition.status,
  })),
});
