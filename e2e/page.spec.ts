import AxeBuilder from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';
import { decode } from 'fast-png';
import { readFile } from 'node:fs/promises';
import { addPictures, concepts, fillIn, generateOne, openStudio, pictures, results, teach } from './steps.ts';
import { test } from './visited.ts';

/** The page as a screen reader hears it, at three places of a journey; what may differ from run to run stands as a pattern. */
const FIRST_VISIT = `
  - banner:
    - heading "NeTI Studio" [level=1]
    - button "Everything stays on this computer"
    - button "Sticker world"
    - button /^Processor/
  - navigation "Library":
    - list "Concepts"
    - paragraph: Concepts you teach are kept here.
    - button "Import concept"
    - button "Export concept" [disabled]
  - main:
    - region "1 Pictures":
      - heading "1 Pictures" [level=2]
      - button "Concept images"
      - button "Choose pictures"
      - heading "Or try one of these" [level=3]
      - list "Samples":
        - listitem:
          - button "Take the pictures of birthday cake"
    - region "2 Train":
      - heading "2 Train" [level=2]
      - textbox "Concept name"
      - textbox "Category word"
      - group "Suggested words"
      - group "It is an":
        - radio "Object" [checked]
        - radio "Style"
      - textbox "Training steps": "100"
      - button "More training options"
      - button "Train concept"
    - region "3 Create":
      - heading "3 Create" [level=2]
      - textbox "Prompt": A photo of {} on a beach
      - group "Ideas"
      - textbox "Negative prompt"
      - textbox "Seed"
      - combobox "Pictures"
      - button "Generate"
      - button "Mix two concepts"
      - button "Steps, guidance, sampler"
      - region "Results":
        - heading "These are taught already. Press one to draw with it" [level=3]
        - list "Taught samples":
          - listitem:
            - 'button "Draw with birthday cake: A photo of birthday cake in the jungle"'
  - status: The studio is ready.
`;
const TAUGHT = `
  - navigation "Library":
    - list "Concepts":
      - listitem:
        - button "tin robot 3 steps" [pressed]
        - button "Options for tin robot"
    - button "Export concept"
  - main:
    - region "1 Pictures":
      - list "Pictures of the concept":
        - listitem:
          - img "0.png"
          - img /^How the model sees/
          - button "Crop 0.png"
          - button "Remove 0.png"
      - button "Remove all"
    - region "2 Train":
      - button "Train concept"
      - heading "tin robot 3 steps" [level=3]
      - button "Continue training"
      - figure:
        - img /^Loss from [\\d.]+ at step 1 to [\\d.]+ at step 3$/
  - status: Training is done at step 3. Try it in Create.
`;
const DRAWN = `
  - region "Results":
    - 'img "A photo of {} on a beach (tin robot, truncation 128), seed 3"'
    - button "Enlarge"
    - button "Download"
    - button "Delete picture"
    - group:
      - slider "Truncation": "128"
      - paragraph: "As exact as it gets: everything that was learned"
    - region "Scores":
      - meter "Likeness"
      - meter "Fit to the prompt"
    - list "All pictures":
      - listitem:
        - button "Show picture 3" [pressed]
`;

/** Hears the transcript, and no name twice: who is told "Pictures" knows where they are. */
async function heard(page: Page, transcript: string): Promise<void> {
  const body = page.locator('body');
  await expect(body).toMatchAriaSnapshot(transcript);
  const controls = /- '?(?:button|textbox|slider|combobox|radio|meter|link|checkbox) "([^"]+)"/g;
  const names = [...(await body.ariaSnapshot()).matchAll(controls)].map(([, name]) => name);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
}

