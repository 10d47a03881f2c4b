"""The world that the scripts draw: `captions`, `world`, `CATEGORIES` and `SUBJECTS` of the small one or, with WORLD=full, of the full one."""
import model

if model.WORLD == 'full':
    from full import captions, world
    from full.subjects import CATEGORIES, SUBJECTS
else:
    import captions
    import world
    from subjects import CATEGORIES, SUBJECTS

__all__ = ['captions', 'world', 'CATEGORIES', 'SUBJECTS']
