// A clock that steps while the program runs, sixty times as fast: ten minutes of intervals in ten seconds, and every ten seconds of them
// a step of hours, forth and back. Monotonic time and single timers stay as they are: only what repeats is to come often.
const FASTER = 60;
const STEP_MS = 6 * 3_600_000;
const setIntervalBefore = global.setInterval;
const nowBefore = Date.now;
let offsetMs = 0;
let steps = 0;

Date.now = () => nowBefore() + offsetMs;
global.setInterval = (run, ms, ...rest) => setIntervalBefore(run, ms >= 30_000 ? ms / FASTER : ms, ...rest);
setIntervalBefore(() => {
  offsetMs = [STEP_MS, 0, -STEP_MS, 0][steps++ % 4];
}, 10_000 / FASTER).unref();
