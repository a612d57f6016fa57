"""The ledger's signing key, signed checkpoints and changes of the key (C2SP tlog-checkpoint on signed-note)."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from govcloud.errors import InputError, IntegrityError, OutsideError
from govcloud.ledger import verify
from govcloud.model.ledger import Checkpoint, HashName
from govcloud.model.text import Text

KEY_FILES: dict[HashName, str] = {"sha256": "ledger_ed25519", "sm3": "ledger_sm2"}
VKEY_FILES: dict[HashName, str] = {hashes: f"{name}.vkey" for hashes, name in KEY_FILES.items()}
_NEXT = ".next"


class PrivateKey(Protocol):
    @property
    def kind(self) -> bytes:
        """Signature type of C2SP signed-note."""

    @property
    def public(self) -> bytes: ...

    def sign(self, data: bytes) -> bytes: ...

    def pem(self) -> bytes:
        """PKCS #8, as `openssl` reads it."""


@dataclass(frozen=True, slots=True, repr=False)
class Ed25519Key:
    """`repr` is off, so that no traceback or log shows the key."""

    key: Ed25519PrivateKey
    kind = verify.ED25519_TYPE

    @property
    def public(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    def sign(self, data: bytes) -> bytes:
        return self.key.sign(data)

    def pem(self) -> bytes:
        form = serialization.PrivateFormat.PKCS8
        return self.key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Signs notes in the ledger's name."""

    name: str
    """Origin of the log, `govcloud/<site>/<8 hex digits of the first public key's digest>`; also the name of its keys."""
    key: PrivateKey

    @property
    def vkey(self) -> str:
        """The verifier key as C2SP signed-note writes it: `name+hash+base64(type || public key)`."""
        data = self.key.kind + self.key.public
        return f"{self.name}+{verify.key_id(self.name, data).hex()}+{base64.b64encode(data).decode()}"

    def sign(self, text: str, also: Signer | None = None) -> str:
        """A signed note; `text` ends with a newline. `also`: a second signature, of the key that takes this one's place."""
        return "\n".join([text, *(signer._line(text) for signer in (self, also) if signer), ""])

    def _line(self, text: str) -> str:
        signature = bytes.fromhex(self.vkey.split("+")[1]) + self.key.sign(text.encode())
        return f"— {self.name} {base64.b64encode(signature).decode()}"


def load_signer(keys: Path, site: str, *, last: Checkpoint | None, hashes: HashName = "sha256") -> Signer:
    """The key in the folder `keys`, made (mode 0600) where nothing was signed yet. `last`: the newest checkpoint.

    Raises IntegrityError for a key that must exist and is missing or another one, InputError for one that others can read or
    that is of another kind.
    """
    path = keys / KEY_FILES[hashes]
    _finish_rotation(keys, path, last, hashes)
    if not path.exists():
        if last is not None:
            raise IntegrityError(
                Text(
                    "台账签名私钥不见了，而此前已签过检查点",
                    "The ledger's signing key is gone, yet checkpoints were signed",
                ),
                where=str(path),
                next_step=Text(
                    "从备份恢复该文件，不要另造新钥", "Restore the file from a backup; do not make another key"
                ),
            )
        with suppress(FileExistsError):  # two processes make a key at once: one wins for both
            _save(path, _generate(hashes))
    key = _load(path, hashes)
    digest = hashlib.sha256(key.public).hexdigest()
    signer = Signer(name=last.note.partition("\n")[0] if last else f"govcloud/{site}/{digest[:8]}", key=key)
    if last is not None and not _names(last, signer):
        raise IntegrityError(
            Text("台账上一个检查点不是用这把私钥签的", "The last checkpoint was not signed with this key"),
            where=str(path),
            next_step=Text("从备份恢复当时的私钥", "Restore the key of that time from a backup"),
        )
    public = keys / VKEY_FILES[hashes]
    if not public.exists() or public.read_bytes() != f"{signer.vkey}\n".encode():
        _write(public, f"{signer.vkey}\n".encode(), 0o644)
    return signer


def make_next(keys: Path, signer: Signer, hashes: HashName) -> Signer:
    """The key that is to take the place of `signer`, in a file beside it until the ledger has a checkpoint of both."""
    path = keys / (KEY_FILES[hashes] + _NEXT)
    path.unlink(missing_ok=True)  # of a change that was not finished: nothing was ever signed with it
    _save(path, _generate(hashes))
    return Signer(name=signer.name, key=_load(path, hashes))


def _finish_rotation(keys: Path, path: Path, last: Checkpoint | None, hashes: HashName) -> None:
    """A new key lies there: it counts from the moment when the ledger has a checkpoint that it signed."""
    new = path.with_name(path.name + _NEXT)
    if last is None or not is_rotation(last) or not new.exists():
        return
    if _names(last, Signer(name=last.note.partition("\n")[0], key=_load(new, hashes))):
        os.replace(new, path)  # noqa: PTH105


def _names(checkpoint: Checkpoint, signer: Signer) -> bool:
    """Its last signature line, where the newer of two keys stands, has this key's id. Whether it holds is for the verifier to say."""
    lines = _signatures(checkpoint)
    return bool(lines) and base64.b64decode(lines[-1].rpartition(" ")[2])[:4].hex() == signer.vkey.split("+")[1]


def _signatures(checkpoint: Checkpoint) -> list[str]:
    return re.findall(r"(?m)^— \S+ [A-Za-z0-9+/]{8,}={0,2}$", checkpoint.note)


def is_rotation(checkpoint: Checkpoint) -> bool:
    """Signed by two keys: the record before it tells of the change."""
    return len(_signatures(checkpoint)) == 2


def _generate(hashes: HashName) -> PrivateKey:
    if hashes == "sha256":
        return Ed25519Key(Ed25519PrivateKey.generate())
    from govcloud.ledger.sm2 import generate_key

    return generate_key()


def _load(path: Path, hashes: HashName) -> PrivateKey:
    # The layers above check modes of SSH keys with govcloud.access; this key follows the same rule.
    if path.stat().st_mode & 0o077:
        raise InputError(
            Text("私钥文件他人可读，拒绝使用", "Refused: others can read the private key"),
            where=str(path),
            next_step=Text("运行 chmod 600 {key}", "Run chmod 600 {key}").format(key=path),
        )
    try:
        if hashes == "sm3":
            from govcloud.ledger.sm2 import parse_key

            return parse_key(path.read_bytes())
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, OSError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        kind = "SM2" if hashes == "sm3" else "Ed25519"
        raise InputError(Text("不是 {kind} 私钥", "Not a private key of {kind}").format(kind=kind), where=str(path))
    return Ed25519Key(key)


def _save(path: Path, key: PrivateKey) -> None:
    """Raises FileExistsError where there is a key already."""
    _write(path, key.pem(), 0o600, may_replace=False)


def _write(path: Path, data: bytes, mode: int, *, may_replace: bool = True) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(descriptor)
        # link() refuses to replace: of two processes that make a key at once, one key wins for both.
        (os.replace if may_replace else os.link)(temporary, path)
    except FileExistsError:
        raise
    except OSError as error:
        raise OutsideError(
            Text("无法保存台账密钥：{why}", "The ledger's key can't be saved: {why}").format(why=error.strerror),
            where=str(path),
            next_step=Text("检查权限和磁盘空间", "Check permissions and disk space"),
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def build_checkpoint(signer: Signer, size: int, root: bytes, *, also: Signer | None = None) -> Checkpoint:
    """`also`: the key that takes the signer's place from here on."""
    text = f"{signer.name}\n{size}\n{base64.b64encode(root).decode()}\n"
    return Checkpoint(size=size, root_hash=root.hex(), note=signer.sign(text, also))


def build_rotation(old: Signer, new: Signer, seq: int) -> str:
    """The statement that record `seq` tells of a change of keys, signed by both."""
    return old.sign(f"{verify.ROTATION_HEADER}\n{old.name}\n{seq}\n{old.vkey}\n{new.vkey}\n", new)
