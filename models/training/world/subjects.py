"""The world's subjects: `code point word/synonym/...` by category; several pictures may share one word.

One word each where English has one. Absent: the held-out subjects (data/holdout.json) and their near-twins. A synonym is
never another subject's word, else a caption could mean a different picture.
"""
from typing import NamedTuple

TABLE = {
    'animal':
        '1f435 monkey/ape, 1f412 monkey, 1f9a7 orangutan, 1f436 dog/puppy/hound, 1f415 dog, 1f9ae dog, '
        '1f415-200d-1f9ba dog, 1f429 poodle, 1f43a wolf, 1f99d raccoon, 1f431 cat/kitty/kitten, 1f408 cat, '
        '1f408-200d-2b1b cat, 1f981 lion, 1f42f tiger, 1f405 tiger, 1f406 leopard, 1f434 horse/pony, 1f40e horse, '
        '1face moose, 1facf donkey, 1f993 zebra, 1f98c deer/stag, 1f9ac bison/buffalo, 1f403 bison, '
        '1f42e cow/cattle, 1f404 cow, 1f402 ox/bull, 1f437 pig/piglet/hog, 1f416 pig, 1f417 boar, 1f43d snout, '
        '1f40f ram, 1f411 sheep/ewe/lamb, 1f410 goat, 1f42a camel, 1f42b camel, 1f999 llama/alpaca, 1f992 giraffe, '
        '1f9a3 mammoth, 1f98f rhino/rhinoceros, 1f99b hippo/hippopotamus, 1f42d mouse, 1f401 mouse, 1f400 rat, '
        '1f439 hamster, 1f430 rabbit/bunny/hare, 1f407 rabbit, 1f43f squirrel/chipmunk, 1f9ab beaver, '
        '1f994 hedgehog, 1f43b bear, 1f43b-200d-2744 polar bear, 1f9a5 sloth, 1f9a6 otter, 1f9a8 skunk, '
        '1f998 kangaroo, 1f9a1 badger, 1f983 turkey, 1f414 chicken/hen, 1f413 rooster, 1f423 hatchling, '
        '1f424 chick, 1f425 chick, 1f426 bird, 1f427 penguin, 1f54a dove/pigeon, 1f985 eagle/hawk, 1f986 duck, '
        '1f9a2 swan, 1f9a4 dodo, 1f99a peacock, 1f99c parrot, 1fabf goose, 1f426-200d-2b1b crow/raven, '
        '1f426-200d-1f525 phoenix, 1f438 frog/toad, 1f422 turtle/tortoise, 1f98e lizard/gecko, '
        '1f40d snake/serpent, 1f996 dinosaur, 1f433 whale, 1f40b whale, 1f42c dolphin, 1f9ad seal, 1f41f fish, '
        '1f420 fish, 1f421 blowfish/pufferfish, 1f988 shark, 1fabc jellyfish, 1f980 crab, 1f990 shrimp/prawn, '
        '1f991 squid, 1f9aa oyster/clam, 1f98b butterfly, 1f41b caterpillar, 1f41c ant, 1fab2 beetle, '
        '1f41e ladybug/ladybird, 1f997 cricket/grasshopper, 1fab3 cockroach, 1f577 spider, 1f99f mosquito, '
        '1fab0 fly, 1fab1 worm, 1f9a0 microbe/germ',
    'fruit':
        '1f347 grapes, 1f348 melon, 1f349 watermelon, 1f34a orange/tangerine, 1f34b lemon, 1f34b-200d-1f7e9 lime, '
        '1f34c banana, 1f96d mango, 1f34e apple, 1f34f apple, 1f350 pear, 1f351 peach, 1f352 cherries, '
        '1fad0 blueberries, 1f95d kiwi, 1f345 tomato, 1fad2 olive, 1f965 coconut',
    'vegetable':
        '1f954 potato, 1f33d corn/maize, 1f336 pepper/chili, 1fad1 bell pepper, 1f952 cucumber, '
        '1f96c lettuce/cabbage, 1f966 broccoli, 1f9c4 garlic, 1f9c5 onion, 1f95c peanut, 1fad8 beans, '
        '1f330 chestnut, 1fada ginger, 1fadb pea, 1f344 mushroom/toadstool, 1f344-200d-1f7eb mushroom, 1f360 yam',
    'food':
        '1f35e bread/toast, 1f950 croissant, 1f956 baguette, 1fad3 flatbread, 1f96f bagel, 1f95e pancakes, '
        '1f9c7 waffle, 1f9c0 cheese, 1f356 ham, 1f357 drumstick, 1f969 steak, 1f953 bacon, '
        '1f354 hamburger/burger/cheeseburger, 1f35f fries, 1f96a sandwich, 1f32e taco, 1f32f burrito, '
        '1fad4 tamale, 1f959 kebab, 1f9c6 falafel, 1f95a egg, 1f373 frying pan, 1f958 paella, 1f372 stew/soup, '
        '1fad5 fondue, 1f963 cereal, 1f957 salad, 1f37f popcorn, 1f9c8 butter, 1f9c2 salt, 1f96b tin/can, '
        '1f371 bento, 1f358 cracker, 1f359 onigiri, 1f35a rice, 1f35b curry, 1f35c ramen/noodles, '
        '1f35d spaghetti/pasta, 1f362 skewer, 1f363 sushi, 1f364 tempura, 1f365 fishcake, 1f96e mooncake, '
        '1f361 dango, 1f95f dumpling, 1f960 fortune cookie, 1f961 takeout box, 1f366 icecream/ice cream, '
        '1f368 sundae, 1f367 shaved ice, 1f36a cookie/biscuit, 1f370 shortcake/cake, 1f967 pie, 1f36b chocolate, '
        '1f36c candy, 1f36d lollipop, 1f36e custard/pudding, 1f36f honey',
    'drink':
        '2615 coffee, 1f95b milk, 1f376 sake, 1f37e champagne, 1f377 wine, 1f378 cocktail/martini, '
        '1f379 tropical drink, 1f37a beer, 1f37b beer, 1f942 champagne glasses, 1f943 whiskey, 1fad7 pouring cup, '
        '1f964 soda, 1f9cb bubble tea, 1f9c3 juice, 1f9c9 mate',
    'vehicle':
        '1f6f6 canoe/kayak, 1f6a4 speedboat/motorboat, 1f6e5 speedboat, 1f6f3 ship, 1f6a2 ship, 26f4 ferry, '
        '2708 airplane/plane, 1f6e9 airplane, 1f6eb airplane, 1f6ec airplane, 1fa82 parachute, 1f6a0 cablecar, '
        '1f69f cablecar, 1f6a1 cablecar, 1f6f0 satellite, 1f682 train/locomotive, 1f683 wagon, 1f684 bullet train, '
        '1f685 bullet train, 1f686 metro/subway, 1f687 metro, 1f688 metro, 1f689 metro, 1f68a tram/trolley, '
        '1f68b tram, 1f69d monorail, 1f69e mountain railway, 1f68c bus, 1f68d bus, 1f68e bus, 1f690 van/minivan, '
        '1f691 ambulance, 1f692 firetruck, 1f693 police car, 1f694 police car, 1f695 taxi/cab, 1f696 taxi, '
        '1f697 car/automobile, 1f698 car, 1f699 jeep, 1f6fb pickup, 1f69a truck, 1f69b lorry, 1f3ce racecar, '
        '1f3cd motorcycle/motorbike, 1f6f5 scooter/moped, 1f9bd wheelchair, 1f9bc wheelchair, 1f6fa rickshaw, '
        '1f6f4 kickscooter, 1f6f9 skateboard, 1f6f7 sled/sledge',
    'building':
        '26f2 fountain, 26fa tent, 1f3df stadium/arena, 1f3db museum, 1f6d6 hut, 1f3e0 house/home/cottage, '
        '1f3e1 house, 1f3e2 office, 1f3e3 post office, 1f3e4 post office, 1f3e5 hospital, 1f3e6 bank, 1f3e8 hotel, '
        '1f3e9 hotel, 1f3ea store/shop, 1f3eb school, 1f3ec mall, 1f3ed factory, 1f492 chapel, 1f5fc tower, '
        '1f5fd liberty, 26ea church, 1f54c mosque, 1f6d5 temple, 1f54d synagogue, 26e9 shrine, 1f54b kaaba',
    'plant':
        '2618 shamrock, 1f331 seedling/sprout, 1fab4 houseplant, 1f332 evergreen/fir/pine, 1f333 tree/oak, '
        '1f334 palm, 1f33e wheat, 1f33f herb/fern, 1f340 clover, 1f341 leaf, 1f342 leaf, 1f343 leaf, '
        '1f490 bouquet, 1f338 cherry blossom, 1f4ae white flower, 1fab7 lotus, 1f339 rose, 1f940 wilted flower, '
        '1f33b sunflower, 1f33c daisy/blossom, 1f337 tulip, 1fabb hyacinth, 1f384 christmas tree, 1f38d bamboo, '
        '1fab5 log/wood, 1fab8 coral',
    'toy':
        '1f3a0 carousel, 1f6dd slide, 1f3a2 roller coaster, 1f388 balloon, 1f389 party popper, '
        '1f38a confetti ball, 1f38e dolls, 1f9e8 firecracker, 26bd football, 26be baseball, 1f94e baseball, '
        '1f3c0 basketball, 1f3d0 volleyball, 1f3c8 rugby ball, 1f3c9 rugby ball, 1f3be tennis, 1f94f frisbee, '
        '1f3b3 bowling, 1f3af target/bullseye/dartboard, 1fa81 kite, 1f52b water pistol, 1f3b1 billiard ball, '
        '1fa84 wand, 1f3ae gamepad, 1f3b0 slot machine, 1f3b2 dice, 1f9e9 puzzle/jigsaw, 1faa9 disco ball, '
        '265f pawn, 1f916 robot/android, 1f47b ghost/phantom, 1f47d alien/martian, 1fa83 boomerang',
    'tool':
        '2694 swords, 2696 scales, 2699 gear/cog, 1fa93 axe/hatchet, 26cf pickaxe, 1f5e1 dagger, 1f3f9 bow, '
        '1f6e1 shield, 1fa9a saw, 1f527 wrench/spanner, 1fa9b screwdriver, 1f529 bolt, 1f5dc clamp, 1f9af cane, '
        '1f517 link, 26d3-200d-1f4a5 chains, 26d3 chains, 1fa9d hook, 1f9f0 toolbox, 1f9f2 magnet, 1fa9c ladder, '
        '2697 alembic, 1f9ea test tube, 1f9eb petri dish, 1f52c microscope, 2702 scissors, 1f4cc pushpin, '
        '1f4cd pushpin, 1f4ce paperclip, 1f489 syringe, 1fa7a stethoscope, 1f9ed compass, 1f511 key, 1f5dd key, '
        '270f pencil, 1f58b pen, 1f58c paintbrush, 1f58d crayon, 1faa1 needle, 1f526 flashlight/torch, '
        '1f50d magnifier, 1f50e magnifier, 1f962 chopsticks, 1f37d cutlery, 1f374 cutlery, 1f944 spoon, '
        '1f52a knife, 1faa0 plunger, 1fa92 razor, 1f9f9 broom, 1faa5 toothbrush, 1f9ef extinguisher, '
        '1f9f7 safety pin, 1fa7c crutch, 1faa4 mousetrap',
    'clothing':
        '1f576 sunglasses, 1f97d goggles, 1f93f diving mask, 1f97c lab coat, 1f9ba vest, 1f454 necktie/tie, '
        '1f455 shirt, 1f45a blouse, 1f456 jeans/trousers, 1f9e3 scarf, 1f9e4 gloves, 1f9e5 coat/jacket, '
        '1f9e6 socks, 1f457 dress/gown, 1f458 kimono, 1f97b sari, 1fa72 briefs, 1fa73 shorts, '
        '1f459 bikini/swimsuit, 1f94b karate suit, 1f3bd jersey, 1f45b purse, 1f45c handbag, 1f45d pouch, '
        '1fa74 flipflop, 1f45e shoe, 1f45f sneaker/trainer, 1f97e hiking boot, 1f97f slipper, 1f461 sandal, '
        '1fa70 ballet shoes, 1f462 boot, 26f8 ice skate, 1f452 sunhat/bonnet, 1f393 graduation cap, 1f9e2 cap, '
        '26d1 helmet, 1f94a boxing glove, 1f48d ring, 1f380 ribbon, 1f397 ribbon',
    'instrument':
        '1f3ba trumpet, 1fa97 accordion, 1fa95 banjo, 1fa87 maracas, 1fa88 flute, 1f4ef horn',
    'furniture':
        '1f6aa door, 1f6cf bed, 1f6cb couch/sofa, 1fa91 chair, 1f4ba seat, 1f6bd toilet, 1f6bf shower, '
        '1f6c1 bathtub/bath, 1f5c4 cabinet, 1f5d1 bin',
    'device':
        '2328 keyboard, 1f50b battery, 1faab battery, 1f50c plug, 1f4bb laptop, 1f5a5 computer, 1f5a8 printer, '
        '1f5b1 computer mouse, 1f5b2 trackball, 1f4bd minidisc, 1f4be floppy, 1f4bf disc, 1f4c0 disc, '
        '1f4e1 antenna, 231a watch, 23f0 clock, 1f570 clock, 1f399 microphone, 1f3a4 microphone, 1f39a slider, '
        '1f39b knobs, 1f3a7 headphones, 1f4fb radio, 1f4f1 smartphone, 1f4f2 smartphone, 260e telephone, '
        '1f4de receiver, 1f4e0 fax, 1f3a5 movie camera, 1f4f9 camcorder, 1f4fd projector, 1f4fa television/tv, '
        '1f4f7 camera, 1f4f8 camera, 1f4fc videotape, 1f321 thermometer',
    'object':
        '2600 sun, 1f31e sun, 2601 cloud, 2602 umbrella/parasol, 2614 umbrella, 26f1 umbrella, '
        '1f302 closed umbrella, 2604 comet/meteor, 2744 snowflake, 1f315 full moon, 1f31d full moon, '
        '1f31a new moon, 1f31b crescent moon, 1fa90 planet, 2b50 star, 1f31f star, 26c5 sunny cloud, '
        '1f324 sunny cloud, 1f325 sunny cloud, 26c8 thundercloud, 1f329 thundercloud, 1f326 raincloud, '
        '1f327 raincloud, 1f328 snowcloud, 1f32a tornado, 1f308 rainbow, 26a1 lightning, 1f525 fire/flame, '
        '1f4a7 droplet, 1f30b volcano, 26f0 mountain, 1f5fe japan, 1f9f1 brick, 1faa8 rock/boulder, '
        '1f37c baby bottle, 1f9ca ice cube, 1fab9 nest, 1faba nest, 2668 hot spring, 1f488 barber pole, '
        '1f4a3 bomb, 1f6df lifebuoy, 1f9ec dna, 1f4bc briefcase, 1f5d2 notepad, 1f381 gift/present, 2728 sparkles, '
        '1f43e paws, 1fab6 feather, 1fabd wing, 1f41a shell/seashell, 1f578 cobweb, 1f3f5 rosette, 1fad9 jar, '
        '1f3fa vase/amphora, 1f6e2 barrel, 1f6ce reception bell, 1f9f3 suitcase, 231b hourglass, 1f3c6 trophy, '
        '1f3cf cricket bat, 1f3d1 hockey stick, 1f3d2 hockey stick, 1f94d lacrosse, 1f3d3 paddle, 1f3f8 badminton, '
        '1f945 net, 1f3a3 fishing rod, 1f3bf skis, 1f94c curling stone, 1f3ad masks, 1f3a8 palette, 1f9f5 thread, '
        '1f9f6 yarn/wool, 1faa2 knot, 1faad fan, 1f6cd shopping bags, 1faae comb, 1f4ff beads, 1f484 lipstick, '
        '1f48e gem/diamond, 1f4e3 megaphone, 1f514 bell, 1f39e film, 1f3ac clapperboard, 1f3ee lantern, '
        '1fa94 diya, 1f4d4 book, 1f4d5 book, 1f4d7 book, 1f4d8 book, 1f4d9 book, 1f4d6 open book, 1f4da books, '
        '1f4d3 notebook, 1f4d2 ledger, 1f4dc scroll, 1f516 bookmark, 1f4b0 moneybag, 1f4b8 banknote/money, '
        '1f4e6 box/package/parcel, 1f4ee mailbox/postbox, 1f5f3 ballot box, 1f4dd memo, 1f512 lock/padlock, '
        '1f513 lock, 1f510 lock, 1fa78 blood, 1f48a pill, 1fa79 plaster/bandage, 1fa7b xray, 1f9f4 lotion, '
        '1f9fa basket, 1f9fb toilet paper, 1faa3 bucket/pail, 1f9fc soap, 1fae7 bubbles, 1f9fd sponge, '
        '1f6d2 shopping cart, 1f6ac cigarette, 26b0 coffin, 1faa6 gravestone, 26b1 urn, 1f9ff amulet, 1faac hamsa, '
        '1f480 skull, 1f9ee abacus',
}


class Subject(NamedTuple):
    """What captions call a sticker: its word, its category, other words for it."""
    word: str
    category: str
    synonyms: tuple[str, ...]


def parse(table):
    """{category: 'code word/synonym, ...'} to {code: Subject}; synonyms stand at a word's first entry and hold for all."""
    subjects, synonyms = {}, {}
    for category, row in table.items():
        for code, names in (entry.strip().split(' ', 1) for entry in row.split(',')):
            word, *others = names.split('/')
            subjects[code] = Subject(word, category, synonyms.setdefault(word, tuple(others)))
    return subjects


SUBJECTS = parse(TABLE)
CATEGORIES = list(TABLE)
