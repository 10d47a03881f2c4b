"""What the base is asked for: sentences it can read, and pairs of the kind that they are said to be."""
import numpy as np

import measure_base
from draw_judged import GROUNDS, WORDS
from train_judge import HEADS
from world import captions, scene
from world.subjects import SUBJECTS


def test_requests_stay_within_the_vocabulary_and_the_heads_classes():
    rng, known, heads = np.random.default_rng(0), set(captions.ALL_WORDS), set()
    for _ in range(2000):
        sentence, wanted = measure_base.ask(rng)
        assert set(sentence.split()) <= known, sentence
        assert all(0 <= value < HEADS[name] for name, value in wanted.items())
        heads |= set(wanted)
    assert heads == set(HEADS)


def test_held_out_pairs_are_those_that_training_never_shows():
    for held_out in (False, True):
        for sentence, wanted in measure_base.pairs(np.random.default_rng(1), held_out):
            word, place = WORDS[wanted['subject']], GROUNDS[wanted['ground']]
            codes = [code for code, subject in SUBJECTS.items() if subject.word == word]
            assert {scene.is_held_out(code, place) for code in codes} == {held_out}
            assert word in sentence
