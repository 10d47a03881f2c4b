/** Finds an installed Chromium or Chrome, and the switches it needs where there is no display and no graphics card. */
import { existsSync } from 'node:fs';

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

/** Launch options for Playwright. Throws one line that says how to get a browser when there is none. */
export function browserLaunch(): { executablePath: string; args: string[] } {
  const executablePath = candidates.find((path) => path !== undefined && existsSync(path));
  if (executablePath === undefined)
    throw new Error(
      'No Chromium or Google Chrome found: install one (Debian: apt-get install chromium) or set CHROME_PATH to its program.',
    );
  // SwiftShader stands in for a graphics card; the sandbox needs privileges that containers lack.
  const args = [
    '--no-sandbox',
    '--enable-unsafe-webgpu',
    '--enable-features=Vulkan',
    '--use-webgpu-adapter=swiftshader',
  ];
  return { executablePath, args };
}