test('a stranger draws with a sample at once, teaches a thing, sees it, moves the slider, and finds it all again after a reload', async ({
  page,
}) => {
  await openStudio(page);
  await heard(page, FIRST_VISIT);
  await page.getByLabel('Pictures', { exact: true }).selectOption('1');
  await page.getByRole('button', { name: /^Draw with koala/ }).click();
  await expect(
    results(page).getByRole('img', { name: /^A photo of \{\} in the jungle \(koala/ }),
  ).toBeVisible();

  await addPictures(page, 4);
  await expect(page.getByAltText(/^How the model sees/)).toHaveCount(4, { timeout: 30_000 });
  await fillIn(page, 'tin robot', 3);
  await page.getByRole('button', { name: 'Train concept' }).click();
  await expect(page.getByRole('progressbar', { name: 'Training' })).toBeVisible();
  await expect(concepts(page)).toContainText('tin robot', { timeout: 120_000 });
  await expect(page.getByRole('button', { name: 'Stop training' })).toHaveCount(0, { timeout: 120_000 });
  await heard(page, TAUGHT);

  const prompt = 'A photo of {} on a beach';
  await generateOne(page, prompt, 3);
  const picture = results(page).getByRole('img').first();
  const likeness = page.getByRole('meter', { name: 'Likeness' });
  await expect(likeness).toBeVisible({ timeout: 30_000 });
  expect(Number(await likeness.getAttribute('aria-valuenow'))).toBeGreaterThanOrEqual(0);
  await heard(page, DRAWN);
  const before = await picture.getAttribute('src');
  await page.getByRole('slider', { name: 'Truncation' }).fill('12');
  await expect(picture).not.toHaveAttribute('src', before!, { timeout: 10_000 });
  await expect(picture).toHaveAccessibleName(`${prompt} (tin robot, truncation 12), seed 3`);
  await expect(likeness).toHaveCount(0);

  await page.reload();
  await expect(concepts(page)).toContainText('tin robot');
  await expect(results(page).getByRole('img', { name: prompt })).toHaveCount(1);
  await expect(page.getByLabel('Concept name')).toHaveValue('tin robot');
  await expect(pictures(page)).toHaveCount(4);
  await expect(likeness).toBeVisible();
});

test('stops, keeps what was learned, and trains it further', async ({ page }) => {
  await openStudio(page);
  await addPictures(page, 1);
  await fillIn(page, 'half done', 400);
  await page.getByRole('button', { name: 'Train concept' }).click();
  await expect(page.getByText(/^Step [1-9]\d* of 400$/)).toBeVisible({ timeout: 60_000 });
  await page.getByRole('button', { name: 'Stop training' }).click();
  await expect(concepts(page)).toContainText(/half done\s*\d+ of 400 steps/, { timeout: 60_000 });
  await page.getByLabel('Training steps').fill('2');
  await page.getByRole('button', { name: 'Continue training' }).click();
  await expect(page.getByRole('button', { name: 'Stop training' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Train concept' })).toBeVisible({ timeout: 60_000 });
  await expect(concepts(page)).toContainText(/half done\s*\d+ steps/);
});

test('a concept is renamed and tagged, exported, deleted, brought back and imported, from its file, its card and a link', async ({
  page,
}) => {
  await openStudio(page);
  await teach(page, 'first name', 1);
  await page.getByRole('button', { name: 'Options for first name' }).click();
  await page.getByRole('menuitem', { name: 'Name and tags' }).click();
  await page.getByRole('textbox', { name: 'Tags' }).fill('toys');
  await page.getByLabel('New name').fill('second name');
  await page.getByLabel('New name').press('Enter');
  await expect(concepts(page)).toContainText(/second name.*toys/);

  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export concept' }).click();
  const download = await downloading;
  expect(download.suggestedFilename()).toBe('second name.safetensors');

  await page.getByRole('button', { name: 'Options for second name' }).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await expect(concepts(page).getByRole('listitem')).toHaveCount(0);
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(concepts(page)).toContainText('second name');

  const exported = await download.path();
  await page.getByLabel('Import concept').setInputFiles(exported);
  await expect(concepts(page).getByRole('listitem')).toHaveCount(2);
  await expect(concepts(page).getByRole('button', { name: /^second name/ })).toHaveCount(2);

  await generateOne(page, 'A photo of {}', 3);
  const carding = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Options for second name' }).first().click();
  await page.getByRole('menuitem', { name: 'Export as a picture card' }).click();
  const card = await (await carding).path();
  expect(decode(await readFile(card)).width).toBe(640);
  await page.getByLabel('Import concept').setInputFiles(card);
  await expect(concepts(page).getByRole('listitem')).toHaveCount(3);

  await page.route('**/shared.safetensors', (route) => route.fulfill({ path: exported }));
  await page.evaluate(() => (location.hash = `concept=${location.origin}/shared.safetensors`));
  await page.getByRole('button', { name: 'Fetch the concept' }).click();
  await expect(concepts(page).getByRole('listitem')).toHaveCount(4);
  await page.getByLabel('Find a concept').fill('nothing of the kind');
  await expect(concepts(page).getByRole('listitem')).toHaveCount(0);
  await page.getByLabel('Find a concept').fill('toys');
  await expect(concepts(page).getByRole('listitem')).toHaveCount(4);
});

test('a result is looked into word by word, enlarged, downloaded with its recipe, deleted and brought back', async ({
  page,
}) => {
  await openStudio(page);
  await teach(page, 'tin robot', 1);
  await generateOne(page, 'A photo of {}', 5);
  const words = page.getByRole('region', { name: 'Where the words look' });
  await words.getByRole('button', { name: 'Show' }).click();
  await words.getByRole('button', { name: 'tin robot' }).click();
  await expect(words).toContainText(/“tin robot” has [\d.]+ % of the picture’s attention/);
  await expect(page.locator('.attention-veil')).toBeVisible();
  expect((await new AxeBuilder({ page }).include('.attention').analyze()).violations).toEqual([]);
  await words.getByRole('button', { name: 'tin robot' }).click();
  await expect(page.locator('.attention-veil')).toHaveCount(0);
  await page.getByRole('button', { name: 'Enlarge' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('tin robot');
  const downloading = page.waitForEvent('download');
  await dialog.getByRole('button', { name: 'Download PNG' }).click();
  const png = decode(await readFile(await (await downloading).path()));
  expect([png.width, png.height]).toEqual([64, 64]);
  expect(png.text['parameters']).toMatch(
    /^A photo of \{\}\nSteps: 20, Sampler: .*Seed: 5, Size: 64x64.*NeTI truncation: 128$/,
  );
  const address = page.url();
  await page.goBack();
  await expect(dialog).toHaveCount(0);
  expect(page.url()).toBe(address);
  await page.getByRole('button', { name: 'Delete picture' }).click();
  await expect(results(page).getByRole('img')).toHaveCount(0);
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(results(page).getByRole('img')).toHaveCount(1);
});

test('nothing leaves the origin', async ({ page, baseURL }) => {
  const foreign: string[] = [];
  const isForeign = (url: string) => !url.startsWith(`${baseURL}/`) && !/^(data|blob):/.test(url);
  page.on('request', (request) => isForeign(request.url()) && foreign.push(request.url()));
  page.on('websocket', (socket) => foreign.push(socket.url()));
  const uploads: string[] = [];
  page.on('request', (request) => request.method() !== 'GET' && uploads.push(request.url()));
  await openStudio(page);
  await teach(page, 'secret', 1);
  await generateOne(page, 'A photo of {}', 1);
  await expect(page.getByRole('button', { name: 'Everything stays on this computer' })).toBeVisible();
  expect(foreign).toEqual([]);
  expect(uploads).toEqual([]);
});

for (const colorScheme of ['light', 'dark'] as const)
  for (const viewport of [
    { width: 1280, height: 800 },
    { width: 390, height: 844 },
  ])
    test(`axe finds nothing, ${colorScheme}, ${viewport.width} px`, async ({ page }) => {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.setViewportSize(viewport);
      const violations = async () => {
        const found = (await new AxeBuilder({ page }).analyze()).violations;
        return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
      };
      /** In the other colours as well. */
      const violationsOfBoth = async () => {
        const own = await violations();
        await page.emulateMedia({ colorScheme: colorScheme === 'light' ? 'dark' : 'light' });
        const others = await violations();
        await page.emulateMedia({ colorScheme });
        return [...own, ...others];
      };
      await openStudio(page);
      expect(await violations()).toEqual([]);
      await teach(page, 'tin robot', 1);
      await page.getByRole('button', { name: 'Steps, guidance, sampler' }).click();
      await page.getByLabel('Sampling steps').fill('2');
      await generateOne(page, 'A photo of {} zzyzx', 1);
      await page.getByRole('button', { name: 'Draw the whole range' }).click();
      const truncations = page.getByRole('list', { name: 'Truncations' }).getByRole('button');
      await expect(truncations).toHaveCount(7, { timeout: 60_000 });
      await expect(truncations.last()).toHaveAccessibleName(/^Truncation 128, likeness -?\d\.\d\d, fit /);
      expect(await violations()).toEqual([]);
      for (const name of ['Enlarge', 'Compare']) {
        await page.getByRole('button', { name }).click();
        await expect(page.getByRole('dialog')).toBeVisible();
        expect(await violations()).toEqual([]);
        await page.keyboard.press('Escape');
      }
      // The rest is drawn once in either width, and looked at in both colours there.
      if ((colorScheme === 'light') !== (viewport.width === 1280)) return;
      await page.getByRole('button', { name: 'Draw many in a grid' }).click();
      await page.getByLabel('Across values').fill('1, 128');
      await page.getByLabel('Down values').fill('7');
      await page.getByRole('button', { name: 'Draw grid' }).click();
      await expect(page.getByText('2 of 2 pictures')).toBeVisible({ timeout: 60_000 });
      await page.getByRole('button', { name: 'Truncation 1, Seed 7' }).click();
      await expect(page.getByRole('region', { name: 'The picture’s settings' })).toContainText('Seed7');
      expect(await violationsOfBoth()).toEqual([]);
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Open the map' }).click();
      const first = page.getByRole('gridcell', { name: 'Layer 1, down, 8×8, timestep 975' });
      await first.press('Shift+ArrowRight');
      await expect(page.getByRole('gridcell', { selected: true })).toHaveCount(2);
      await expect(page.getByRole('list', { name: 'Nearest words' }).getByRole('listitem')).toHaveCount(4);
      const keep = page.getByRole('button', { name: 'Keep this picture' });
      await expect(keep).toBeEnabled({ timeout: 60_000 });
      expect(await violationsOfBoth()).toEqual([]);
      await keep.click();
      await page.keyboard.press('Escape');
      await page.keyboard.press('Escape');
      const focused = page.getByRole('button', { name: 'Enlarge' });
      await focused.click();
      await expect(page.getByRole('dialog')).toContainText('timesteps 1000 to 900, layer 1, frozen outside');
    });
