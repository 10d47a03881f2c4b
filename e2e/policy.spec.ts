/** The page's Content-Security-Policy: nothing of the page needs what it forbids, and it forbids what it should. */
import { expect, test, type Page } from '@playwright/test';
import { addPictures, generateOne, openStudio, teach } from './steps.ts';

/** What the browser reports as against the policy, from now on. */
async function watchViolations(page: Page): Promise<string[]> {
  const found: string[] = [];
  await page.exposeFunction('reportViolation', (text: string) => found.push(text));
  await page.addInitScript(() => {
    document.addEventListener(
      'securitypolicyviolation',
      ({ violatedDirective, blockedURI, sample, sourceFile }) => {
        const { reportViolation } = window as unknown as { reportViolation: (text: string) => void };
        reportViolation(`${violatedDirective} ${blockedURI} ${sample} ${sourceFile}`);
      },
    );
  });
  return found;
}

test('a whole visit needs nothing that the policy forbids', async ({ page }) => {
  const violations = await watchViolations(page);
  await openStudio(page);
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  await addPictures(page, 1);
  await page.getByRole('button', { name: 'Crop 0.png' }).click();
  await expect(page.getByRole('dialog').getByTestId('container')).toBeVisible();
  const stage = page.getByRole('dialog').getByTestId('container');
  expect(await stage.evaluate((element) => getComputedStyle(element).position)).toBe('absolute');
  await page.getByRole('button', { name: 'Use this square' }).click();
  await teach(page, 'tin robot', 1);
  await generateOne(page, 'A photo of {}', 1);
  await page.getByRole('button', { name: 'Options for tin robot' }).click();
  await page.keyboard.press('Escape');
  expect(violations).toEqual([]);
});

test('scripts from elsewhere, inline scripts, eval and markup from text are forbidden', async ({ page }) => {
  await openStudio(page);
  const policy = await page.locator('meta[http-equiv="Content-Security-Policy"]').getAttribute('content');
  expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval';");
  const outcome = await page.evaluate(async () => {
    const attempt = (work: () => unknown) => {
      try {
        work();
        return 'done';
      } catch (error) {
        return (error as Error).name;
      }
    };
    const inline = document.createElement('script');
    const ran = attempt(() => {
      inline.text = 'window.ranInline = true';
      document.body.append(inline);
    });
    const leak = await fetch('http://example.org/').then(
      () => 'done',
      () => 'refused',
    );
    return {
      ran,
      inline: 'ranInline' in window,
      markup: attempt(() => (document.body.innerHTML = '<p>')),
      worker: attempt(() => new Worker('https://example.org/worker.js')),
      leak,
    };
  });
  expect(outcome).toEqual({
    ran: 'TypeError',
    inline: false,
    markup: 'TypeError',
    worker: 'AppError',
    leak: 'refused',
  });
});
