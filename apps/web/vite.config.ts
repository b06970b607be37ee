import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: 'dist',
    // The content security policy allows no data: URL but for images, and no inline script: nothing is inlined.
    assetsInlineLimit: 0,
    // Has light-dark(), which must stay as written: its replacement for older browsers knows nothing of Mantine's attribute.
    cssTarget: ['chrome123', 'firefox121', 'safari17.5'],
    modulePreload: { polyfill: false },
  },
  server: {
    // `npx vite` beside a platform or the stand-in of dev/: the same origin as in production.
    proxy: Object.fromEntries(
      ['/api', '/session', '/login', '/logout', '/auth', '/oauth2'].map((path) => [
        path,
        process.env.HAIC_PUBLIC_URL ?? 'http://localhost:8080',
      ]),
    ),
  },
});
