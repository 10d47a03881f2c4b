import { existsSync } from 'node:fs';
import { defineConfig } from '@playwright/test';

const candidates = [
  process.env['CHROME_PATH'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/opt/google/chrome/chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:/Program Files/Google/Chrome/Application/chrome.exe',
];
const executablePath = candidates.find((path) => path !== undefined && existsSync(path));
if (executablePath === undefined)
  throw new Error(
    'No Chromium or Google Chrome found: install one (Debian: apt-get install chromium) or set CHROME_PATH to its program.',
  );

export default defineConfig({
  testDir: 'e2e',
  timeout: 180_000,
  workers: 1,
  reporter: process.env['CI'] ? [['list']] : [['line']],
  use: {
    baseURL: 'http://localhost:4174',
    viewport: { width: 1280, height: 800 },
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath,
      // SwiftShader stands in for a graphics card; the sandbox needs privileges that containers lack.
      args: [
        '--no-sandbox',
        '--enable-unsafe-webgpu',
        '--enable-features=Vulkan',
        '--use-webgpu-adapter=swiftshader',
      ],
    },
  },
  webServer: [
    { command: 'npx vite build && npx vite preview --port 4174 --strictPort', port: 4174, timeout: 180_000 },
    // Test pages under e2e/pages are modules of their own, served as sources.
    { command: 'npx vite --port 4175 --strictPort', port: 4175, timeout: 60_000 },
  ],
});
