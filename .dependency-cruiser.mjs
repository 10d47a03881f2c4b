/**
 * The import rule of src: a folder may import the folders listed for it, itself, and nothing else; no cycles.
 * Only src/ort imports onnxruntime-web at run time, only src/storage imports idb-keyval. The page knows what crosses the
 * worker boundary by type alone.
 */
const mayImport = {
  lib: [],
  pictures: ['lib'],
  onnx: ['lib'],
  gpu: ['lib'],
  ort: ['lib'],
  storage: ['lib'],
  diffusion: ['ort', 'lib'],
  neti: ['diffusion', 'ort', 'gpu', 'pictures', 'lib'],
  intake: ['neti', 'onnx', 'ort', 'storage', 'lib'],
  worker: ['intake', 'neti', 'diffusion', 'ort', 'gpu', 'onnx', 'storage', 'pictures', 'lib'],
  store: ['worker', 'storage', 'neti', 'pictures', 'lib'],
  ui: ['store', 'worker', 'pictures', 'lib'],
  tools: ['onnx', 'ort', 'neti', 'diffusion', 'gpu', 'pictures', 'lib'],
};

/** Rooms whose types the worker's messages are made of. */
const typesForThePage = ['intake', 'neti', 'diffusion', 'ort', 'storage'];

const isPage = (folder) => folder === 'store' || folder === 'ui';
const inside = (folders) => `^src/(${folders.join('|')})/`;

const layer = ([folder, allowed]) => ({
  name: `layer-${folder}`,
  severity: 'error',
  from: { path: `^src/${folder}/`, pathNot: '\\.test\\.tsx?$' },
  to: {
    path: '^src/',
    pathNot: inside([folder, ...allowed, ...(isPage(folder) ? typesForThePage : [])]),
  },
});

const typesOnly = (folder) => ({
  name: `types-only-${folder}`,
  severity: 'error',
  from: { path: `^src/${folder}/`, pathNot: '\\.test\\.tsx?$' },
  to: {
    path: inside(typesForThePage.filter((room) => !mayImport[folder].includes(room))),
    dependencyTypesNot: ['type-only'],
  },
});

export default {
  forbidden: [
    ...Object.entries(mayImport).map(layer),
    ...Object.keys(mayImport).filter(isPage).map(typesOnly),
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'only-ort-runs-onnx',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/ort/|\\.test\\.ts$|^src/tools/' },
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
