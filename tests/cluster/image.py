"""The project's image, built from its own Dockerfile without a Docker engine, on a Python that Debian packages."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

from tests.cluster.stopwatch import Stopwatch

REPOSITORY_NAME = "localhost/rtms-pipeline"
PAUSE = "localhost/pause:1"
_SUITE = "bookworm"
_PACKAGES = "python3,python3-pip,python3-venv,ca-certificates"
_BASE_FILE = """\
FROM scratch
ADD base.tar /
RUN ln -sf python3 /usr/bin/python
CMD ["python3"]
"""
_PAUSE_FILE = 'FROM scratch\nCOPY pause /\nUSER 65535:65535\nENTRYPOINT ["/pause"]\n'
# What this machine fetches packages with; it does not become part of the image.
_FETCHING = ("/etc/pip.conf", "/etc/ssl/certs")


class ImageFailed(Exception):
    """A tool could not make an image; the text is what it said."""


class Images:
    """Made with buildah in a store of our own below `cache`."""

    def __init__(self, cache: Path, watch: Stopwatch) -> None:
        self._cache = cache
        self._watch = watch
        self.base = f"localhost/python:{_key()}"

    def build(self, tag: str, context: Path) -> str:
        """The image of a source tree, and what it stands on; its name."""
        self._cache.mkdir(parents=True, exist_ok=True)
        if not self._has(self.base):
            self._build_base()
        name = image_name(tag)
        with self._watch.step(f"building {name}"):
            volumes = [f"--volume={path}:{path}:ro" for path in _FETCHING if Path(path).exists()]
            arguments = ["--layers", "--network", "host", *volumes, "--build-arg", f"BASE={self.base}"]
            self._bud(name, *arguments, "-f", str(context / "deploy" / "docker" / "Dockerfile"), str(context))
        return name

    def build_pause(self, program: Path) -> str:
        """The image that holds a pod's namespaces; its name."""
        context = self._cache / "pause"
        context.mkdir(parents=True, exist_ok=True)
        shutil.copy(program, context / "pause")
        (context / "Dockerfile").write_text(_PAUSE_FILE)
        self._bud(PAUSE, str(context))
        return PAUSE

    def export(self, folder: Path, *names: str) -> list[Path]:
        """One archive for each, as containerd imports them."""
        files = []
        with self._watch.step("writing images for the node"):
            for number, name in enumerate(names):
                files.append(folder / f"image-{number}.tar")
                files[-1].unlink(missing_ok=True)
                self._buildah("push", "--quiet", name, f"docker-archive:{files[-1]}:{name}")
        return files

    def _build_base(self) -> None:
        context = self._cache / "base"
        context.mkdir(exist_ok=True)
        tar = context / "base.tar"
        with self._watch.step("bootstrapping a Debian with Python"):
            draft = context / "draft.tar"
            _run("mmdebstrap", "--quiet", "--variant=minbase", f"--include={_PACKAGES}", _SUITE, str(draft))
            draft.rename(tar)
        (context / "Dockerfile").write_text(_BASE_FILE)
        with self._watch.step("making the base image"):
            self._bud(self.base, str(context))
        tar.unlink()

    def _has(self, name: str) -> bool:
        return self._call("inspect", "--type", "image", name).returncode == 0

    def _bud(self, name: str, *arguments: str) -> None:
        self._buildah("bud", "--isolation", "chroot", "--tag", name, *arguments)

    def _buildah(self, *arguments: str) -> None:
        answer = self._call(*arguments)
        if answer.returncode != 0:
            raise ImageFailed(f"buildah {' '.join(arguments)}:\n{answer.stdout[-4000:]}{answer.stderr[-4000:]}")

    def _call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        # In a mount namespace of its own, because it would leave a mount of its store behind.
        store = ["--root", str(self._cache / "store"), "--runroot", str(self._cache / "store-run")]
        command = ["unshare", "--mount", "buildah", *store, "--storage-driver", "overlay", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)


def image_name(tag: str) -> str:
    """As containers name it."""
    return f"{REPOSITORY_NAME}:{tag}"


def _key() -> str:
    return hashlib.sha256(f"{_SUITE}{_PACKAGES}{_BASE_FILE}".encode()).hexdigest()[:12]


def _run(*command: str) -> None:
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise ImageFailed(f"{' '.join(command)}:\n{answer.stdout}{answer.stderr}")
