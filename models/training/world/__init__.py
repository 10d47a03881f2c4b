"""The sticker world: 128x128 pictures of one to three things in a place, on a colour or under a treatment, with true captions."""
