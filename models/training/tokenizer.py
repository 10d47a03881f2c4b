"""Byte-pair tokenizer in CLIP's files: every word of the grammar becomes one token, anything else falls to bytes.

    python tokenizer.py OUT_DIR

CLIP's order: 256 byte symbols, the same with `</w>`, the merges, `<|startoftext|>`, `<|endoftext|>` (which also pads).
Merges are learned greedily on the word list until each word is whole.
"""
import json
import sys
from collections import Counter
from pathlib import Path

from world import captions

TOKENS = 24
START, END = '<|startoftext|>', '<|endoftext|>'


def byte_symbols():
    """GPT-2's printable stand-ins for the 256 bytes, in CLIP's order."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [b for b in range(256) if b not in printable]
    return [chr(b) for b in printable] + [chr(256 + i) for i in range(len(rest))]


def learn_merges(words):
    """Merges until every word is one symbol, most frequent pair first (ties by the pair itself)."""
    split = [[*word[:-1], word[-1] + '</w>'] for word in words]
    merges = []
    while any(len(s) > 1 for s in split):
        pairs = Counter(pair for s in split for pair in zip(s, s[1:]))
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        split = [apply_merge(s, best) for s in split]
    return merges


def apply_merge(symbols, pair):
    """Joins each occurrence of `pair`."""
    out, i = [], 0
    while i < len(symbols):
        joined = tuple(symbols[i:i + 2]) == pair
        out.append(symbols[i] + symbols[i + 1] if joined else symbols[i])
        i += 2 if joined else 1
    return out


def save(out):
    """Writes vocab.json, merges.txt and the two configurations, then tokenizer.json through transformers."""
    words = {w for w in captions.ALL_WORDS if w.isalpha()}  # '3d' is two tokens, as CLIP splits digits
    merges = learn_merges(sorted(words))
    base = byte_symbols()
    symbols = base + [s + '</w>' for s in base] + [a + b for a, b in merges] + [START, END]
    assert len(symbols) == len(set(symbols)), 'a merge was learned twice'
    out.mkdir(parents=True, exist_ok=True)
    (out / 'vocab.json').write_text(json.dumps({s: i for i, s in enumerate(symbols)}, ensure_ascii=False))
    (out / 'merges.txt').write_text('#version: 0.2\n' + ''.join(f'{a} {b}\n' for a, b in merges))
    special = {'bos_token': START, 'eos_token': END, 'unk_token': END, 'pad_token': END}
    (out / 'special_tokens_map.json').write_text(json.dumps(special, indent=2) + '\n')
    settings = {'tokenizer_class': 'CLIPTokenizer', 'model_max_length': TOKENS, 'do_lower_case': True,
                'add_prefix_space': False, 'errors': 'replace', **special}
    (out / 'tokenizer_config.json').write_text(json.dumps(settings, indent=2) + '\n')
    write_fast(out, symbols, merges)
    return symbols


def write_fast(out, symbols, merges):
    """tokenizer.json, the same tokenizer as the `tokenizers` library reads it."""
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    vocabulary = {s: i for i, s in enumerate(symbols)}
    t = Tokenizer(models.BPE(vocabulary, merges, end_of_word_suffix='</w>', unk_token=END, fuse_unk=False))
    t.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r'\s+'), ' '), normalizers.Lowercase()])
    pattern = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
    t.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(pattern), behavior='removed', invert=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    t.decoder = decoders.ByteLevel()
    t.post_processor = processors.RobertaProcessing((END, vocabulary[END]), (START, vocabulary[START]),
                                                    trim_offsets=False, add_prefix_space=False)
    t.add_special_tokens([START, END])
    t.save(str(out / 'tokenizer.json'))


def encode(tokenizer, sentences):
    """Token ids [n, TOKENS]; longer sentences are an error, shorter ones are padded with the end token."""
    rows = [e.ids for e in tokenizer.encode_batch(sentences)]
    for sentence, row in zip(sentences, rows):
        if len(row) > TOKENS:
            raise ValueError(f'{len(row)} tokens, at most {TOKENS}: {sentence}')
    return [row + [row[-1]] * (TOKENS - len(row)) for row in rows]


if __name__ == '__main__':
    print(len(save(Path(sys.argv[1]))), 'symbols')
