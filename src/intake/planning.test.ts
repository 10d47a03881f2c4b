/** Plans of a repository, an address and a folder: which files, how many bytes, whose licence. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { planFromUrl } from './baseUrl.ts';
import { planFromFolder } from './folder.ts';
import { planFromHub } from './hub.ts';
import { chooseFiles, type ListedFile } from './chooseFiles.ts';
import { tinyModel } from './testing/model.ts';
import { hubCommit, HUB_REPO, startTestServer, type TestServer } from './testing/server.ts';

const RETRY = { tries: 3, backoffMs: 1, stallMs: 5000 };
const needed = [...tinyModel().keys()].filter((path) => !/README|LICENSE/.test(path)).toSorted();

let server: TestServer;

beforeEach(async () => {
  server = await startTestServer(tinyModel());
});

afterEach(() => server.close());

const host = () => new URL(server.url).origin;
const planHub = (revision = 'main') => planFromHub(HUB_REPO, revision, { host: host(), retry: RETRY });
const code = (expected: string) => expect.objectContaining({ code: expected }) as unknown;

describe('from the Hub', () => {
  it('takes the files of the layout, with their hashes, at the commit found', async () => {
    const plan = await planHub();
    expect(plan.files.map(({ path }) => path).toSorted()).toEqual(needed);
    expect(plan.source).toEqual({
      kind: 'hub',
      host: host(),
      repo: HUB_REPO,
      revision: 'main',
      commit: hubCommit,
    });
    expect(plan.licence).toEqual({ name: 'mit', url: `${host()}/${HUB_REPO}/blob/main/LICENSE` });
    expect(plan.totalBytes).toBe(plan.files.reduce((sum, { bytes }) => sum + bytes, 0));
    for (const { from, sha256, gitBlob, bytes } of plan.files) {
      expect(from).toContain(`/resolve/${hubCommit}/`);
      expect([sha256 === null, gitBlob === null]).toEqual(bytes > 1000 ? [false, true] : [true, false]);
    }
  });

  it('asks again for a graph whose answer goes silent or breaks off', async () => {
    const path = 'unet/model.onnx';
    const ask = (tries: number) =>
      planFromHub(HUB_REPO, 'main', { host: host(), retry: { ...RETRY, tries, stallMs: 300 } });
    server.faults.set(path, [
      { kind: 'stall', after: 3 },
      { kind: 'cut', after: 3 },
    ]);
    expect((await ask(3)).files.map((file) => file.path)).toContain(path);
    expect(server.faults.get(path)).toEqual([]);
    server.lasting.set(path, { kind: 'stall', after: 3 });
    await expect(ask(1)).rejects.toEqual(code('download.failed'));
  });

  it('follows the pages of a long listing', async () => {
    server.paged = true;
    expect((await planHub()).files.map(({ path }) => path).toSorted()).toEqual(needed);
  });

  it('looks into the folder that was meant', async () => {
    for (const [path, content] of tinyModel()) server.files.set(`a/onnx/${path}`, content);
    const options = { host: host(), retry: RETRY };
    const plan = await planFromHub(HUB_REPO, 'main', { ...options, path: 'a/onnx' });
    expect(plan.files.map(({ path }) => path).toSorted()).toEqual(needed);
    expect(plan.files[0]!.from).toContain('/a/onnx/');
    expect(plan.title).toBe(`${HUB_REPO}/a/onnx`);
    const same = await planFromHub(HUB_REPO, 'main', { ...options, path: 'a/onnx/unet/config.json' });
    expect(same.id).toBe(plan.id);
    const absent = planFromHub(HUB_REPO, 'main', { ...options, path: 'nothing' });
    await expect(absent).rejects.toThrow(/Expected nothing in .*no such folder or file/);
  });

  it('is the same plan for the branch and for its commit', async () => {
    expect((await planHub(hubCommit)).id).toBe((await planHub()).id);
  });

  it('never leaves the repository, whatever the listing says', async () => {
    const files = [...server.files];
    server.files.clear();
    for (const [path, content] of files) server.files.set(`../${path}`, content);
    await expect(planHub()).rejects.toEqual(code('model.layout'));
  });

  it.each(['no/such', 'bad name/x', 'a/../b', 'justone'])('refuses %s', async (repo) => {
    const refused = planFromHub(repo, 'main', { host: host(), retry: RETRY });
    await expect(refused).rejects.toEqual(code(repo === 'no/such' ? 'hub.none' : 'hub.name'));
  });

  it.each([[null], ['text'], [{ sha: 'main' }], [{ sha: '../../evil' }]])(
    'refuses the answer %j',
    async (strange) => {
      server.strange = strange;
      await expect(planHub()).rejects.toEqual(code('download.answer'));
    },
  );

  it('says so when nobody answers', async () => {
    await server.close();
    await expect(planHub()).rejects.toEqual(code('download.failed'));
    server = await startTestServer(tinyModel());
  });
});

describe('from an address', () => {
  it('finds the same files, with their sizes', async () => {
    const plan = await planFromUrl(server.url, { retry: RETRY });
    expect(plan.files.map(({ path }) => path).toSorted()).toEqual(needed);
    for (const { path, bytes } of plan.files) expect(bytes).toBe(server.files.get(path)!.length);
    expect(plan).toMatchObject({ title: 'model', licence: { name: 'LICENSE', url: `${server.url}LICENSE` } });
  });

  it('does not take a page for a file', async () => {
    for (const path of ['words.json', 'unet/model_fp16.onnx']) server.lasting.set(path, { kind: 'page' });
    const { files } = await planFromUrl(server.url, { retry: RETRY });
    expect(files.map(({ path }) => path).toSorted()).toEqual(needed);
    expect(files.find(({ path }) => path === 'unet/model.onnx')?.bytes).toBe(5000);
  });

  it('takes the address of model_index.json for the folder', async () => {
    const plan = await planFromUrl(`${server.url}model_index.json?download=1`, { retry: RETRY });
    expect(plan.source).toEqual({ kind: 'url', address: server.url });
  });

  it.each(['?sig=abc', '?X-Amz-Signature=abc#readme'])('keeps what it is signed with: %s', async (query) => {
    const { files, source } = await planFromUrl(server.url.replace(/\/$/, '') + query, { retry: RETRY });
    expect(files.map(({ path }) => path).toSorted()).toEqual(needed);
    for (const { from } of files) expect(from).toContain(query.split('#')[0]);
    expect(source).toMatchObject({ kind: 'url' });
  });

  it('finds weights in numbered pieces', async () => {
    for (const piece of ['_1', '_2']) server.files.set(`unet/model.onnx_data${piece}`, new Uint8Array(9));
    const { files } = await planFromUrl(server.url, { retry: RETRY });
    expect(files.filter(({ path }) => path.startsWith('unet/model.onnx_data'))).toHaveLength(3);
  });

  it.each(['ftp://example.org/', 'javascript:alert(1)', 'nothing', 'https://user@example.org/'])(
    'refuses %s',
    async (address) => {
      await expect(planFromUrl(address)).rejects.toEqual(code('url.address'));
    },
  );

  it('names what is missing', async () => {
    server.files.delete('vae_encoder/model.onnx');
    await expect(planFromUrl(server.url, { retry: RETRY })).rejects.toMatchObject({
      code: 'model.layout',
      message: expect.stringContaining('found no vae_encoder/model.onnx in') as string,
    });
  });

  it('asks a busy server again', async () => {
    server.faults.set('unet/model.onnx', [
      { kind: 'status', status: 500 },
      { kind: 'status', status: 429 },
    ]);
    expect((await planFromUrl(server.url, { retry: RETRY })).files).toHaveLength(needed.length);
  });
});

describe('from a folder', () => {
  it('takes files by their place in it', async () => {
    const files = [...tinyModel()].map(([path, content]) => ({
      path: `My model/${path}`,
      file: new File([content], path),
    }));
    const plan = await planFromFolder(files);
    expect(plan.files.map(({ path }) => path).toSorted()).toEqual(needed);
    expect(plan).toMatchObject({ title: 'My model', licence: { name: 'LICENSE', url: null } });
  });
});

describe('the layout', () => {
  const list = (paths: readonly string[]): ListedFile[] =>
    paths.map((path) => ({
      path,
      bytes: 10,
      from: `https://example.org/${path}`,
      sha256: null,
      gitBlob: null,
    }));
  const choose = (paths: readonly string[], choice: 'half' | 'full' = 'half') =>
    chooseFiles(list(paths), choice, 'it');
  const source = ({ files }: ReturnType<typeof choose>, path: string) =>
    files.find((file) => file.path === path)?.from;
  const networks = ['text_encoder', 'unet', 'vae_encoder', 'vae_decoder'];
  const common = ['scheduler/scheduler_config.json', 'tokenizer/vocab.json', 'tokenizer/merges.txt'];
  const model = (root = '', graph = 'model.onnx') =>
    [...common, ...networks.map((network) => `${network}/${graph}`)].map((path) => root + path);

  it('takes half precision where both are offered, under the name that the studio looks for', () => {
    const both = [
      ...model(),
      ...model('', 'model_fp16.onnx'),
      'unet/model_fp16.onnx_data',
      'unet/model.onnx_data',
    ];
    const half = choose(both);
    expect(source(half, 'unet/model.onnx')).toBe('https://example.org/unet/model_fp16.onnx');
    expect(half.files.map(({ path }) => path)).toContain('unet/model_fp16.onnx_data');
    expect(half.files.map(({ path }) => path)).not.toContain('unet/model.onnx_data');
    expect(half.weights).toBe('half');
    expect(source(choose(both, 'full'), 'unet/model.onnx')).toBe('https://example.org/unet/model.onnx');
  });

  it('leaves quantised graphs, pictures and PyTorch weights where they are', () => {
    const extra = [
      'unet/model_quantized.onnx',
      'unet/model_q4.onnx',
      'a.png',
      'unet/diffusion_pytorch_model.safetensors',
    ];
    expect(choose([...model(), ...extra]).files).toHaveLength(model().length);
  });

  it('finds a model in a subfolder, the complete and wanted one first', () => {
    const paths = [...model('onnx/'), ...model('fp16/'), ...model('old/').slice(1)];
    expect(source(choose(paths), 'unet/model.onnx')).toBe('https://example.org/fp16/unet/model.onnx');
    expect(source(choose(paths, 'full'), 'unet/model.onnx')).toBe('https://example.org/onnx/unet/model.onnx');
  });

  it('asks which of several models', () => {
    const paths = [
      ...model('cats/'),
      ...model('dogs/'),
      ...model('dogs/onnx/'),
      ...model('broken/').slice(1),
    ];
    const asked = () => choose(paths);
    expect(asked).toThrow(/several models in it: “cats\/”, “dogs\/”/);
    expect(asked).toThrow(
      expect.objectContaining({
        code: 'model.which',
        question: {
          kind: 'which',
          title: 'Several models lie here',
          choices: [
            { name: 'cats/', bytes: 70 },
            { name: 'dogs/', bytes: 70 },
          ],
        },
      }) as Error,
    );
    const { files } = chooseFiles(list(paths), 'half', 'it', 'dogs/');
    expect(files[0]!.from).toContain('example.org/dogs/');
  });

  it('takes weights.pb and a judge', () => {
    const judge = ['judge_image', 'judge_text'].flatMap((part) => [
      `${part}/model.onnx`,
      `${part}/config.json`,
    ]);
    const paths = [...model(), 'unet/weights.pb', ...judge];
    expect(
      choose(paths)
        .files.map(({ path }) => path)
        .toSorted(),
    ).toEqual(paths.toSorted());
  });

  it('notes what it does without', () => {
    expect(choose(model()).notes.join()).toContain('unet/config.json');
  });

  it.each([
    ['pickled weights', ['unet/diffusion_pytorch_model.bin'], /only PyTorch pickles.*\.safetensors/],
    ['Stable Diffusion XL', [...model(), 'text_encoder_2/model.onnx'].slice(1), /XL/],
    ['nothing', [], /no \.safetensors or ONNX file/],
    ['quantised graphs', [...common, 'unet/model_quantized.onnx'], /only quantised graphs.*full or half/],
    ['no tokenizer', model().filter((path) => !path.startsWith('tokenizer')), /tokenizer\/tokenizer\.json/],
  ])('says what to do about %s', (_, paths, message) => {
    expect(() => choose(paths)).toThrow(message);
  });
});
