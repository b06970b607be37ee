import type { Me } from '../api/types.ts';

/** Whether people, their passwords and tokens are looked after here, and not at an issuer of the organisation. */
export const isOwnIssuer = ({ environment }: Me): boolean =>
  environment.issuerUrl.startsWith(`${environment.publicUrl}/`);
