import { defineConfig } from '@playwright/test';
import { browserLaunch } from './src/tools/browser.ts';

/** The built page; the test pages' sources are served one above. E2E_PORT moves both. */
const port = Number(process.env['E2E_PORT'] ?? 4174);
process.env['TEST_PAGES'] = `http://localhost:${port + 1}/e2e/pages`;

export default defineConfig({
  testDir: 'e2e',
  timeout: 300_000,
  expect: { timeout: 30_000 },
  workers: 1,
  reporter: process.env['CI'] ? [['list']] : [['line']],
  use: {
    baseURL: `http://localhost:${port}`,
    viewport: { width: 1280, height: 800 },
    trace: 'retain-on-failure',
    // Its own tests let it in; elsewhere every request is the page's.
    serviceWorkers: 'block',
    launchOptions: browserLaunch(),
  },
  webServer: [
    {
      command: `npx vite build && npx vite preview --port ${port} --strictPort`,
      port,
      timeout: 180_000,
    },
    // Test pages under e2e/pages are modules of their own, served as sources.
    { command: `npx vite --port ${port + 1} --strictPort`, port: port + 1, timeout: 60_000 },
  ],
});
