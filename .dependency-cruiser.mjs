/**
 * The import rule of src: a folder may import the folders listed for it, itself, and nothing else; no cycles.
 * Only src/ort imports onnxruntime-web at run time, only src/storage imports idb-keyval. The page knows what crosses the
 * worker boundary by type alone.
 */
const mayImport = {
  lib: [],
  offline: [],
  pictures: ['lib'],
  onnx: ['lib'],
  checkpoint: ['onnx', 'lib'],
  gpu: ['lib'],
  ort: ['lib'],
  diffusion: ['ort', 'pictures', 'lib'],
  storage: ['diffusion', 'lib'],
  neti: ['diffusion', 'ort', 'gpu', 'pictures', 'lib'],
  intake: ['checkpoint', 'neti', 'diffusion', 'onnx', 'ort', 'storage', 'lib'],
  worker: ['intake', 'checkpoint', 'neti', 'diffusion', 'ort', 'gpu', 'onnx', 'storage', 'pictures', 'lib'],
  store: ['offline', 'worker', 'storage', 'neti', 'pictures', 'lib'],
  ui: ['store', 'worker', 'pictures', 'lib'],
  tools: ['intake', 'checkpoint', 'offline', 'onnx', 'ort', 'neti', 'diffusion', 'gpu', 'pictures', 'lib'],
};

/** Rooms whose types the worker's messages are made of. */
const typesForThePage = ['intake', 'neti', 'diffusion', 'ort', 'storage'];

const isPage = (folder) => folder === 'store' || folder === 'ui';
const inside = (folders) => `^src/(${folders.join('|')})/`;
/** Tests, and what only they use. Tools may lean on it too. */
const testing = '\\.test\\.tsx?$|/testing/';

const layer = ([folder, allowed]) => ({
  name: `layer-${folder}`,
  severity: 'error',
  from: { path: `^src/${folder}/`, pathNot: testing },
  to: {
    path: '^src/',
    pathNot: inside([folder, ...allowed, ...(isPage(folder) ? typesForThePage : [])]),
  },
});

const typesOnly = (folder) => ({
  name: `types-only-${folder}`,
  severity: 'error',
  from: { path: `^src/${folder}/`, pathNot: testing },
  to: {
    path: inside(typesForThePage.filter((room) => !mayImport[folder].includes(room))),
    // The names of the samplers are data.
    pathNot: '^src/diffusion/samplers/table\\.ts$',
    dependencyTypesNot: ['type-only'],
  },
});

/** Every room below a room, by what its imports may import: what its tests may see, and the testing support of all. */
const below = (folder) => [...new Set(mayImport[folder].flatMap((room) => [room, ...below(room)]))];

/** Rooms that a test looks into besides: every room's graphs are the compiler's, and tools are held to what the page does. */
const witnesses = (folder) => (folder === 'tools' ? ['onnx', 'worker'] : ['onnx']);

const testLayer = (folder) => ({
  name: `tests-${folder}`,
  severity: 'error',
  from: { path: `^src/${folder}/.*(${testing})` },
  to: { path: '^src/', pathNot: `${inside([folder, ...below(folder), ...witnesses(folder)])}|/testing/` },
});

export default {
  forbidden: [
    ...Object.entries(mayImport).map(layer),
    ...Object.keys(mayImport).filter(isPage).map(typesOnly),
    ...Object.keys(mayImport).map(testLayer),
    {
      name: 'product-without-testing',
      severity: 'error',
      from: { path: '^src/', pathNot: `${testing}|^src/tools/` },
      to: { path: '/testing/' },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'only-ort-runs-onnx',
      severity: 'error',
      from: { path: '^src/', pathNot: `^src/ort/|^src/tools/|${testing}` },
      to: { path: 'node_modules/onnxruntime' },
    },
    {
      name: 'only-storage-uses-idb',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/storage/' },
      to: { path: 'node_modules/idb-keyval' },
    },
    {
      name: 'page-sees-types-and-client-only',
      severity: 'error',
      from: { path: '^src/(store|ui)/' },
      to: { path: '^src/worker/', pathNot: '^src/worker/(api|client|studioClient)\\.ts$' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { extensions: ['.ts', '.tsx', '.js', '.mjs', '.json'] },
  },
};
