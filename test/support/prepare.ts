import { ensureH2o3 } from './h2o3.ts';
import { ensureKeycloak } from './keycloak.ts';

/** Installs the servers that tests start and that take long to get. */
await ensureKeycloak();
await ensureH2o3();
