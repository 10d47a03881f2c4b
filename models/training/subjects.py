"""The drawable subjects: (code point, word, category). Held-out subjects (data/holdout.json) never appear here.

One word a subject, so that each is one token; a hyphen-free single word even where the artwork's own name has two.
"""
TABLE = {
    'animal': '1f438 frog, 1f427 penguin, 1f413 rooster, 1f986 duck, 1f99c parrot, 1f9a2 swan, 1f424 chick, 1f98b butterfly,'
              '1f41e ladybug, 1f577 spider, 1f412 monkey, 1f415 dog, 1f408 cat, 1f981 lion, 1f405 tiger, 1f40e horse,'
              '1f993 zebra, 1f98c deer, 1f404 cow, 1f416 pig, 1f411 sheep, 1f42a camel, 1f992 giraffe, 1f98f rhino,'
              '1f401 mouse, 1f407 rabbit, 1f43f squirrel, 1f43b bear, 1f994 hedgehog, 1f998 kangaroo, 1f433 whale,'
              '1f42c dolphin, 1f420 fish, 1f988 shark, 1f980 crab, 1f422 turtle, 1f40d snake, 1f996 dinosaur',
    'fruit': '1f347 grapes, 1f349 watermelon, 1f34a orange, 1f34b lemon, 1f34c banana, 1f34e apple, 1f350 pear, 1f351 peach,'
             '1f352 cherries, 1f345 tomato, 1f95d kiwi',
    'vegetable': '1f33d corn, 1f336 pepper, 1f966 broccoli, 1f344 mushroom',
    'food': '1f35e bread, 1f950 croissant, 1f9c0 cheese, 1f354 hamburger, 1f35f fries, 1f32e taco, 1f366 icecream,'
            '1f36a cookie, 1f370 shortcake, 1f36d lollipop, 1f36c candy, 1f95a egg, 1f37f popcorn, 1f37a beer, 1f377 wine',
    'vehicle': '2708 airplane, 1f682 train, 1f68c bus, 1f692 firetruck, 1f695 taxi, 1f697 car, 1f69a truck, 1f3ce racecar,'
               '1f3cd motorcycle, 1f6a2 ship, 1f6f9 skateboard',
    'building': '1f3e0 house, 1f3e5 hospital, 26ea church, 1f5fc tower, 26fa tent, 1f3ed factory',
    'plant': '1f339 rose, 1f33b sunflower, 1f337 tulip, 1f332 evergreen, 1f333 tree, 1f334 palm, 1f341 leaf, 1f340 clover',
    'toy': '1f388 balloon, 26bd football, 1f3c0 basketball, 1f3be tennis, 1f3b2 dice, 1fa81 kite, 1f916 robot, 1f47b ghost,'
           '1f47d alien, 1f3af target, 1f9e9 puzzle',
    'tool': '1f527 wrench, 1fa93 axe, 2702 scissors, 270f pencil, 1f511 key, 1f9f2 magnet, 1f6e1 shield, 1f52c microscope',
    'clothing': '1f455 shirt, 1f456 jeans, 1f457 dress, 1f45f sneaker, 1f576 sunglasses, 1f9e2 cap',
    'object': '23f0 clock, 1f4f7 camera, 1f4fa television, 1f4bb laptop, 260e telephone, 1f512 lock, 1f514 bell, 1f4d5 book,'
              '1f4a3 bomb, 1f3ba trumpet, 1f4e3 megaphone, 1f48e gem, 1f48d ring, 1f45c handbag, 1f3a7 headphones,'
              '1fa91 chair, 1f6cb couch, 1f4e6 box, 1f381 gift, 1f3c6 trophy, 2602 umbrella, 2b50 star, 2744 snowflake,'
              '1f525 fire, 26a1 lightning, 1f308 rainbow, 1f30b volcano, 2601 cloud, 2600 sun, 1f480 skull',
}
PLURAL = {'grapes', 'cherries', 'fries', 'scissors', 'jeans', 'sunglasses', 'headphones', 'popcorn', 'corn', 'bread',
          'cheese', 'broccoli', 'lightning', 'fire', 'beer', 'wine', 'candy', 'dice', 'clothing', 'food'}
SUBJECTS = {hexcode: (word, category) for category, row in TABLE.items()
            for hexcode, word in (entry.split() for entry in row.split(','))}
CATEGORIES = list(TABLE)
