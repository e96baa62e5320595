#!/usr/bin/env python3
"""Build the production pjsua2 (pjproject 2.17, 256 calls a process) as a wheel, cache it, install it into this Python.

    python deploy/pjsua2/build.py             fetch, build (some minutes), cache, install
    python deploy/pjsua2/build.py --cached    install only if the cache holds a fitting wheel (exit 3 if not)
    python deploy/pjsua2/build.py --packages  install what Debian lacks (as root), or print the command
    python deploy/pjsua2/build.py --pypi      print a cached folder with PyPI's wheel, for PYTHONPATH (the smoke test)

The wheel carries the distribution name of the one on PyPI (pjsua2-python), so that pip replaces one with the other and
a virtual environment never holds both. Standard library only: it runs before anything is installed.

Environment: PJPROJECT            a pjproject 2.17 source tarball to use instead of Debian's
             PJPROJECT_SHA256     accept Debian's component with this checksum (when Debian's has moved on)
             AIRCALL_DEBIAN_MIRROR  a Debian mirror, for systems whose apt has none (Ubuntu)
"""

import base64
import fcntl
import hashlib
import os
import platform
import re
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TextIO

PJ_VERSION = "2.17"
DISTRIBUTION = "pjsua2-python"
# The component Xpjproject of Debian's source package asterisk: the unmodified upstream release.
COMPONENT_SHA256 = "6860c2f7604b4eee75f38151a9ef69774eb3f0c5286fc1d14bc1db2dc5a9e8aa"

CONFIG_SITE = """\
#define PJSUA_MAX_CALLS             256
#define PJSUA_MAX_ACC               64
#define PJSUA_MAX_PLAYERS           512
#define PJSUA_MAX_RECORDERS         512
#define PJSUA_MAX_CONF_PORTS        1024
#define PJ_IOQUEUE_MAX_HANDLES      1024
#define PJMEDIA_HAS_VIDEO           0
#define PJMEDIA_RESAMPLE_IMP        PJMEDIA_RESAMPLE_SPEEX
/* A transaction over UDP stays for 32 s: at 100 calls a second the default of 1023 is full in 10. */
#define PJSIP_MAX_TSX_COUNT         (16*1024-1)
#define PJSIP_MAX_DIALOG_COUNT      (2*1024-1)
/* INVITEs with a STIR Identity header or many Record-Routes exceed the default of 4000 bytes. */
#define PJSIP_MAX_PKT_LEN           16000
"""

# Whatever may be autodetected and is not wanted is switched off by name: the result must not depend on the machine.
CONFIGURE = shlex.split(
    "--disable-sound --disable-video --enable-epoll --enable-speex-resample --disable-speex-aec --disable-g7221-codec "
    "--disable-ilbc-codec --disable-libyuv --disable-libwebrtc --disable-upnp --disable-sdl --disable-ffmpeg "
    "--disable-v4l2 --disable-openh264 --disable-vpx --disable-opencore-amr --disable-silk --disable-bcg729 "
    "--disable-lyra --with-external-speex --with-external-gsm --with-external-srtp"
)
RECIPE = "1"  # raise it when the steps below change the result: it is part of the cache's key
CFLAGS = "-O2 -fPIC -DNDEBUG -fstack-protector-strong -D_FORTIFY_SOURCE=2"
# The generated bindings are 10 MB of thin wrappers: -O1 halves the time to compile them and costs nothing measurable.
WRAPPER_FLAGS = "-O1 -g0 -fPIC -DNDEBUG -fstack-protector-strong -fno-strict-aliasing -w -shared"

# what is looked for -> the Debian package that brings it
TOOLS = {"gcc": "gcc", "g++": "g++", "make": "make", "swig": "swig", "strip": "binutils"}
HEADERS = {
    "openssl/ssl.h": "libssl-dev",
    "opus/opus.h": "libopus-dev",
    "srtp2/srtp.h": "libsrtp2-dev",
    "speex/speex.h": "libspeex-dev",
    "speex/speex_resampler.h": "libspeexdsp-dev",
    "gsm.h": "libgsm1-dev",
    "uuid/uuid.h": "uuid-dev",
}
OBJECTS = 275  # compiled files, for the progress display only


class BuildError(RuntimeError):
    """Something the user has to know; the text says what to do."""


