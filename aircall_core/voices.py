"""The voices that texts can be spoken with, and how long a text may be. What speaks is speech.py, which takes numpy."""

# Voice -> language. "heart" is the only one inside hibari's wheel; it would fetch any other from the network.
VOICES = {"heart": "en", "pico-es": "es", "pico-fr": "fr"}
MAX_TEXT = 2000  # characters, about two minutes of speech
