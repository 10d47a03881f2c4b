/** Style mixing on the page: two concepts, one picture, and the range between them. */
import { expect } from '@playwright/test';
import { concepts, openStudio, results, teach } from './steps.ts';
import { test } from './visited.ts';

test('two concepts are mixed, from the appearance of one to the geometry of the other', async ({ page }) => {
  await openStudio(page);
  await teach(page, 'tin robot');
  await page.getByRole('button', { name: 'Mix two concepts' }).click();
  await expect(page.getByText('teach or import a second concept')).toBeVisible();
  await teach(page, 'red teapot');
  await expect(concepts(page).getByRole('listitem')).toHaveCount(2);

  await page.getByRole('combobox', { name: 'Geometry concept' }).selectOption('tin robot');
  await page.getByRole('combobox', { name: 'Appearance concept' }).selectOption('red teapot');
  const start = page.getByRole('slider', { name: 'Mixing start' });
  await start.focus();
  await start.press('Home');
  await start.press('ArrowRight');
  await expect(start).toHaveAttribute('aria-valuetext', /^5 % of the way/);

  await page.getByRole('button', { name: 'Steps, guidance, sampler' }).click();
  await page.getByLabel('Sampling steps').fill('2');
  await page.getByLabel('Seed', { exact: true }).fill('7');
  await page.getByLabel('Pictures', { exact: true }).selectOption('1');
  await page.getByRole('button', { name: 'Generate' }).click();
  const mixed = results(page).getByRole('img', { name: /looking like red teapot from/ });
  await expect(mixed).toHaveCount(1, { timeout: 60_000 });
  await expect(mixed).toHaveAccessibleName(/tin robot looking like red teapot from 5 %/);

  await page.getByRole('button', { name: 'Show the whole range' }).click();
  const strip = page.getByRole('list', { name: 'Mixing starts' });
  await expect(strip.getByRole('listitem')).toHaveCount(7, { timeout: 120_000 });
  await strip.getByRole('button', { name: 'Mixing from 100 %' }).click();
  await expect(strip.getByRole('button', { name: 'Mixing from 100 %' })).toHaveAttribute(
    'aria-pressed',
    'true',
  );

  await page.getByRole('button', { name: 'Compare' }).click();
  const dialog = page.getByRole('dialog', { name: 'Compare two pictures' });
  const line = dialog.getByRole('slider', { name: 'Where the left picture ends' });
  await line.press('Home');
  await line.press('ArrowRight');
  await expect(line).toHaveAttribute('aria-valuetext', '1 % of the left picture');
  await dialog
    .getByRole('group', { name: 'Left' })
    .getByRole('radio', { name: /from 0 %/ })
    .check({ force: true });
  await expect(dialog.getByRole('row', { name: /Appearance/ })).toHaveText(
    'red teapot from 0 %Appearancered teapot from 100 %',
  );
  await page.keyboard.press('Escape');

  await page.reload();
  await expect(mixed).toHaveCount(7, { timeout: 60_000 });
  await expect(page.getByRole('list', { name: 'Mixing starts' }).getByRole('listitem')).toHaveCount(7);
});
