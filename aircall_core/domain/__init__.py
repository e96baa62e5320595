"""Pure rules of the call desk: no input or output, no clock, no logging; the standard library only."""
