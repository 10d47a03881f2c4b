/** Plans of checkpoints: single files with what they lack, folders of diffusers in one precision, and what is refused before a byte is copied. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { z } from '../lib/zod.ts';
import {
  drawableCheckpoint,
  narrowCheckpoint,
  separateVae,
} from '../checkpoint/testing/narrowCheckpoints.ts';
import { PromptTokenizer } from '../diffusion/tokenizer.ts';
import { readTokenizerFolder } from '../diffusion/clipTokenizer.ts';
import type { OpenFile } from '../lib/modelFiles.ts';
import { readDefaults } from '../neti/baseDefaults.ts';
import { missingFile } from '../lib/modelFiles.ts';
import { planFromUrl } from './baseUrl.ts';
import { checkConfigurations } from './checkConfigurations.ts';
import { planFromHub } from './hub.ts';
import { HUB_REPO, startTestServer } from './testing/server.ts';
import { planFromFolder } from './folder.ts';
import { MERGES } from './clipVocabulary.ts';
import type { ModelPlan } from './plan.ts';
import { plannedEstimates } from './plannedMemory.ts';

const readMerges = async () => new Uint8Array(await readFile(MERGES));
const plan = (...files: { readonly path: string; readonly file: File }[]) =>
  planFromFolder(files, { readMerges });
const loose = (name: string, bytes: Uint8Array<ArrayBuffer>) => ({
  path: name,
  file: new File([bytes], name, { lastModified: 5 }),
});
const single = async (name: string, called = 'my model.safetensors') =>
  loose(called, (await narrowCheckpoint(`${name}/single`)).get('checkpoint.safetensors')!);

async function folderOf(name: string) {
  const files = await narrowCheckpoint(`${name}/folder`);
  const tokenizer = [
    ['tokenizer/vocab.json', new Uint8Array(2)],
    ['tokenizer/merges.txt', new Uint8Array(2)],
  ] as const;
  return [...files, ...tokenizer].map(([path, bytes]) => ({
    path: `${name}/${path}`,
    file: new File([bytes], path),
  }));
}

const openPlan =
  ({ files, title }: ModelPlan): OpenFile =>
  (path) => {
    const from = files.find((file) => file.path === path)?.from;
    return from instanceof File ? Promise.resolve(from) : Promise.reject(missingFile(title, path));
  };
const json = async (found: ModelPlan, path: string) =>
  z.record(z.string(), z.unknown()).parse(JSON.parse(await (await openPlan(found)(path)).text()));
const code = (expected: string) => expect.objectContaining({ code: expected }) as unknown;

describe('one file', () => {
  it('is taken once, beside the tokenizer and the settings that it lacks', async () => {
    const found = await plan(await single('sd15'));
    expect(found.title).toBe('my model');
    expect(found.files.map(({ path }) => path).toSorted()).toEqual([
      'checkpoint.safetensors',
      'scheduler/scheduler_config.json',
      'tokenizer/merges.txt',
      'tokenizer/special_tokens_map.json',
      'tokenizer/vocab.json',
      'unet/config.json',
    ]);
    expect(await json(found, 'unet/config.json')).toEqual({ sample_size: 64 });
    expect(found.notes.join()).toMatch(/1\.x that predicts noise at 512 × 512, recognised from its weights/);
    expect((await plan(await single('sd15'))).id).toBe(found.id);
  });

  it.each([
    ['v2-1_768-ema-pruned.safetensors', 'v_prediction', 96, /the file does not say/],
    ['v2-1_512-ema-pruned.safetensors', 'epsilon', 64, /as its file’s name suggests/],
    ['sd_turbo.safetensors', 'epsilon', 64, /as its file’s name suggests/],
  ])('of Stable Diffusion 2.x called %s predicts %s at %d', async (name, prediction, size, note) => {
    const found = await plan(await single('sd21v', name));
    expect(await json(found, 'scheduler/scheduler_config.json')).toMatchObject({
      prediction_type: prediction,
    });
    expect(await json(found, 'unet/config.json')).toEqual({ sample_size: size });
    expect(await json(found, 'tokenizer/special_tokens_map.json')).toEqual({ pad_token: '!' });
    expect(found.notes.join()).toMatch(note);
  });

  it('of Stable Diffusion 2.x predicts what its owner says, whatever its name suggests', async () => {
    const file = await single('sd21v', 'v2-1_512-ema-pruned.safetensors');
    const guess = { prediction: 'v_prediction', resolution: 768 } as const;
    const found = await planFromFolder([file], { readMerges, guess });
    expect(await json(found, 'scheduler/scheduler_config.json')).toMatchObject({
      prediction_type: 'v_prediction',
    });
    expect(await json(found, 'unet/config.json')).toEqual({ sample_size: 96 });
    expect(found.guess).toEqual(guess);
    expect(found.notes.join()).toMatch(/predicts v at 768 × 768, as you chose/);
    expect(found.id).not.toBe((await plan(file)).id);
  });

  it.each([
    ['lcm', 'LCM_Dreamshaper_v7.safetensors', { sampler: 'lcm', samplingSteps: 4 }],
    ['sd21v', 'sd_turbo.safetensors', { sampler: 'euler', samplingSteps: 4, guidanceScale: 1 }],
    ['sd15', 'v1-5.safetensors', { sampler: 'dpm-solver++-2m', samplingSteps: 25, guidanceScale: 7.5 }],
  ])('of %s called %s is drawn with as it was made for', async (kind, name, defaults) => {
    expect(await readDefaults(openPlan(await plan(await single(kind, name))))).toMatchObject(defaults);
  });

  it('tells its resolution where it has ModelSpec’s metadata, and its memory is planned from its graphs', async () => {
    const found = await plan(loose('x.safetensors', await drawableCheckpoint()));
    expect(await json(found, 'unet/config.json')).toEqual({ sample_size: 16 });
    const [estimate] = (await plannedEstimates(found, false, new AbortController().signal))!;
    expect(estimate).toMatchObject({ precision: 'float32', train: { planned: true } });
  });

  it('gets CLIP’s vocabulary: the numbers that the official tokenizer gives', async () => {
    const found = await plan(await single('sd15'));
    const vocabulary = await json(found, 'tokenizer/vocab.json');
    expect(Object.keys(vocabulary)).toHaveLength(49_408);
    const folder = await readTokenizerFolder(openPlan(found));
    const { ids } = new PromptTokenizer({ ...folder, tokens: 13 }).encode('A photo of a cat, naïve ☕');
    // clip.simple_tokenizer of OpenAI’s CLIP
    expect(ids).toEqual([49_406, 320, 1125, 539, 320, 2368, 267, 1097, 35_689, 563, 26_561, 49_407, 49_407]);
  });

  it('without a VAE takes another file for it, and says so when there is none', async () => {
    const { model, vae } = await separateVae('sd15');
    await expect(plan(loose('pruned.safetensors', model))).rejects.toEqual(code('checkpoint.vae'));
    await expect(plan(loose('vae.safetensors', vae))).rejects.toThrow(/is the VAE of a model/);
    const found = await plan(loose('vae.safetensors', vae), loose('pruned.safetensors', model));
    expect(found.title).toBe('pruned');
    expect(found.files.map(({ path }) => path)).toContain('vae.safetensors');
    expect(await plannedEstimates(found, false, new AbortController().signal)).not.toBeNull();
  }, 120_000);

  it('among several is asked for, and taken when it is told', async () => {
    const both = [await single('sd15', 'a.safetensors'), await single('bk-tiny', 'b.safetensors')];
    await expect(plan(...both)).rejects.toThrow(
      /several models: “a.safetensors”, “b.safetensors”\. Choose one/,
    );
    const choices = both.map(({ path, file }) => ({ name: path, bytes: file.size }));
    await expect(plan(...both)).rejects.toMatchObject({ question: { kind: 'which', choices } });
    const found = await planFromFolder(both, { readMerges, pick: 'b.safetensors' });
    expect(found.title).toBe('b');
  });

  it('takes the VAE that it is given for its own', async () => {
    const { model, vae } = await separateVae('sd15');
    const files = [loose('pruned.safetensors', model)];
    await expect(plan(...files)).rejects.toMatchObject({
      question: { kind: 'vae', title: 'pruned.safetensors' },
    });
    const found = await planFromFolder(files, { readMerges, vae: loose('vae.safetensors', vae).file });
    expect(found.files.map(({ path }) => path)).toContain('vae.safetensors');
    const wrong = planFromFolder(files, { readMerges, vae: (await single('sd15')).file });
    await expect(wrong).rejects.toThrow(/“my model.safetensors” is a whole model, not a VAE alone/);
  });

  it('beside a LoRA is taken, and a LoRA alone is refused', async () => {
    const header = '{"lora_unet_x.lora_down.weight":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}}';
    const lora = new Uint8Array(8 + header.length + 2);
    lora[0] = header.length;
    lora.set(new TextEncoder().encode(header), 8);
    const { file } = await single('sd15');
    const found = await plan(
      { path: 'downloads/my model.safetensors', file },
      { path: 'downloads/a lora.safetensors', file: new File([lora], 'a lora.safetensors') },
    );
    expect(found.title).toBe('my model');
    await expect(plan(loose('a lora.safetensors', lora))).rejects.toThrow(/is a LoRA/);
  });

  it('in a folder of downloads is found', async () => {
    const { file } = await single('sd15');
    expect((await plan({ path: 'downloads/my model.safetensors', file })).title).toBe('my model');
  });
});

describe('a folder of diffusers', () => {
  it.each([
    ['sd15', ['unet/diffusion_pytorch_model.fp16.safetensors'], 'half'],
    ['bk-base', ['unet/diffusion_pytorch_model.safetensors'], null],
  ])('%s is taken as it is', async (name, weights, precision) => {
    const found = await plan(...(await folderOf(name)));
    const unet = found.files.map(({ path }) => path).filter((path) => /^unet\/.*safetensors/.test(path));
    expect(unet).toEqual(weights);
    expect(found.weights).toBe(precision);
    expect(found.notes).toEqual([]);
  });

  it('in shards is taken whole, and what lacks one is said', async () => {
    const files = await folderOf('sd21v');
    const shards = (paths: readonly string[]) => paths.filter((path) => /^unet\/.*-of-/.test(path)).length;
    const found = await plan(...files);
    expect(shards(found.files.map(({ path }) => path))).toBeGreaterThan(1);
    const cut = files.filter(({ path }) => !path.includes('unet/') || !path.includes('-00001-of-'));
    await expect(plan(...cut)).rejects.toThrow(/no 1 of the \d+ files of unet\/diffusion_pytorch_model/);
  });

  it('of both precisions is taken in half', async () => {
    const files = await folderOf('sd15');
    const more = files
      .filter(({ path }) => path.includes('.fp16.'))
      .flatMap(({ path, file }) =>
        ['', '.non_ema'].map((variant) => ({ path: path.replace('.fp16', variant), file })),
      );
    const paths = (await plan(...files, ...more)).files.map(({ path }) => path);
    expect(
      paths.filter((path) => path.endsWith('.safetensors')).every((path) => path.includes('.fp16.')),
    ).toBe(true);
  });

  it('of Stable Diffusion XL is refused by name', async () => {
    const files = await folderOf('sd15');
    const second = { path: 'sd15/text_encoder_2/config.json', file: new File(['{}'], 'config.json') };
    await expect(plan(...files, second)).rejects.toThrow(/Stable Diffusion XL or newer/);
  });
});

describe('one file elsewhere', () => {
  const NAME = 'my model.safetensors';
  const serve = async (...names: string[]) => {
    const { file } = await single('bk-tiny');
    const bytes = new Uint8Array(await file.arrayBuffer());
    return startTestServer(new Map(names.map((name) => [name, bytes])));
  };

  it('is found at its address and on the Hub, and only its header is asked for', async () => {
    const server = await serve(NAME);
    const address = `${server.url}my%20model.safetensors?X-Amz-Signature=abc`;
    const { origin: host } = new URL(server.url);
    const plans = [
      await planFromUrl(address, { readMerges }),
      await planFromHub(HUB_REPO, 'main', { host, path: NAME, readMerges }),
      await planFromHub(HUB_REPO, 'main', { host, readMerges }),
    ];
    for (const found of plans) {
      expect(found.title).toBe('my model');
      const { path, bytes, from } = found.files[0]!;
      expect([path, bytes]).toEqual(['checkpoint.safetensors', server.files.get(NAME)!.length]);
      expect(from).toContain('my%20model.safetensors');
      const [estimate] = (await plannedEstimates(found, false, new AbortController().signal))!;
      expect(estimate!.train.planned).toBe(true);
    }
    expect(plans[0]!.files[0]!.from).toBe(address);
    expect(plans[1]!.files[0]!.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(plans[1]!.source).toMatchObject({ kind: 'hub', repo: HUB_REPO });
    await server.close();
  }, 120_000);

  it('among several is asked for', async () => {
    const server = await serve('a.safetensors', 'b.safetensors');
    const { origin: host } = new URL(server.url);
    const asked = planFromHub(HUB_REPO, 'main', { host, readMerges });
    await expect(asked).rejects.toMatchObject({ question: { kind: 'which', choices: { length: 2 } } });
    const found = await planFromHub(HUB_REPO, 'main', { host, readMerges, pick: 'b.safetensors' });
    expect(found.title).toBe('b');
    await server.close();
  });

  it.each([
    ['that is not there', undefined, /Expected a file at .*found none/],
    ['that is a page', { kind: 'page' }, /is a web page, not the file itself/],
    ['behind a login', { kind: 'status', status: 403 }, /answer 403.*download it in the browser/],
  ] as const)('%s is said to be', async (_, fault, message) => {
    const server = await serve(...(fault ? [NAME] : []));
    if (fault) server.lasting.set(NAME, fault);
    await expect(planFromUrl(`${server.url}my%20model.safetensors`, { readMerges })).rejects.toThrow(message);
    await server.close();
  });

  it('that is no model is refused by name, whatever it is called', async () => {
    const server = await startTestServer(
      new Map([['download', Uint8Array.from([0x80, 2, 0x7d, ...new Array<number>(600).fill(0)])]]),
    );
    await expect(planFromUrl(`${server.url}download?id=5`, { readMerges })).rejects.toThrow(/Python pickle/);
    await server.close();
  });
});

describe('a folder of diffusers elsewhere', () => {
  const serve = async (name: string) => {
    const files = await folderOf(name);
    const contents = files.map(async ({ path, file }) => {
      const bytes = new Uint8Array(await file.arrayBuffer());
      return [path.slice(name.length + 1), bytes] as const;
    });
    return startTestServer(new Map(await Promise.all(contents)));
  };

  it.each(['sd15', 'bk-base'])('%s is found on the Hub and at an address', async (name) => {
    const server = await serve(name);
    const { origin: host } = new URL(server.url);
    const plans = [await planFromHub(HUB_REPO, 'main', { host }), await planFromUrl(server.url)];
    const here = await plan(...(await folderOf(name)));
    const signal = new AbortController().signal;
    const planned = await plannedEstimates(here, false, signal);
    for (const found of plans) {
      const paths = ({ files }: ModelPlan) => files.map(({ path }) => path).toSorted();
      expect(paths(found)).toEqual(paths(here));
      // From the headers alone, what the whole files give.
      expect(await plannedEstimates(found, false, signal)).toEqual(planned);
    }
    await server.close();
  });

  it('that is made for something else is refused by its configuration, before its weights are fetched', async () => {
    const server = await serve('sd15');
    server.files.set('unet/config.json', Buffer.from('{"in_channels":9}'));
    const found = await planFromUrl(server.url);
    await expect(checkConfigurations(found, {})).rejects.toThrow(/in_channels is 9/);
    await server.close();
  });
});
