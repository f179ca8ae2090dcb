/** Where a deflate stream stands. */
export const MODE_HEADER: u32 = 0;
export const MODE_SYMBOLS: u32 = 1;
export const MODE_STORED: u32 = 2;
export const MODE_END: u32 = 3;

/** OK is 0 and so is RUN_NEED_INPUT: between the parts of inflate, "need input" has a number of its own. */
export const CONTINUE_LATER: i32 = 100;
