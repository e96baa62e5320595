"""Use cases of the call desk. Each takes the open transaction it works in, changes state rows and appends their events.

The caller opens the transaction (``with store.write() as tx``), so that a worker can write many facts at once; a
``DeskError`` raised inside rolls everything back.
"""
