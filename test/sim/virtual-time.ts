/** The clock and the chance of the simulator, for tests that build a world of their own. */

export { SeededRandom, VirtualClock } from '@tidemail/simulator'
