/**
 * `import … from 'node:http'` evaluates every export of that module, the lazy ones too, and so loads Node's whole WebSocket and fetch
 * code: measured, 13 MB for each instance that nobody ever uses. Asked for this way it costs 3 MB.
 */
export const http = process.getBuiltinModule('node:http');
export const https = (): typeof import('node:https') => process.getBuiltinModule('node:https');
export const tls = (): typeof import('node:tls') => process.getBuiltinModule('node:tls');
