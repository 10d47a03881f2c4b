/** Addresses as people type and paste them. */
import { describe, expect, it } from 'vitest';
import { readHubAddress, readUrl, withoutSignature } from './address.ts';

const all = { repo: 'someone/model', revision: 'main', path: '' };

describe('a name or link of the Hub', () => {
  it.each([
    ['someone/model', all],
    [' someone/model@onnx ', { ...all, revision: 'onnx' }],
    ['https://huggingface.co/someone/model', all],
    ['huggingface.co/someone/model/', all],
    ['hf.co/someone/model', all],
    ['git clone https://huggingface.co/someone/model.git', all],
    ['https://huggingface.co/someone/model?library=diffusers', all],
    ['https://huggingface.co/someone/model#model-details', all],
    ['https://huggingface.co/someone/model/tree/main', all],
    ['https://huggingface.co/someone/model/tree/main/onnx/', { ...all, path: 'onnx' }],
    ['someone/model/tree/fp16/a/b', { ...all, revision: 'fp16', path: 'a/b' }],
    ['https://huggingface.co/someone/model/tree/refs/pr/1', { ...all, revision: 'refs/pr/1' }],
    [
      'https://huggingface.co/someone/model/tree/refs%2Fpr%2F1/sub',
      { ...all, revision: 'refs/pr/1', path: 'sub' },
    ],
    [
      'https://huggingface.co/someone/model/resolve/main/my%20model.safetensors?download=true',
      { ...all, path: 'my model.safetensors' },
    ],
    ['https://huggingface.co/someone/model/blob/main/a.safetensors', { ...all, path: 'a.safetensors' }],
    ['https://huggingface.co/someone/model/discussions/3', all],
    ['https://huggingface.co/api/models/someone/model', all],
    ['https://huggingface.co/spaces/someone/model', null],
    ['https://huggingface.co/datasets/someone/model', null],
    ['https://example.org/someone/model', null],
    ['someone/model/unet', null],
    ['model', null],
    ['', null],
  ])('%s', (text, expected) => {
    expect(readHubAddress(text)).toEqual(expected);
  });
});

describe('any address', () => {
  it.each([
    ['http://host/100%/', 'http://host/100%/'],
    ['https://host/model#readme', 'https://host/model'],
    ['https://host/model/?download=true&utm_source=x', 'https://host/model/'],
    [
      'https://host/a.safetensors?X-Amz-Signature=aa%2Fb&type=Model',
      'https://host/a.safetensors?X-Amz-Signature=aa%2Fb&type=Model',
    ],
  ])('%s', (text, expected) => {
    expect(readUrl(text).href).toBe(expected);
  });

  it('is the same when it is signed anew, and another for another file', () => {
    const signed = (signature: string, id: number) =>
      withoutSignature(`https://host/get?id=${id}&X-Amz-Signature=${signature}&Expires=${signature.length}`);
    expect(signed('a', 1)).toBe(signed('bb', 1));
    expect(signed('a', 1)).not.toBe(signed('a', 2));
  });
});
