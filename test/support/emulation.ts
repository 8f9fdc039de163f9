/** The CPU of `kata-mock run` under TCG; see docs/kata-mock-run.md for what it leaves out and why. */
export const EMULATED_CPU = 'max,erms=off,fsrm=off,la57=off';

/** Words of Kata's kernel command line that keep a guest from measuring its clocks against each other for half a second. */
export const QUICK_BOOT = 'tsc=reliable no_timer_check cryptomgr.notests';
