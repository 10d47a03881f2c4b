"""The full world: 128x128 pictures, nine styles, 695 subjects, 14 places, 13 treatments, counts and positions.

The shipped base was trained on the small world (the modules one folder up), which two CPU cores can learn. This one is for a
graphics card; its modules have the small world's names and offer what the training scripts use.
"""
