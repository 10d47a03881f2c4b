/**
 * Tests whose browser has been here before: model and engine lie in its caches, so that a page opens in half the time. Everything
 * that a person would have kept is taken away after each test. Specs about first visits use Playwright's own `test`.
 */
import { test as base, type BrowserContext } from '@playwright/test';

export const test = base.extend<object, { visited: BrowserContext }>({
  visited: [
    async ({ browser }, use, { project }) => {
      const context = await browser.newContext(project.use);
      await use(context);
      await context.close();
    },
    { scope: 'worker' },
  ],
  context: async ({ visited, baseURL }, use) => {
    await use(visited);
    await visited.unrouteAll({ behavior: 'ignoreErrors' });
    await Promise.all(visited.pages().map((page) => page.close()));
    await forget(visited, baseURL!);
  },
});

/** Empties IndexedDB, the private file system and what the page noted in localStorage; Cache Storage stays. */
async function forget(context: BrowserContext, origin: string): Promise<void> {
  const page = await context.newPage();
  await page.goto(`${origin}/favicon.svg`);
  await page.evaluate(async () => {
    localStorage.clear();
    const databases = await indexedDB.databases();
    const gone = databases.map(
      ({ name }) =>
        new Promise<void>((resolve, reject) => {
          const request = indexedDB.deleteDatabase(name!);
          request.onsuccess = () => resolve();
          request.onerror = () => reject(request.error!);
        }),
    );
    await Promise.all(gone);
    const root = await navigator.storage.getDirectory();
    for await (const name of root.keys()) await root.removeEntry(name, { recursive: true });
  });
  await page.close();
}
