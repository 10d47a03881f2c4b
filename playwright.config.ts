import { defineConfig } from '@playwright/test';
import { browserLaunch } from './src/tools/browser.ts';

export default defineConfig({
  testDir: 'e2e',
  timeout: 300_000,
  expect: { timeout: 30_000 },
  workers: 1,
  reporter: process.env['CI'] ? [['list']] : [['line']],
  use: {
    baseURL: 'http://localhost:4174',
    viewport: { width: 1280, height: 800 },
    trace: 'retain-on-failure',
    launchOptions: browserLaunch(),
  },
  webServer: [
    { command: 'npx vite build && npx vite preview --port 4174 --strictPort', port: 4174, timeout: 180_000 },
    // Test pages under e2e/pages are modules of their own, served as sources.
    { command: 'npx vite --port 4175 --strictPort', port: 4175, timeout: 60_000 },
  ],
});
