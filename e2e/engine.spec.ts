/** Which engine runs the model, where there is no WebGPU; and what a second visit fetches. */
import { expect, test, type Page } from '@playwright/test';
import { browserLaunch } from '../src/tools/browser.ts';
import { addPictures, openStudio, pictures, teach } from './steps.ts';

const { executablePath, args } = browserLaunch();

test.use({
  launchOptions: {
    executablePath,
    args: [...args.filter((each) => !/webgpu|Vulkan/i.test(each)), '--disable-features=WebGPU,WebGPUService'],
  },
});

const chip = (page: Page) => page.getByRole('button', { name: /^(Processor|Graphics card|Engine)/ });

test('without WebGPU the processor does the work; asking for WebGPU is answered and can be taken back', async ({
  page,
}) => {
  await openStudio(page);
  await addPictures(page, 1);
  await chip(page).click();
  await expect(page.getByText('This browser offers no WebGPU adapter')).toBeVisible();
  await page.getByRole('radio', { name: 'Graphics card (WebGPU)' }).click();
  const refusal = page.getByText('this browser offers no graphics adapter');
  await expect(refusal).toBeVisible();

  await page.reload();
  await expect(refusal).toBeVisible({ timeout: 60_000 });
  await chip(page).click();
  await page.getByRole('radio', { name: 'Automatic' }).click();
  await expect(page.getByRole('button', { name: /^Processor/ })).toBeVisible({ timeout: 60_000 });
  await expect(refusal).toHaveCount(0);
  await expect(pictures(page)).toHaveCount(1);
});

test('a second visit downloads neither the model nor the engine again', async ({ page }) => {
  await openStudio(page);
  const fetched: string[] = [];
  page.on('request', (request) => void fetched.push(request.url()));
  await page.reload();
  await openStudio(page);
  const heavy = fetched.filter((url) =>
    /\.(onnx|onnx_data|data|wasm|safetensors)$/.test(new URL(url).pathname),
  );
  expect(heavy).toEqual([]);
});

test('on a host that sends no isolation headers it runs on one thread and says so', async ({
  page,
  baseURL,
}) => {
  await page.route(`${baseURL}/`, async (route) => {
    const response = await route.fetch();
    const headers = Object.entries(response.headers()).filter(([name]) => !name.startsWith('cross-origin-'));
    await route.fulfill({ response, headers: Object.fromEntries(headers) });
  });
  await openStudio(page);
  await page.getByRole('button', { name: 'Processor, 1 thread' }).click();
  await expect(page.getByText(/not cross-origin isolated: one thread only/)).toBeVisible();
  await page.keyboard.press('Escape');
  await teach(page, 'slow but sure', 1);
});
