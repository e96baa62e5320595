"""What the shipped prompts say, and where the words come from: one table a language.

English is spoken by hibari. Spanish and French are human recordings of Debian's packages asterisk-core-sounds-es-wav
and -fr-wav (CC-BY-SA-3.0, see LICENSE.md) where their words fit, cut and joined here; the rest is spoken by Pico.
"""

from dataclasses import dataclass

PARTS = ("queue-position-before", "queue-position-after", "estimate-before", "minute", "minutes", "digits/")
"""Names (or beginnings of names) of what is played between other words: no rest around it."""


@dataclass(frozen=True)
class Cut:
    """A stretch of a recording, in seconds. Without an end: to its end."""

    name: str
    start_s: float = 0.0
    end_s: float | None = None


Said = str | tuple[Cut | float, ...]
"""Words to speak, or pieces of recordings with rests (seconds) between them."""

FOLDERS = {"es": "es_MX_f_Allison", "fr": "fr_CA_f_June"}
VOICES = {"en": "heart", "es": "pico-es", "fr": "pico-fr"}

_TO_TWENTY = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
_TENS = "thirty forty fifty sixty seventy eighty ninety"
_EN_NUMBERS = [*enumerate(_TO_TWENTY.split()), *zip(range(30, 100, 10), _TENS.split(), strict=True)]


def _recorded(*numbers: int) -> dict[str, Said]:
    return {f"digits/{number}": (Cut(f"digits/{number}"),) for number in numbers}


WORDS: dict[str, dict[str, Said]] = {
    "en": {
        "nobody-available": (
            "Thank you for calling. I am sorry, nobody is available to take your call right now. "
            "Please try again a little later. Goodbye."
        ),
        "recording-notice": "Please note that this call is recorded.",
        "recording-paused": "The recording is paused.",
        "recording-resumed": "The recording continues.",
        "blocked": "I am sorry, this call cannot be completed. Goodbye.",
        "voicemail": "Please leave a message after the tone. When you are done, just hang up.",
        "goodbye": "Thank you for calling. Goodbye.",
        "invalid-choice": "I am sorry, that is not a valid choice. Please try again.",
        "queue-position-before": "You are number",
        "queue-position-after": "in the queue.",
        "queue-next": "Your call is next in the queue.",
        "estimate-before": "The estimated waiting time is",
        "minute": "one minute.",
        "minutes": "minutes.",
        "less-than-a-minute": "less than a minute.",
        "callback-offer": "Would you rather be called back? Press star, and you keep your place in the queue.",
        "callback-confirmed": "Thank you. We will call you back when it is your turn. Goodbye.",
        **{f"digits/{number}": f"{word}." for number, word in _EN_NUMBERS},
    },
    "es": {
        "nobody-available": (Cut("vm-nobodyavail"), 0.35, Cut("please-try-again"), 0.35, Cut("vm-goodbye")),
        "recording-notice": (Cut("queue-youarenext", 0, 0.80), 0.03, Cut("conf-now-recording", 1.20)),
        "recording-paused": "La grabación está en pausa.",
        "recording-resumed": "La grabación continúa.",
        "blocked": "Lo sentimos, no podemos atender esta llamada. Hasta pronto.",
        "voicemail": (Cut("vm-intro", 0, 3.50),),
        "goodbye": (Cut("auth-thankyou"), 0.2, Cut("vm-goodbye")),
        "invalid-choice": (Cut("conf-errormenu"), 0.3, Cut("please-try-again")),
        "queue-position-before": (Cut("queue-thereare"),),
        "queue-position-after": (Cut("queue-youarenext", 1.97, 2.72),),
        "queue-next": (Cut("queue-youarenext"),),
        "estimate-before": (Cut("queue-holdtime"),),
        "minute": (Cut("digits/1M"), 0.03, Cut("queue-minute")),
        "minutes": (Cut("queue-minutes"),),
        "less-than-a-minute": (Cut("queue-less-than"), 0.03, Cut("digits/1M"), 0.03, Cut("queue-minute")),
        "callback-offer": "Si prefiere que le llamemos, pulse la tecla asterisco. Conservará su turno.",
        "callback-confirmed": "Gracias. Le llamaremos cuando llegue su turno. Hasta pronto.",
        "digits/and": (Cut("digits/and"),),
        **_recorded(*range(30), *range(30, 100, 10)),
    },
    "fr": {
        "nobody-available": (Cut("vm-nobodyavail"), 0.35, Cut("please-try-call-later"), 0.35, Cut("vm-goodbye")),
        "recording-notice": (Cut("queue-youarenext", 0, 0.74), 0.03, Cut("conf-now-recording", 0.86)),
        "recording-paused": "L'enregistrement est en pause.",
        "recording-resumed": "L'enregistrement reprend.",
        "blocked": (Cut("cannot-complete-as-dialed", 0.14, 1.95), 0.35, Cut("vm-goodbye")),
        "voicemail": (Cut("vm-intro", 0, 5.42),),
        "goodbye": (Cut("auth-thankyou"), 0.2, Cut("vm-goodbye")),
        "invalid-choice": (Cut("pm-invalid-option"),),
        "queue-position-before": (Cut("queue-thereare"),),
        "queue-position-after": (Cut("queue-callswaiting", 0, 0.74),),
        "queue-next": (Cut("queue-youarenext"),),
        "estimate-before": (Cut("queue-holdtime"),),
        # "une" of "une introduction": the recorded number is the masculine "un".
        "minute": (Cut("vm-record-prepend", 2.18, 2.40), Cut("minute")),
        "minutes": (Cut("minutes"),),
        "less-than-a-minute": (Cut("queue-less-than"), 0.03, Cut("vm-record-prepend", 2.18, 2.40), Cut("minute")),
        "callback-offer": "Si vous préférez être rappelé, appuyez sur la touche étoile. Vous garderez votre tour.",
        "callback-confirmed": "Merci. Nous vous rappellerons quand ce sera votre tour. Au revoir.",
        "digits/and": (Cut("digits/et"),),
        **_recorded(*range(21), *range(30, 100, 10)),
    },
}

TEST_CALL = (
    "Hello! This is the test phone, calling your new line. If you can hear me, the way from the telephone network "
    "to your browser works. Now say something: I am recording what I hear, so that you can check the way back. "
    "Try the mute button as well. You will find this call, and its recording if you switched that on, in the "
    "conversation of this number. When you are done, just hang up. Have a good day!"
)
