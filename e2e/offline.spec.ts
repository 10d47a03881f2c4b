/** On a plain static host, under a sub-path: threads without the host's headers, everything without a network, and new versions. */
import { readFile } from 'node:fs/promises';
import { expect, test, type Page } from '@playwright/test';
import { startStaticHost, type StaticHost } from './staticHost.ts';
import { concepts, generateOne, teach } from './steps.ts';

test.use({ serviceWorkers: 'allow' });

let host: StaticHost;
test.beforeEach(async () => {
  host = await startStaticHost();
});
test.afterEach(() => host.close());

const engine = (page: Page) => page.getByRole('button', { name: /^(Processor|Graphics card)/ });

async function open(page: Page): Promise<void> {
  await page.goto(host.url);
  await expect(engine(page)).toBeVisible({ timeout: 60_000 });
}

/** The service worker has every file of the page. */
const settled = (page: Page) => page.evaluate(async () => void (await navigator.serviceWorker.ready));

test('a first visit has threads, and the next works without a network', async ({ page, context }) => {
  await open(page);
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  await settled(page);

  await context.setOffline(true);
  await host.close();
  await page.reload();
  await expect(engine(page)).toBeVisible({ timeout: 60_000 });
  await teach(page, 'far away', 1);
  await generateOne(page, 'A photo of {}', 3);
  await page.reload();
  await expect(concepts(page)).toContainText('far away', { timeout: 60_000 });
});

test('a new version waits until it is asked for', async ({ page }) => {
  await open(page);
  await settled(page);
  const worker = await readFile('dist/serviceWorker.js', 'utf8');
  host.changed.set('serviceWorker.js', `${worker}\n// A new version.\n`);
  await page.reload();
  await expect(engine(page)).toBeVisible({ timeout: 60_000 });
  const notice = page.getByText('A new version of the studio is ready.').first();
  await expect(notice).toBeVisible({ timeout: 30_000 });
  const reloaded = page.waitForEvent('load');
  await page.getByRole('button', { name: 'Reload', exact: true }).click();
  await reloaded;
  await expect(engine(page)).toBeVisible({ timeout: 60_000 });
  await expect(notice).toHaveCount(0);
});

test('it can be installed', async ({ page }) => {
  await open(page);
  const client = await page.context().newCDPSession(page);
  const { errors, url } = await client.send('Page.getAppManifest');
  expect(errors).toEqual([]);
  expect(url).toBe(`${host.url}manifest.webmanifest`);
  const { installabilityErrors } = await client.send('Page.getInstallabilityErrors');
  // A headless browser in private mode installs nothing, whatever the page.
  expect(installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== 'in-incognito')).toEqual(
    [],
  );
});
