/** Where everything of Haic's lies in its images. */
export const home = '/opt/haic';

export const imageNames = ['platform', 'app-runtime'] as const;
export type ImageName = (typeof imageNames)[number];

export interface Image {
  readonly entrypoint: readonly string[];
  /** What the contents are found by; all else is said where the image is run. */
  readonly env: Readonly<Record<string, string>>;
  /** Debian packages beyond a minimal system, by name; the Dockerfile installs the same. */
  readonly packages: readonly string[];
}

/** User and group of both images; neither needs to write anything but what is mounted. */
export const imageUid = 10_001;

const node = '/usr/local/bin/node';

/** What the images are. The Dockerfiles say the same, which a test holds them to; their files come from `assemble.ts` alone. */
export const images: Readonly<Record<ImageName, Image>> = {
  platform: {
    entrypoint: [node, `${home}/programs/main.mjs`],
    env: {
      NODE_ENV: 'production',
      HAIC_HOME: '/var/lib/haic',
      HAIC_PORTAL_DIR: `${home}/portal`,
      HAIC_CLI_FILE: `${home}/bin/h2o`,
      HAIC_HELM: '/usr/local/bin/helm',
      HAIC_APP_CHART: `${home}/deploy/charts/wave-app`,
    },
    packages: ['ca-certificates', 'libstdc++6'],
  },
  'app-runtime': {
    entrypoint: [node, `${home}/assets/launcher.mjs`],
    env: {
      HAIC_LISTEN: '0.0.0.0',
      HAIC_INSTALLER: `${home}/assets/installer.mjs`,
      HAIC_UV: '/usr/local/bin/uv',
    },
    // libgomp: wheels for numbers want it and do not always bring it.
    packages: ['ca-certificates', 'libgomp1', 'libstdc++6', 'python3'],
  },
};
