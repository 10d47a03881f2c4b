"""The caption grammar: sentences that are true of a described picture, in the wording of the paper's templates.

`caption(rng, d, row)` says something true about description `d` (see world.describe) of the sticker `row`; it leaves
true things out at will. Words without a visible meaning ("nice", "cool", ...) are used at random. `ALL_WORDS` is the
closed vocabulary, `OBJECT_TEMPLATES` the paper's 27 grouped by what they claim.
"""
from subjects import CATEGORIES, PLURAL, SUBJECTS
from world import STYLES, TINTS, COLOUR_NAMES

PLACE_PHRASES = {
    'beach': ['on a beach', 'on the beach', 'at the beach'], 'jungle': ['in the jungle', 'in a jungle'],
    'moon': ['on the moon', 'in the moon'], 'snow': ['in the snow', 'on snow'],
    'city': ['in the city', 'in a city', 'on a city street'], 'meadow': ['in a meadow', 'on the grass', 'in the meadow'],
    'sea': ['under the sea', 'underwater'], 'times square': ['in times square'],
}
TREATMENT_PHRASES = {
    'silhouette': ['a silhouette of {}', 'the silhouette of {}'],
    'pencil': ['a pencil drawing of {}', 'a drawing of {}', 'a manga drawing of {}', 'a sketch of {}'],
    'watercolor': ['a watercolor painting of {}', 'a painting of {}', 'a watercolor of {}'],
}
# The paper's 27 templates for objects, by the claim they make about the picture.
OBJECT_TEMPLATES = {
    'any': ['a photo of a {}', 'a rendering of a {}', 'the photo of a {}', 'a photo of my {}', 'a photo of the cool {}',
            'a photo of the {}', 'a good photo of the {}', 'a photo of one {}', 'a rendition of the {}',
            'a rendition of a {}', 'a photo of a nice {}', 'a good photo of a {}', 'a photo of the nice {}',
            'a photo of the weird {}', 'a photo of a cool {}', 'a photo of a clean {}', 'a photo of a dirty {}',
            'a photo of the clean {}'],
    'dark': ['a dark photo of the {}'],
    'bright': ['a bright photo of the {}'],
    'small': ['a photo of a small {}', 'a photo of the small {}'],
    'large': ['a photo of the large {}'],
    'close': ['a cropped photo of the {}', 'a close-up photo of a {}', 'a cropped photo of a {}',
              'a close-up photo of the {}'],
}
# The paper's 19 templates for styles.
STYLE_TEMPLATES = [
    'a painting in the style of {}', 'a rendering in the style of {}', 'a cropped painting in the style of {}',
    'the painting in the style of {}', 'a clean painting in the style of {}', 'a dirty painting in the style of {}',
    'a dark painting in the style of {}', 'a picture in the style of {}', 'a cool painting in the style of {}',
    'a close-up painting in the style of {}', 'a bright painting in the style of {}',
    'a good painting in the style of {}', 'a rendition in the style of {}', 'a nice painting in the style of {}',
    'a small painting in the style of {}', 'a weird painting in the style of {}',
    'a large painting in the style of {}', 'a good rendering in the style of {}', 'a picture in the style of {}']
TRUE_STYLE_TEMPLATES = ['a rendering in the style of {}', 'a picture in the style of {}',
                        'a rendition in the style of {}', 'a painting in the style of {}']
WORDS_OF_ARTICLES = ('a', 'an', 'the', 'my', 'one')


def pick(rng, items):
    return items[rng.integers(len(items))]


def with_article(noun, rng):
    """'a cat', 'an apple', 'grapes', sometimes 'the cat' or (as `A photo of {}` says it) just 'cat'."""
    draw = rng.random()
    if draw < 0.22:
        return noun
    if draw < 0.34:
        return f'the {noun}'
    if noun.split()[-1] in PLURAL:
        return noun
    return ('an ' if noun[0] in 'aeiou' else 'a ') + noun


def fit_article(sentence, noun):
    """Corrects 'a apple' and drops the article before plural and mass nouns."""
    if noun.split()[-1] in PLURAL:
        sentence = sentence.replace(f' a {noun}', f' {noun}').replace(f' one {noun}', f' {noun}')
    return sentence.replace(f' a {noun}', f' an {noun}') if noun[0] in 'aeiou' else sentence


def size_word(d):
    """What the picture's size lets one say."""
    return 'small' if d['size'] < 0.57 else 'close' if d['size'] > 1 else 'large' if d['size'] > 0.88 else None


def noun_of(rng, d, row):
    """Subject word, or its category in a tenth of the captions, with its tint."""
    word, category = SUBJECTS[row['hex']]
    noun = word if rng.random() > 0.1 else category if rng.random() < 0.7 else 'object'
    return f"{d['tint']} {noun}" if d['tint'] else noun


def ending(rng, d):
    """Place (always) or plain colour (half the time); '' when neither is said."""
    if d['place']:
        return ' ' + pick(rng, PLACE_PHRASES[d['place']])
    said = d['colour'] and d['treatment'] != 'pencil' and d['treatment'] != 'watercolor' and rng.random() < 0.55
    return f" on a {d['colour']} background" if said else ''


def object_sentence(rng, d, noun):
    """One of the paper's templates, true of the picture."""
    claims = [c for c in (d['light'], size_word(d)) if c]
    claim = pick(rng, claims) if claims and rng.random() < 0.8 else 'any'
    plain = claim == 'any' and rng.random() < 0.45
    return fit_article((pick(rng, OBJECT_TEMPLATES[claim]) if not plain else 'a photo of a {}').format(noun), noun)


def caption(rng, d, row):
    """A lower-case sentence of at most 18 tokens."""
    style = row['style']
    if rng.random() < 0.04 and not d['treatment']:
        return pick(rng, TRUE_STYLE_TEMPLATES).format(style) + ending(rng, d)
    noun = noun_of(rng, d, row)
    if d['treatment']:
        return pick(rng, TREATMENT_PHRASES[d['treatment']]).format(with_article(noun, rng)) + ending(rng, d)
    form = rng.random()
    if form < 0.55:
        sentence = object_sentence(rng, d, noun)
    elif form < 0.8:
        sentence = pick(rng, ['a photo of {}', 'a picture of {}', 'an image of {}']).format(with_article(noun, rng))
    else:
        sentence = with_article(noun, rng)
    if rng.random() < 0.3:
        sentence += f' in {style} style' if rng.random() < 0.7 else f' in the style of {style}'
    return sentence + ending(rng, d)


def all_words():
    """Every word that a caption can use."""
    sentences = [t for group in OBJECT_TEMPLATES.values() for t in group] + STYLE_TEMPLATES
    sentences += [p for group in (*PLACE_PHRASES.values(), *TREATMENT_PHRASES.values()) for p in group]
    sentences += ['a picture of', 'an image of', 'on a background in style of', ' '.join(WORDS_OF_ARTICLES), 'object']
    words = {w for s in sentences for w in s.replace('{}', ' ').replace('-', ' ').split()}
    return sorted(words | {w for w, _ in SUBJECTS.values()} | set(CATEGORIES) | set(STYLES) | set(TINTS) | set(COLOUR_NAMES))


ALL_WORDS = all_words()
# Words that only the paper's prompts use: one token each, but no picture taught what they mean.
UNTAUGHT_WORDS = ['statue', 'app', 'icon', 'sand', 'sculpture', 'colorful', 'graffiti', 'oil', 'photograph', 'two', 'table',
                  'monet', 'marc', 'chagall']
