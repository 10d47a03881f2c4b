/** Test page: the shipped judge on both providers. `window.judgePictures(provider)` scores the same made-up pictures. */
import { readTokenizerFolder } from '../../src/diffusion/clipTokenizer.ts';
import { Judge } from '../../src/diffusion/judge.ts';
import { PromptTokenizer } from '../../src/diffusion/tokenizer.ts';
import { Random } from '../../src/lib/random.ts';
import { complaints, openRuntime, opener, type Provider } from './runtimes.ts';

const open = opener(new URL('/models/sticker-world/', location.origin));
const RESOLUTION = 64;

async function judgePictures(provider: Provider) {
  const tokenizer = new PromptTokenizer({ ...(await readTokenizerFolder(open)), tokens: 20 });
  const runtime = await openRuntime(provider);
  const judge = await Judge.load({ runtime, open, tokenizer, resolution: RESOLUTION });
  const random = new Random(4);
  const picture = () => random.fillUniform(new Float32Array(3 * RESOLUTION ** 2), -1, 1);
  const [first, second, third] = [picture(), picture(), picture()];
  const scores = await judge.score([first, second], 'a photo of a car on a beach', [third]);
  await judge.release();
  return { scores, complaints };
}

export type JudgePictures = typeof judgePictures;
Object.assign(window, { judgePictures });
document.documentElement.dataset['ready'] = 'true';
