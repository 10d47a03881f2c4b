/** The autograd and the mapper on real WGSL: the same goldens as on the CPU, and no buffer lost. */
import { expect, test, type Page } from '@playwright/test';
import type { Checks } from './pages/webgpuMapper.ts';
import { testPage } from './steps.ts';

declare global {
  interface Window {
    checks: Checks;
  }
}

let page: Page;

test.beforeAll(async ({ browser }) => {
  page = await browser.newPage();
  await page.goto(testPage('webgpuMapper'));
  await page.waitForFunction(() => 'checks' in window);
});

test.afterEach(async () => {
  expect(await page.evaluate(() => window.checks.complaints())).toEqual([]);
});

test.afterAll(() => page.close());

for (const name of ['mapper_pe_bypass_norm', 'mapper_basic_nobypass']) {
  test(`matches the official mapper on WebGPU: ${name}`, async () => {
    const { errors, live } = await page.evaluate((file) => window.checks.goldens(file), name);
    expect(Object.keys(errors).length).toBeGreaterThanOrEqual(27);
    for (const [tensor, error] of Object.entries(errors)) expect(error, tensor).toBeLessThanOrEqual(1e-4);
    expect(live).toBe(0);
  });
}

test('every operation and derivative agrees with its CPU reference', async () => {
  const worst = await page.evaluate(() => window.checks.operations());
  expect(Object.keys(worst).length).toBeGreaterThan(10);
  for (const [name, error] of Object.entries(worst)) expect(error, name).toBeLessThanOrEqual(1e-5);
});

test('so does every kernel that no operation runs', async () => {
  const worst = await page.evaluate(() => window.checks.kernels());
  expect(Object.keys(worst)).toEqual(expect.arrayContaining(['multiply [1000]', 'adamwUpdate [1000]']));
  for (const [name, error] of Object.entries(worst)) expect(error, name).toBeLessThanOrEqual(1e-6);
});

test('a thousand training steps lose no buffer and make none after the first few', async () => {
  const { before, after, createdLate, finite, end } = await page.evaluate(() => window.checks.leaks());
  expect(after).toBe(before);
  expect(createdLate).toBe(0);
  expect(finite).toBe(true);
  expect(end).toBe(0);
});

test('buffers cross to and from other users of the device', async () => {
  expect(await page.evaluate(() => window.checks.sharing())).toEqual({
    wrapped: [1, 2, 3],
    own: [5, 6, 7],
    again: [1, 2, 3, 4],
    size: 16,
    usage: true,
  });
});
