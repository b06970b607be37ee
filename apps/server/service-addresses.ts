import type { ServiceRecord } from '@haic/services/discovery/discovery.ts';

/** Where a protobuf-shaped service is, and how discovery tells of it. */
export interface ServiceAddress extends Omit<ServiceRecord, 'uri'> {
  /** Below the public URL; published without a trailing slash, since clients append `/v1/…`. */
  readonly prefix: `/${string}`;
}

/**
 * The services that clients reach by HTTP and JSON and by gRPC. The router knows them from here, too: the portal's pages reach a service at
 * `/api/services<prefix>/…`.
 */
export const serviceAddresses = {
  workspaces: { prefix: '/authz', id: 'authz-gateway', displayName: 'Workspaces' },
  mlops: { prefix: '/mlops', id: 'mlops-api', displayName: 'MLOps', pythonClient: 'h2o-mlops==1.6.4' },
  secureStore: {
    prefix: '/secure-store',
    id: 'secure-store',
    displayName: 'Secure store',
    pythonClient: 'h2o-secure-store==1.4.2',
  },
  auditTrail: {
    prefix: '/audit-trail',
    id: 'audit-trail',
    displayName: 'Audit trail',
    pythonClient: 'h2o-audit-trail==1.5.3',
  },
} as const satisfies Record<string, ServiceAddress>;

/** Drive is one listener of its own. The official client looks up three of these ids, and its 2.x and 3.x the last one. */
export const driveRecords = (driveUrl: string): readonly ServiceRecord[] => [
  { id: 'drive-sts', displayName: 'Drive: temporary keys', uri: `${driveUrl}/sts` },
  { id: 'userdrive', displayName: 'Drive: own files', uri: driveUrl, pythonClient: 'h2o-drive==5.1.0' },
  { id: 'workspacedrive', displayName: 'Drive: files of workspaces', uri: driveUrl },
  { id: 'drive', displayName: 'Drive', uri: driveUrl },
];

export const servicePrefixes: readonly string[] = Object.values(serviceAddresses).map(({ prefix }) => prefix);
