/** The worker's entry: hands a StudioWorker to the page. onnxruntime's own threads start the same file and pass by. */
import * as Comlink from 'comlink';
import { trustOwnScripts } from '../lib/trustedTypes.ts';
import { StudioWorker } from './studioWorker.ts';

trustOwnScripts();

if (!self.name.startsWith('em-pthread')) Comlink.expose(new StudioWorker());