def main(arguments: list[str]) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as Ctrl-C does: temporary folders are removed
    try:
        if "--packages" in arguments:
            install_packages()
            return 0
        if "--pypi" in arguments:
            print(pypi_folder())
            return 0
        wheel = cached_wheel()
        if wheel is None and "--cached" in arguments:
            return 3
        if wheel is None:
            wheel = build()
        install(wheel)
    except BuildError as error:
        print(f"pjsua2: {error}", file=sys.stderr)
        return 1
    return 0


# ---- the cache


def cache_dir() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base) / "aircall-pjsua2"


def build_key() -> str:
    """What decides the bytes of the wheel: source, options, Python and machine (with its OpenSSL, linked by soname)."""
    parts = [
        RECIPE, source_sha256(), CONFIG_SITE, *CONFIGURE, CFLAGS, WRAPPER_FLAGS, sysconfig.get_config_var("SOABI"),
        platform.machine(), *platform.libc_ver(),
    ]  # fmt: skip
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def wheel_path() -> Path:
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    tag = f"{python}-{python}-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
    key = build_key()
    return cache_dir() / key / f"{DISTRIBUTION.replace('-', '_')}-{PJ_VERSION}+aircall.{key}-{tag}.whl"


def cached_wheel() -> Path | None:
    path = wheel_path()
    return path if path.exists() else None


# ---- packages


def missing_packages() -> list[str]:
    missing = [package for tool, package in TOOLS.items() if not shutil.which(tool)]
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        missing.append(f"python3.{sys.version_info.minor}-dev")
    compiler = shutil.which("gcc")
    for header, package in HEADERS.items():
        # Without a compiler nothing can be asked; apt skips what is there.
        if compiler is None or not _has_header(compiler, header):
            missing.append(package)
    return missing


def _has_header(compiler: str, header: str) -> bool:
    text = f"#include <stddef.h>\n#include <{header}>\n"
    command = [compiler, "-fsyntax-only", "-x", "c", "-"]
    return subprocess.run(command, input=text, text=True, capture_output=True, check=False).returncode == 0


def install_packages() -> None:
    missing = missing_packages()
    if not missing:
        return
    command = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise BuildError(
            f"the build needs {', '.join(missing)}. Install them and start again:\n    sudo {shlex.join(command)}"
        )
    say("installing " + " ".join(missing))
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    if subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False).returncode:
        subprocess.run(["apt-get", "update", "-q"], stdout=subprocess.DEVNULL, check=False)
        if subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False).returncode:
            raise BuildError(f"apt-get could not install {', '.join(missing)}; its words are above.")


# ---- the source


def source_sha256() -> str:
    tarball = os.environ.get("PJPROJECT")
    if tarball:
        try:
            return sha256(Path(tarball))
        except OSError as error:
            raise BuildError(f"PJPROJECT={tarball}: {error.strerror}") from None
    return os.environ.get("PJPROJECT_SHA256", COMPONENT_SHA256).lower()


def fetch() -> Path:
    """The source tarball: the user's own, the one in the cache, or Debian's component, checked."""
    if os.environ.get("PJPROJECT"):
        return Path(os.environ["PJPROJECT"])
    expected = source_sha256()
    path = cache_dir() / "source" / f"{expected}.tar.xz"
    if path.exists() and sha256(path) == expected:
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="aircall-apt-") as folder:
        apt = private_apt(Path(folder))
        say("asking Debian for the source")
        result = subprocess.run(
            [*apt, "source", "--print-uris", "asterisk"], text=True, capture_output=True, check=False
        )
        found = re.search(r"^'(\S+)' (\S+\.orig-Xpjproject\.tar\.\w+) (\d+) SHA256:(\w+)", result.stdout, re.MULTILINE)
        if not found:
            raise BuildError(f"Debian's source package asterisk was not found:\n{result.stderr.strip()}\n{OWN_TARBALL}")
        uri, name, size, actual = found.groups()
        if actual != expected:
            raise BuildError(
                f"Debian's source has moved on: {name} has the SHA-256\n    {actual}\n"
                f"but this project was tested with\n    {expected} (pjproject {PJ_VERSION}).\n{OWN_TARBALL}\n"
                f"If you trust Debian's new one:  make pjsua2 PJPROJECT_SHA256={actual}"
            )
        say(f"downloading {name} ({int(size) / 1e6:.1f} MB)")
        partial = Path(folder) / "source"
        helper = ["/usr/lib/apt/apt-helper", *apt[1:], "download-file", uri, str(partial), f"SHA256:{expected}"]
        result = subprocess.run(helper, text=True, capture_output=True, check=False)
        if result.returncode or not partial.exists() or sha256(partial) != expected:
            raise BuildError(f"the download failed:\n{result.stderr.strip()}\n{OWN_TARBALL}")
        shutil.copyfile(partial, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)
    return path


