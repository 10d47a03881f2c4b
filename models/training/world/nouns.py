"""English nouns as the captions need them: which take no article, and plurals."""
# Plural-only and mass nouns: no 'a', no 'two'.
BARE = set(
    'grapes cherries fries scissors jeans sunglasses headphones popcorn corn bread cheese broccoli lightning fire beer wine '
    'candy dice clothing food goggles gloves socks briefs shorts pancakes blueberries beans skis maracas masks paws sparkles '
    'bubbles books chopsticks cutlery chains swords scales beads knobs dolls japan liberty garlic ginger rice curry spaghetti '
    'pasta ramen noodles sushi tempura honey butter salt chocolate bacon milk sake coffee champagne whiskey juice soda mate '
    'lettuce cabbage cereal salad stew soup paella fondue ham falafel steak toast maize trousers blood dna bamboo wheat coral '
    'wood money lotion soap yarn wool thread film tennis badminton lacrosse bowling furniture toast cattle custard pudding '
    'bento onigiri dango wax tin vegetables flame'.split()) | {
        'shaved ice', 'bubble tea', 'toilet paper', 'champagne glasses', 'ballet shoes', 'shopping bags', 'party popper'} - {
        'party popper'}
IRREGULAR = {'mouse': 'mice', 'goose': 'geese', 'sheep': 'sheep', 'deer': 'deer', 'fish': 'fish', 'blowfish': 'blowfish',
             'pufferfish': 'pufferfish', 'jellyfish': 'jellyfish', 'moose': 'moose', 'bison': 'bison', 'buffalo': 'buffalo',
             'shrimp': 'shrimp', 'squid': 'squid', 'ox': 'oxen', 'leaf': 'leaves', 'knife': 'knives', 'wolf': 'wolves',
             'scarf': 'scarves', 'potato': 'potatoes', 'tomato': 'tomatoes', 'mango': 'mangoes', 'tornado': 'tornadoes',
             'mosquito': 'mosquitoes', 'volcano': 'volcanoes', 'cactus': 'cacti', 'fishcake': 'fishcakes', 'quiz': 'quizzes',
             'swan': 'swans', 'airplane': 'airplanes'}


def bare(noun):
    """Whether a noun takes neither article nor number; colours before it do not matter."""
    return noun in BARE or noun.split()[-1] in BARE or ' '.join(noun.split()[-2:]) in BARE


def plural(noun):
    """The plural of a countable noun: its last word's."""
    *front, word = noun.split()
    return ' '.join([*front, IRREGULAR.get(word) or regular(word)])


def regular(word):
    """The rule: -es after hissing sounds, -ies after consonant and y, else -s."""
    if word.endswith(('s', 'x', 'z', 'ch', 'sh')):
        return word + 'es'
    return word[:-1] + 'ies' if word[-1] == 'y' and word[-2] not in 'aeiou' else word + 's'


def indefinite(noun):
    """'a cat', 'an apple', 'grapes'."""
    return noun if bare(noun) else f'{article(noun)} {noun}'


def article(noun):
    """'a' or 'an', by sound: 'a unicycle' but 'an umbrella', 'an xray'."""
    return 'an' if noun[0] in 'aeiou' or noun.startswith(('hourglass', 'xray')) else 'a'
