/** Two concepts in one picture: mixed at one place, with the range between them, or side by side, each called by its name. */
import AxeBuilder from '@axe-core/playwright';
import { expect } from '@playwright/test';
import { concepts, openStudio, promptBox, results } from './steps.ts';
import { test } from './visited.ts';

test('two concepts are mixed, from the appearance of one to the geometry of the other, and drawn side by side', async ({
  page,
}) => {
  await openStudio(page);
  await page.getByLabel('Pictures', { exact: true }).selectOption('1');
  await page.getByRole('button', { name: /^Draw with koala/ }).click();
  await expect(concepts(page)).toContainText('koala');
  await page.getByRole('button', { name: 'Mix two concepts' }).click();
  await expect(page.getByText('teach or import a second concept')).toBeVisible();
  await page
    .getByLabel('Import concept')
    .setInputFiles('models/sticker-world/concepts/flamingo/taught.safetensors');
  await expect(concepts(page).getByRole('listitem')).toHaveCount(2);

  await page.getByRole('combobox', { name: 'Geometry concept' }).selectOption('koala');
  await page.getByRole('combobox', { name: 'Appearance concept' }).selectOption('flamingo');
  const start = page.getByRole('slider', { name: 'Mixing start' });
  await start.focus();
  await start.press('Home');
  await start.press('ArrowRight');
  await expect(start).toHaveAttribute('aria-valuetext', /^5 % of the way/);

  await page.getByRole('button', { name: 'Steps, guidance, sampler' }).click();
  await page.getByLabel('Sampling steps').fill('2');
  await page.getByLabel('Seed', { exact: true }).fill('7');
  await page.getByRole('button', { name: 'Generate' }).click();
  const mixed = results(page).getByRole('img', { name: /looking like flamingo from/ });
  await expect(mixed).toHaveCount(1, { timeout: 60_000 });
  await expect(mixed).toHaveAccessibleName(/koala looking like flamingo from 5 %/);

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
    'flamingo from 0 %Appearanceflamingo from 100 %',
  );
  await page.keyboard.press('Escape');

  const prompt = promptBox(page);
  await prompt.fill('');
  await prompt.pressSequentially('{KO');
  const names = page.getByRole('listbox', { name: 'Concepts to put in' });
  await expect(names.getByRole('option')).toHaveText([/^koala/]);
  await prompt.press('Enter');
  await prompt.pressSequentially(' beside {');
  await expect(names.getByRole('option', { selected: true })).toHaveText(/^flamingo/);
  await prompt.press('ArrowUp');
  await expect(names.getByRole('option', { selected: true })).toHaveText(/^koala/);
  expect((await new AxeBuilder({ page }).include('.prompt').analyze()).violations).toEqual([]);
  await prompt.press('Escape');
  await expect(names).toHaveCount(0);
  await prompt.pressSequentially('f');
  await names.getByRole('option', { name: 'flamingo' }).click();
  await expect(prompt).toHaveValue('{koala} beside {flamingo}');
  await prompt.press('Enter');
  await expect(page.getByText('Two concepts are mixed at {}, and the prompt has none.')).toBeVisible();
  await page.getByRole('combobox', { name: 'Appearance concept' }).selectOption('none');
  await prompt.press('Enter');
  const beside = results(page).getByRole('img', {
    name: '{koala} beside {flamingo} (koala, flamingo, truncation',
  });
  await expect(beside).toHaveCount(1, { timeout: 60_000 });
  await prompt.fill('{koala} beside {teapot}');
  await expect(page.getByText('No concept is called “teapot”.')).toBeVisible();

  await page.reload();
  await expect(beside).toHaveCount(1, { timeout: 60_000 });
  await page.getByRole('button', { name: 'Enlarge' }).click();
  await expect(page.getByRole('dialog')).toContainText('Conceptkoala, flamingo');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Show picture 7, one of 7 in a row' }).click();
  await expect(page.getByRole('list', { name: 'Mixing starts' }).getByRole('listitem')).toHaveCount(7);
});