OWN_TARBALL = (
    f"To build without Debian's source, download the tarball of pjproject {PJ_VERSION} from its project page, then:\n"
    f"    make pjsua2 PJPROJECT=/path/to/pjproject-{PJ_VERSION}.tar.gz"
)


def private_apt(folder: Path) -> list[str]:
    """`apt-get` with its own source list, index and cache: the system's stay as they are, and no root is needed."""
    if not shutil.which("apt-get"):
        raise BuildError(f"this system has no apt.\n{OWN_TARBALL}")
    mirror = os.environ.get("AIRCALL_DEBIAN_MIRROR") or system_mirror()
    if not mirror:
        raise BuildError(
            "apt on this system knows no Debian mirror (on Ubuntu it cannot). Name one in AIRCALL_DEBIAN_MIRROR,\n"
            f"with the package debian-archive-keyring installed.\n{OWN_TARBALL}"
        )
    keyring = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
    signed = f"[signed-by={keyring}] " if keyring.exists() else ""
    (folder / "sources.list").write_text(f"deb-src {signed}{mirror} sid main\n")
    for name in ("lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    apt = [
        "apt-get", "-q", "-o", f"Dir::Etc::SourceList={folder}/sources.list", "-o", "Dir::Etc::SourceParts=/dev/null",
        "-o", f"Dir::State::Lists={folder}/lists", "-o", f"Dir::Cache={folder}/cache", "-o", "APT::Sandbox::User=",
    ]  # fmt: skip
    result = subprocess.run([*apt, "update"], text=True, capture_output=True, check=False)
    if result.returncode:
        raise BuildError(f"apt could not read Debian's source index:\n{result.stderr.strip()}\n{OWN_TARBALL}")
    return apt


def system_mirror() -> str | None:
    """The mirror from which this system takes Debian itself (not its security updates)."""
    command = ["apt-get", "indextargets", "--format", "$(ORIGIN) $(LABEL) $(REPO_URI)", "Created-By: Packages"]
    lines = subprocess.run(command, text=True, capture_output=True, check=False).stdout.splitlines()
    mirrors = [line.split()[2] for line in lines if line.startswith("Debian Debian ")]
    return mirrors[0] if mirrors else mirror_from_lists()


def mirror_from_lists() -> str | None:
    """The same from the source lists, when apt has not downloaded an index yet (a bare container)."""
    for path in [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]:
        if path.suffix in (".list", ".sources") and path.is_file():
            for address in re.findall(r"(?:^URIs:|^deb(?: \[[^]]*\])?)\s+(\S+)", path.read_text(), re.MULTILINE):
                if address.rstrip("/").endswith("/debian"):
                    return str(address)
    return None


# ---- the build


