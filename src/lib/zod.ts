/**
 * Zod, told not to compile its schemas with `new Function`: the page's policy forbids that, and even asking is reported. Every schema is
 * made with this `z`, so none is made before.
 */
import { config, z } from 'zod';

config({ jitless: true });

export { z };
