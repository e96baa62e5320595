"""The installed pjsua2, before anything imports it: is it there, and is PyPI's wheel the one that was pinned?

`make` installs the wheel with pip's own hash check (requirements-sip.txt). `pip install -r requirements.txt` has none,
since pip checks hashes for all packages of a file or for none; so the backend looks before it starts a worker.
"""

import hashlib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

DISTRIBUTION = "pjsua2-python"
# SHA-256 of the native module in each wheel that requirements-sip.txt names.
PINNED_MODULES = {
    "1303b67fab241a8399f6cf9f945cbca1c3d0a32dc6e0b3e7f6d4810beeb7dc19",  # Python 3.11
    "14ef9eca324d683b67b86dea564cb860c30fb517501d759fc6380fbd64a55a2c",  # Python 3.12
}


class SipLibraryError(RuntimeError):
    """No worker can run with this pjsua2. The text says what to do."""


def check() -> str:
    """The version of the installed pjsua2, which is our own build or the pinned wheel. Raises SipLibraryError."""
    try:
        installed = distribution(DISTRIBUTION)
    except PackageNotFoundError:
        raise SipLibraryError(
            "pjsua2, the SIP library, is not installed. Run `make pjsua2` to build it, or, on x86-64,\n"
            "    pip install --require-hashes -r requirements-sip.txt"
        ) from None
    if "+aircall." in installed.version:
        return installed.version
    modules = [Path(str(file.locate())) for file in installed.files or () if file.match("_pjsua2*.so")]
    sums = {hashlib.sha256(module.read_bytes()).hexdigest() for module in modules}
    if not sums or not sums <= PINNED_MODULES:
        raise SipLibraryError(
            f"The installed {DISTRIBUTION} {installed.version} is not the one that this project pins. Reinstall it:\n"
            "    pip install --force-reinstall --no-deps --require-hashes -r requirements-sip.txt\n"
            "or build it with `make pjsua2`."
        )
    return installed.version