def build() -> Path:
    """Build the wheel into the cache. Another build of the same wheel is waited for rather than repeated."""
    install_packages()
    target = wheel_path()
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(target.parent / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if target.exists():
            return target
        started = time.monotonic()
        archive = fetch()
        log = target.parent / "build.log"
        with tempfile.TemporaryDirectory(prefix="aircall-pjsua2-") as folder, open(log, "w") as output:
            tree = unpack(archive, Path(folder))
            try:
                compile_tree(tree, output)
            except subprocess.CalledProcessError as error:
                output.flush()
                tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
                raise BuildError(
                    f"{shlex.join(map(str, error.cmd))[:120]} failed:\n{tail}\nAll of it is in {log}"
                ) from None
            write_wheel(tree / "pjsip-apps/src/swig/python", target)
        say(f"built in {time.monotonic() - started:.0f} s: {target}")
        return target


def unpack(archive: Path, folder: Path) -> Path:
    say("unpacking")
    try:
        with tarfile.open(archive) as tar:
            if hasattr(tarfile, "data_filter"):
                tar.extractall(folder, filter="data")
            else:  # Python 3.11 before 3.11.4; the archive was checked, or is the user's own
                tar.extractall(folder)
    except (tarfile.TarError, OSError) as error:
        raise BuildError(f"{archive} is not a source tarball: {error}") from None
    versions = list(folder.glob("*/version.mak"))
    if not versions:
        raise BuildError(f"{archive} is not pjproject: it has no version.mak")
    text = versions[0].read_text()
    numbers = re.findall(r"^export PJ_VERSION_(?:MAJOR|MINOR|REV|SUFFIX) *:= *(\S+)", text, re.MULTILINE)
    if ".".join(numbers) != PJ_VERSION:
        raise BuildError(f"{archive} holds pjproject {'.'.join(numbers)}; this project is tested with {PJ_VERSION}.")
    return versions[0].parent


def compile_tree(tree: Path, log: TextIO) -> None:
    (tree / "pjlib/include/pj/config_site.h").write_text(CONFIG_SITE)
    environment = {**os.environ, "CFLAGS": CFLAGS, "CXXFLAGS": CFLAGS}
    for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):  # this build is not a part of the make that called it
        environment.pop(name, None)
    # Debian leaves out a Windows sound driver for its licence, which the Makefile still lists.
    if not (tree / "pjmedia/src/pjmedia-audiodev/bdimad_dev.c").exists():
        makefile = tree / "pjmedia/build/Makefile"
        makefile.write_text(makefile.read_text().replace("bdimad_dev.o", ""))
    say("configuring")
    run(["./configure", *CONFIGURE], tree, log, environment)
    for needed in ("PJMEDIA_HAS_OPUS_CODEC 1", "PJ_HAS_SSL_SOCK 1"):
        headers = "".join(p.read_text() for p in tree.glob("pj*/include/pj*/**/*auto.h"))
        if needed not in re.sub(r"[ \t]+", " ", headers):
            raise BuildError(f"configure found no {needed.split()[0]}: is {', '.join(HEADERS.values())} complete?")

    # The libraries and the bindings need only each other's headers: they are compiled side by side, then linked.
    swig = tree / "pjsip-apps/src/swig/python"
    jobs = max(1, (os.cpu_count() or 2) - 1)
    with ThreadPoolExecutor(1) as side:
        wrapper = side.submit(compile_wrapper, swig, log, environment)
        run(["make", f"-j{jobs}", "lib"], tree, log, environment, OBJECTS)
        if not wrapper.done():
            say("compiling the Python bindings")
        wrapper.result()
    say("linking")
    flags = helper(swig, "ldflags") + [f"-l{name}" for name in helper(swig, "libs")]
    module = "_pjsua2" + sysconfig.get_config_var("EXT_SUFFIX")
    run(["g++", "-shared", "-Wl,-z,relro,-z,now", "wrap.o", "-o", module, *flags], swig, log, environment)
    run(["strip", "--strip-unneeded", module], swig, log, environment)


def compile_wrapper(swig: Path, log: TextIO, environment: dict[str, str]) -> None:
    flags = re.search(r"^SWIG_FLAGS=((?:.*\\\n)*.*)", (swig / "Makefile").read_text(), re.MULTILINE)
    if not flags:
        raise BuildError("the bindings' Makefile has no SWIG_FLAGS: this tarball is laid out differently.")
    includes = [part for part in flags[1].replace("\\\n", " ").split() if part.startswith("-I")]
    run(
        ["swig", *includes, "-c++", "-w312", "-threads", "-python", "-o", "wrap.cpp", "../pjsua2.i"],
        swig,
        log,
        environment,
    )
    python = "-I" + sysconfig.get_path("include")
    options = [*helper(swig, "cflags"), *WRAPPER_FLAGS.split(), python]
    run(["g++", *options, "-c", "wrap.cpp", "-o", "wrap.o"], swig, log, environment)


def helper(swig: Path, target: str) -> list[str]:
    command = ["make", "--no-print-directory", "-f", "helper.mak", target]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(command, cwd=swig, env=environment, text=True, capture_output=True, check=True).stdout.split()


