/** As in package.json (a test compares); a constant, so that the bundle needs no file beside it. */
export const version = '0.1.0';
