/**
 * Zod compiles its schemas with `new Function` where it may. The page's policy forbids that, and even asking is reported; so this is the first
 * import of the page and of each worker, before any schema is made.
 */
import { config } from 'zod';

config({ jitless: true });
