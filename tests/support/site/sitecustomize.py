"""First on the path of consoles that tests start: SIGUSR2 has them write down where each of their threads is."""

import faulthandler
import signal

faulthandler.register(signal.SIGUSR2, all_threads=True)
