/** Models on the browser's own file system: fetched, gone on with after a reload, refused when damaged, cancelled, removed. */
import { createHash } from 'node:crypto';
import { expect, test, type Page } from '@playwright/test';
import { noise, tinyModel } from '../src/intake/testing/model.ts';
import { HUB_REPO, startTestServer, type TestServer } from '../src/intake/testing/server.ts';
import type { IntakeProgress } from '../src/intake/progress.ts';
import type { Intake } from './pages/intake.ts';
import { testPage } from './steps.ts';

const WEIGHTS = 'unet/model.onnx_data';
const WEIGHT_BYTES = 3_000_000;

interface TestWindow {
  intake: Intake;
  progress?: IntakeProgress;
}

const sha256 = (content: Uint8Array) => createHash('sha256').update(content).digest('hex');

let server: TestServer;
let host: string;

test.beforeEach(async ({ page }) => {
  server = await startTestServer(tinyModel(WEIGHT_BYTES));
  host = new URL(server.url).origin;
  await openPage(page);
});

test.afterEach(() => server.close());

async function openPage(page: Page): Promise<void> {
  await page.goto(testPage('intake'));
  await ready(page);
}

const ready = (page: Page) =>
  page.locator('html[data-ready]').waitFor({ state: 'attached', timeout: 60_000 });

/** Calls one of the page's functions. */
function call<Name extends keyof Intake>(page: Page, name: Name, ...args: Parameters<Intake[Name]>) {
  return page.evaluate(
    ([key, given]) => {
      const { intake } = window as unknown as TestWindow;
      return (intake[key] as (...given: unknown[]) => unknown)(...given);
    },
    [name, args] as const,
  ) as Promise<Awaited<ReturnType<Intake[Name]>>>;
}

const getFromHub = (page: Page) => call(page, 'hub', HUB_REPO, host);

/** Until a good part of the weights has come. */
async function untilHalfway(page: Page): Promise<void> {
  await page.waitForFunction(
    ([file, bytes]) => {
      const { progress } = window as unknown as TestWindow;
      return progress?.file === file && progress.fileLoaded > bytes;
    },
    [WEIGHTS, WEIGHT_BYTES / 4] as const,
  );
}

async function expectWhole(page: Page): Promise<string> {
  const [model] = await call(page, 'list');
  for (const { path } of model!.files)
    expect(await call(page, 'hash', model!.id, path), path).toBe(sha256(server.files.get(path)!));
  expect(await call(page, 'incomplete')).toEqual([]);
  return model!.id;
}

test('a model is fetched, kept over a reload, and removed with all it took', async ({ page }) => {
  expect(await getFromHub(page)).toBeNull();
  await page.reload();
  await ready(page);
  const id = await expectWhole(page);
  await call(page, 'keepPrepared', id);
  const usage = await call(page, 'usage');
  expect(usage.models).toEqual([{ id, bytes: (await call(page, 'list'))[0]!.bytes, prepared: 102 }]);
  expect(usage.usage).toBeGreaterThan(WEIGHT_BYTES);
  await call(page, 'remove', id);
  expect(await call(page, 'list')).toEqual([]);
  expect(await call(page, 'leftovers')).toEqual([]);
  expect((await call(page, 'usage')).usage).toBeLessThan(WEIGHT_BYTES);
  expect(typeof (await call(page, 'persist'))).toBe('boolean');
});

test('a reload in the middle loses nothing and uses nothing half-written', async ({ page }) => {
  server.delay = 20;
  void getFromHub(page).catch(() => undefined);
  await untilHalfway(page);
  await page.reload();
  await ready(page);
  expect(await call(page, 'list')).toEqual([]);
  const [pending] = await call(page, 'incomplete');
  expect(pending!.received).toBeGreaterThan(WEIGHT_BYTES / 4);
  server.delay = 0;
  server.requests.length = 0;
  expect(await call(page, 'resume')).toBeNull();
  await expectWhole(page);
  expect(server.requests.map(({ path }) => path)).toEqual([WEIGHTS]);
  expect(server.requests[0]!.from).toBeGreaterThan(WEIGHT_BYTES / 4);
});

test('a damaged file is refused and thrown away', async ({ page }) => {
  server.faults.set(WEIGHTS, [{ kind: 'corrupt' }]);
  expect(await getFromHub(page)).toMatchObject({ code: 'download.corrupt' });
  expect(await call(page, 'list')).toEqual([]);
  expect((await call(page, 'incomplete'))[0]!.received).toBeLessThan(WEIGHT_BYTES);
  expect(await call(page, 'resume')).toBeNull();
  await expectWhole(page);
});

test('a full disk is told with what is missing, and gone on with when there is room', async ({ page }) => {
  const devtools = await page.context().newCDPSession(page);
  const origin = new URL(page.url()).origin;
  await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1_500_000 });
  const error = await getFromHub(page);
  expect(error).toMatchObject({ code: 'storage.full' });
  expect(error!.message).toMatch(/ [\d.]+ (kB|MB) are missing/);
  expect(await call(page, 'list')).toEqual([]);
  await devtools.send('Storage.overrideQuotaForOrigin', { origin });
  expect(await call(page, 'resume')).toBeNull();
  await expectWhole(page);
});

test('a cancel stops the traffic; another tab is told that the model is being fetched', async ({
  page,
  context,
}) => {
  server.delay = 20;
  const fetching = getFromHub(page);
  await untilHalfway(page);
  // Slow enough to be still at it whatever the other tab does, and just not silent.
  server.delay = 1500;
  const other = await context.newPage();
  await openPage(other);
  expect(await getFromHub(other)).toMatchObject({ code: 'model.busy' });
  await call(page, 'cancel');
  expect(await fetching).toMatchObject({ code: 'cancelled' });
  expect(await call(page, 'list')).toEqual([]);
  const [pending] = await call(page, 'incomplete');
  await call(page, 'remove', pending!.id);
  expect(await call(page, 'leftovers')).toEqual([]);
});

test('any address, and a server that stalls, cuts and answers 429, 500 and 416', async ({ page }) => {
  server.files.set('unet/model.onnx', noise(300_000, 7));
  const faults = [
    { kind: 'status', status: 429, retryAfter: '1' },
    { kind: 'status', status: 500 },
    { kind: 'cut', after: 1_000_000 },
    { kind: 'stall', after: 500_000 },
    { kind: 'rangeRefused' },
  ] as const;
  server.delay = 2;
  // The first answer is the one that planning asks for.
  server.faults.set(WEIGHTS, [{ kind: 'wholeFile' }, ...faults]);
  expect(await call(page, 'url', server.url)).toBeNull();
  expect(server.faults.get(WEIGHTS)).toEqual([]);
  await expectWhole(page);
});

test('a folder is copied', async ({ page }) => {
  server.files.set(WEIGHTS, noise(5_000, 8));
  const files = Object.fromEntries([...server.files].map(([path, content]) => [path, [...content]]));
  expect(await call(page, 'folder', files)).toBeNull();
  await expectWhole(page);
});

test('the preflight knows this browser', async ({ page }) => {
  const { store, draw, precision } = await call(page, 'preflight', server.url);
  expect(store.answer).toBe('yes');
  expect(draw.answer).not.toBe('no');
  expect(draw.reasons.join(' ')).toMatch(/graphics/);
  expect(['float32', 'float16']).toContain(precision);
});
