"""The caption grammar: sentences that are true of a described picture, in the wording of the paper's templates.

`caption(rng, d, row)` says something true about description `d` (world.describe) of the sticker `row`; it leaves true
things out at will, but always says the place. Words without a visible meaning ("nice", "cool") are used at random.
"""
from world.nouns import article, bare, plural
from world.scene import COLOUR_NAMES, STYLES, TINTS, pick
from world.subjects import CATEGORIES, SUBJECTS

PLACE_PHRASES = {
    'beach': ['on a beach', 'on the beach', 'at the beach'], 'jungle': ['in the jungle', 'in a jungle'],
    'forest': ['in the forest', 'in a forest', 'in the woods'], 'night sky': ['in the night sky', 'under the stars'],
    'moon': ['in the moon', 'on the moon'], 'snow': ['in the snow', 'on snow'],
    'city': ['in the city', 'in a city', 'on a city street'], 'times square': ['in times square'],
    'desert': ['in the desert', 'in a desert'], 'sea': ['under the sea', 'underwater'],
    'meadow': ['in a meadow', 'on the grass', 'in the meadow'], 'mountains': ['in the mountains', 'before the mountains'],
    'table': ['on a table', 'on the table'], 'brick wall': ['before a brick wall', 'in front of a brick wall'],
}
TREATMENT_PHRASES = {
    'pencil': ['a pencil drawing of {}', 'a sketch of {}', 'a drawing of {}'],
    'oil': ['oil painting of {}', 'an oil painting of {}'],
    'watercolor': ['a watercolor painting of {}', 'a watercolor of {}'],
    'monet': ['a painting of {} in the style of monet', 'a monet painting of {}'],
    'chagall': ['a marc chagall painting of {}', 'a painting of {} in the style of marc chagall'],
    'manga': ['a manga drawing of {}', 'a black and white manga of {}'],
    'pixel art': ['pixel art of {}', 'a pixel art picture of {}'],
    'silhouette': ['a silhouette of {}', 'the silhouette of {}'],
    'app icon': ['app icon of {}', 'an app icon of {}'],
    'graffiti': ['colorful graffiti of {}', 'graffiti of {} on a wall'],
    'statue': ['a statue of {}', 'a stone statue of {}'],
    'sand sculpture': ['a sand sculpture of {}'],
    'neon sign': ['a neon sign of {}', 'a glowing neon sign of {}'],
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
# The paper's fifteen prompts.
EVALUATION_PROMPTS = [
    'a photo of a {}', 'a photo of {} in the jungle', 'a photo of {} on a beach', 'a photo of {} in times square',
    'a photo of {} in the moon', 'a painting of {} in the style of monet', 'oil painting of {}',
    'a marc chagall painting of {}', 'a manga drawing of {}', 'a watercolor painting of {}', 'a statue of {}',
    'app icon of {}', 'a sand sculpture of {}', 'colorful graffiti of {}', 'a photograph of two {} on a table']
PLAIN = ['a photo of {}', 'a picture of {}', 'an image of {}', 'a photograph of {}']
POSITIONS = {'left': ['on the left', 'on the left side'], 'right': ['on the right', 'on the right side']}
NUMBERS = {2: 'two', 3: 'three'}
# How often a caption says the category instead of the subject; personalization starts from such a word.
CATEGORY_SHARE = 0.08


def name_of(rng, d, row):
    """Subject word or a synonym, or its category, with its tint."""
    subject = SUBJECTS[row['hex']]
    if rng.random() < CATEGORY_SHARE:
        noun = subject.category if rng.random() < 0.7 else 'object'
    else:
        noun = pick(rng, [subject.word, subject.word, *subject.synonyms])
    return f"{d['tint']} {noun}" if d['tint'] else noun


def counted(rng, d, noun):
    """'a cat', 'the cat', 'cat', 'two cats'; nouns without a plural are not counted."""
    if d['count'] > 1:
        return noun if bare(noun) else f"{NUMBERS[d['count']]} {plural(noun)}"
    form = rng.random()
    if form < 0.22 or bare(noun):
        return noun
    return f'the {noun}' if form < 0.34 else f'{article(noun)} {noun}'


def fitted(template, noun):
    """A template with its noun: 'an apple', and no article or number before what takes none."""
    sentence = template.format(noun)
    if bare(noun):
        return sentence.replace(f' a {noun}', f' {noun}').replace(f' one {noun}', f' {noun}')
    return sentence.replace(f' a {noun}', f' {article(noun)} {noun}')


def ending(rng, d):
    """Place (always), or plain colour (half the time); '' when neither is said."""
    if d['place']:
        return ' ' + pick(rng, PLACE_PHRASES[d['place']])
    said = d['colour'] and d['treatment'] is None and rng.random() < 0.5
    return f" on {article(d['colour'])} {d['colour']} background" if said else ''


def untreated(rng, d, noun):
    """A sentence about an untreated picture, without its ending."""
    if d['count'] > 1:
        return pick(rng, [*PLAIN, '{}']).format(counted(rng, d, noun))
    if d['position']:
        return pick(rng, [*PLAIN, '{}']).format(counted(rng, d, noun)) + ' ' + pick(rng, POSITIONS[d['position']])
    claims = [claim for claim in (d['light'], d['size']) if claim]
    form = rng.random()
    if claims and form < 0.8:
        return fitted(pick(rng, OBJECT_TEMPLATES[pick(rng, claims)]), noun)
    if form < 0.55:
        return fitted(pick(rng, OBJECT_TEMPLATES['any']), noun)
    return pick(rng, [*PLAIN, '{}']).format(counted(rng, d, noun))


def caption(rng, d, row):
    """A lower-case sentence of at most 22 tokens."""
    style = row['style']
    if d['treatment'] is None and d['count'] == 1 and rng.random() < 0.04:
        return pick(rng, TRUE_STYLE_TEMPLATES).format(style) + ending(rng, d)
    noun = name_of(rng, d, row)
    if d['treatment']:
        return pick(rng, TREATMENT_PHRASES[d['treatment']]).format(counted(rng, d, noun)) + ending(rng, d)
    sentence = untreated(rng, d, noun)
    if not d['position'] and rng.random() < 0.25:
        sentence += f' in {style} style' if rng.random() < 0.7 else f' in the style of {style}'
    return sentence + ending(rng, d)


def nouns():
    """Every word for a thing."""
    return {word for s in SUBJECTS.values() for word in (s.word, *s.synonyms)} | set(CATEGORIES) | {'object'}


def all_words():
    """Every word that a caption can use: the closed vocabulary."""
    sentences = [t for group in OBJECT_TEMPLATES.values() for t in group] + STYLE_TEMPLATES + EVALUATION_PROMPTS + PLAIN
    for phrases in (PLACE_PHRASES, TREATMENT_PHRASES, POSITIONS):
        sentences += [phrase for group in phrases.values() for phrase in group]
    sentences += ['on a background in style of', 'a an the my one', *NUMBERS.values(), *STYLES, *TINTS, *COLOUR_NAMES]
    sentences += [*nouns(), *(plural(noun) for noun in nouns() if not bare(noun))]
    return sorted({word for s in sentences for word in s.replace('{}', ' ').replace('-', ' ').split()})


ALL_WORDS = all_words()