def run(command: list[str], cwd: Path, log: TextIO, environment: dict[str, str], objects: int = 0) -> None:
    """Run a step with its output in the log; with `objects`, show how many of so many files are compiled."""
    log.write(f"\n$ {shlex.join(command)}\n")
    log.flush()
    with subprocess.Popen(
        command, cwd=cwd, env=environment, text=True, errors="replace", stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        done = shown = 0
        try:
            for line in process.stdout:
                log.write(line)
                if objects and "-c -o" in line:
                    done += 1
                    percent = min(99, done * 100 // objects)
                    if percent >= shown + (1 if sys.stdout.isatty() else 10):
                        shown = percent
                        say(f"compiling pjproject: {percent} %", passing=True)
        except BaseException:
            process.terminate()
            raise
    log.flush()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)


# ---- the wheel


def write_wheel(folder: Path, target: Path) -> None:
    """Pack the two modules (PEP 427). It links to this system's OpenSSL, Opus and SRTP, so it stays on this machine."""
    name, version, python, abi, system = target.name.removesuffix(".whl").split("-")
    info = f"{name}-{version}.dist-info"
    metadata = (
        f"Metadata-Version: 2.1\nName: {DISTRIBUTION}\nVersion: {version}\n"
        f"Summary: pjproject {PJ_VERSION} with its Python bindings, built for this console\nLicense: GPL-2.0-or-later\n"
    )
    tag = f"Wheel-Version: 1.0\nGenerator: aircall\nRoot-Is-Purelib: false\nTag: {python}-{abi}-{system}\n"
    module = "_pjsua2" + sysconfig.get_config_var("EXT_SUFFIX")
    files = {
        "pjsua2.py": (folder / "pjsua2.py").read_bytes(),
        module: (folder / module).read_bytes(),
        f"{info}/METADATA": metadata.encode(),
        f"{info}/WHEEL": tag.encode(),
        f"{info}/COPYING": (folder / "../../../../COPYING").read_bytes(),
    }
    record = "".join(f"{path},{_record_hash(data)},{len(data)}\n" for path, data in files.items())
    files[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\n").encode()
    partial = target.with_suffix(".part")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    partial.replace(target)


def _record_hash(data: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def install(wheel: Path) -> None:
    """Put the wheel into the Python that runs this, unless it is there already, and try it."""
    version = wheel.name.split("-")[1]
    question = f"import importlib.metadata as m; raise SystemExit(m.version('{DISTRIBUTION}') != '{version}')"
    if subprocess.run([sys.executable, "-c", question], stderr=subprocess.DEVNULL, check=False).returncode:
        pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--force-reinstall", str(wheel)]
        if subprocess.run(pip, check=False).returncode:
            raise BuildError(f"pip could not install {wheel}")
    result = subprocess.run([sys.executable, "-c", PROBE], text=True, capture_output=True, check=False)
    # The last line: before its configuration is read, the library itself writes to standard output.
    found = re.search(rf"^({re.escape(PJ_VERSION)}) (\d+)$", result.stdout, re.MULTILINE)
    if result.returncode or not found:
        raise BuildError(f"the built module does not start:\n{result.stdout}{result.stderr.strip()}")
    version, calls = found.groups()
    say(f"pjproject {version}, {calls} calls a process, is installed in {sys.prefix}")


# Starts the library for real. Its limit of calls is not bound to Python; the module exports the C function.
PROBE = """
import ctypes, os, sys
import _pjsua2, pjsua2
endpoint = pjsua2.Endpoint(); endpoint.libCreate()
config = pjsua2.EpConfig(); config.logConfig.level = config.logConfig.consoleLevel = 0
endpoint.libInit(config)
print(endpoint.libVersion().full, ctypes.CDLL(_pjsua2.__file__).pjsua_call_get_max_count(), flush=True)
os._exit(0)
"""


def pypi_folder() -> Path:
    """A folder with PyPI's wheel, checked against its pinned hash: for tests beside our own build."""
    pins = Path(__file__).parents[2] / "requirements-sip.txt"
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    folder = cache_dir() / f"pypi-{python}-{sha256(pins)[:12]}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as partial:
            pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--require-hashes", "-r", str(pins)]
            if subprocess.run([*pip, "--target", partial], stdout=sys.stderr, check=False).returncode:
                raise BuildError("pip could not fetch the wheel that requirements-sip.txt names")
            shutil.copytree(partial, folder)
    return folder


def sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def say(text: str, passing: bool = False) -> None:
    """Report a step; a passing one is overwritten by the next on a terminal."""
    terminal = sys.stdout.isatty()
    print(
        f"\r\033[Kpjsua2: {text}" if terminal else f"pjsua2: {text}",
        end="" if passing and terminal else "\n",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
