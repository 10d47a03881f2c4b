/** The kinds of files that a stranger may hand to the studio: whole ones to damage, and the reader that each is given to. */
import { openAsBlob, readFileSync } from 'node:fs';
import { readTokenizerFolder } from '../../diffusion/clipTokenizer.ts';
import { NoiseSchedule } from '../../diffusion/noiseSchedule.ts';
import { readSchedulerConfig } from '../../diffusion/schedulerConfig.ts';
import { PromptTokenizer } from '../../diffusion/tokenizer.ts';
import { missingFile, overlaid, type OpenFile } from '../../lib/modelFiles.ts';
import { configPath, graphPath, layout, NETWORKS, type Network } from '../../lib/modelLayout.ts';
import { readConcept } from '../../neti/conceptFile.ts';
import { importConcepts } from '../../neti/foreign/importConcept.ts';
import { base, CREATED, fixture, importFixtures } from '../../neti/testing/foreignFixtures.ts';
import { prepareModel } from '../../onnx/model.ts';
import { prepareTextEncoder, prepareUnchanged, prepareUnet } from '../../onnx/prepare.ts';
import { readStock, type Stock } from '../../onnx/stock.ts';
import { checkPicture } from '../../pictures/check.ts';
import { orientationOf } from '../../pictures/orientation.ts';
import { readTiff } from '../../pictures/tiff.ts';
import { damageBytes, damageJson, type Bytes } from './damage.ts';
import { damageOnnx } from './damageOnnx.ts';
import { models } from './models.ts';
import type { Specimen } from './specimen.ts';

const MICRO = new URL('../../onnx/fixtures/micro/', import.meta.url);
const bytesAt = (url: URL): Bytes => new Uint8Array(readFileSync(url));
const openMicro: OpenFile = (path) =>
  openAsBlob(new URL(path, MICRO)).catch(() => Promise.reject(missingFile('micro', path)));
const changed = (path: string, bytes: Bytes) => overlaid(new Map([[path, bytes]]), openMicro);

type Open = ReturnType<typeof base>;

async function readImported(name: string, bytes: Bytes, open: Open): Promise<void> {
  for (const concept of await importConcepts([{ name, bytes }], open, CREATED))
    await readConcept(concept, open);
}

const foreign = (name: string, open: Open): Specimen => ({
  name,
  bytes: fixture(name).bytes,
  damage: damageBytes,
  read: (damaged) => readImported(name, damaged, open),
});

async function concepts(): Promise<Specimen[]> {
  const own = async (name: string, open: Open): Promise<Specimen> => ({
    name: `${name} as a concept of ours`,
    bytes: await importFixtures([name], open),
    damage: damageBytes,
    read: (damaged) => readImported('own.safetensors', damaged, open),
  });
  return Promise.all([own('mapper-steps-250.pt', base(4, 12)), own('three.pt', base(16, 128))]);
}

const checkpoints = (): Specimen[] => [
  foreign('mapper-steps-250.pt', base(4, 12)),
  foreign('mapper-final.pt', base(16, 12)),
  foreign('learned_embeds-steps-250.bin', base(4, 12)),
  ...['webui.pt', 'three.pt', 'legacy.pt', 'diffusers.bin', 'diffusers.safetensors', 'kohya.safetensors'].map(
    (name) => foreign(name, base(16, 128)),
  ),
];

const compilers: Readonly<Record<Network, (stock: Stock) => unknown>> = {
  text_encoder: (stock) => prepareTextEncoder(stock, { tokens: 20 }),
  vae_decoder: (stock) => prepareUnchanged(stock, { latent_sample: [4, 8, 8] }),
  vae_encoder: (stock) => prepareUnchanged(stock, { sample: [3, 64, 64] }),
  unet: (stock) => prepareUnet(stock),
};

const graphs = (): Specimen[] =>
  NETWORKS.map((part) => ({
    name: graphPath(part),
    bytes: bytesAt(new URL(graphPath(part), MICRO)),
    damage: damageOnnx,
    read: async (damaged) =>
      compilers[part](await readStock(graphPath(part), changed(graphPath(part), damaged))),
  }));

const scheduler = (): Specimen => ({
  name: layout.scheduler,
  bytes: bytesAt(new URL(layout.scheduler, MICRO)),
  damage: damageJson,
  read: async (damaged) => new NoiseSchedule(await readSchedulerConfig(changed(layout.scheduler, damaged))),
});

/** A network's configuration is read by compiling the whole model, which takes a while: the scheduler's comes more often. */
const configurations = (): Specimen[] => [
  ...Array.from({ length: 36 }, scheduler),
  ...NETWORKS.map((part) => ({
    name: configPath(part),
    bytes: bytesAt(new URL(configPath(part), MICRO)),
    damage: damageJson,
    read: (damaged: Bytes) => prepareModel(changed(configPath(part), damaged)),
  })),
];

const TOKENIZER_FILES = [
  layout.tokenizer,
  layout.tokenizerConfig,
  layout.specialTokens,
  layout.vocabulary,
  layout.merges,
];

const tokenizers = (): Specimen[] =>
  TOKENIZER_FILES.map((path) => ({
    name: path,
    bytes: bytesAt(new URL(path, MICRO)),
    damage: path.endsWith('.json') ? damageJson : damageBytes,
    read: async (damaged) => {
      const whole = changed(path, damaged);
      // Vocabulary and merges are read only where there is no tokenizer.json.
      const open: OpenFile = (each) =>
        each === layout.tokenizer && (path === layout.vocabulary || path === layout.merges)
          ? Promise.reject(missingFile('micro', each))
          : whole(each);
      const tokenizer = new PromptTokenizer({ ...(await readTokenizerFolder(open)), tokens: 20 });
      return tokenizer.encode('A photo of {} on a beach');
    },
  }));

const PICTURES = ['moves.png', 'turned.webp', 'whole.jpg', 'avif-no-ending', 'IMG_0001.HEIC', 'rgb16.tif'];

const pictures = (): Specimen[] =>
  PICTURES.map((name) => ({
    name,
    bytes: bytesAt(new URL(`../../pictures/fixtures/${name}`, import.meta.url)),
    damage: damageBytes,
    read: async (damaged) => {
      const { kind } = checkPicture(damaged, name);
      const { bytes } = orientationOf(damaged, kind);
      return kind === 'tiff' ? readTiff(bytes, name) : kind;
    },
  }));

export const KINDS: Readonly<Record<string, () => Specimen[] | Promise<Specimen[]>>> = {
  concept: concepts,
  checkpoint: checkpoints,
  model: models,
  onnx: graphs,
  configuration: configurations,
  tokenizer: tokenizers,
  picture: pictures,
};
