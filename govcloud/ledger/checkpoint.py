"""The ledger's signing key and signed checkpoints (C2SP tlog-checkpoint on signed-note, Ed25519)."""

from __future__ import annotations

import base64
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from govcloud.errors import InputError, IntegrityError, OutsideError
from govcloud.ledger.verify import key_id
from govcloud.model.ledger import Checkpoint
from govcloud.model.text import Text

KEY_FILE = "ledger_ed25519"
VKEY_FILE = "ledger_ed25519.vkey"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Signer:
    """Signs notes in the ledger's name. `repr` is off, so that no traceback or log shows the key."""

    name: str
    """Origin of the log, `govcloud/<site>/<8 hex digits of the public key's digest>`; also the key's name."""
    key: Ed25519PrivateKey

    @property
    def public(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    @property
    def vkey(self) -> str:
        """The verifier key as C2SP signed-note writes it: `name+hash+base64(0x01 || public key)`."""
        encoded = base64.b64encode(b"\x01" + self.public).decode()
        return f"{self.name}+{key_id(self.name, self.public).hex()}+{encoded}"

    def sign(self, text: str) -> str:
        """A signed note; `text` ends with a newline."""
        signature = key_id(self.name, self.public) + self.key.sign(text.encode())
        return f"{text}\n— {self.name} {base64.b64encode(signature).decode()}\n"


def load_signer(keys: Path, site: str, *, may_make: bool) -> Signer:
    """The key in the folder `keys`; made (mode 0600) when there is none and `may_make` holds.

    Raises IntegrityError for a missing key that must exist (checkpoints were signed before), InputError for one that
    others can read or that is no Ed25519 key.
    """
    path = keys / KEY_FILE
    if not path.exists():
        if not may_make:
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
        _make(path)
    # The layers above check modes of SSH keys with govcloud.access; this key follows the same rule.
    if path.stat().st_mode & 0o077:
        raise InputError(
            Text("私钥文件他人可读，拒绝使用", "Refused: others can read the private key"),
            where=str(path),
            next_step=Text("运行 chmod 600 {key}", "Run chmod 600 {key}").format(key=path),
        )
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, OSError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(Text("不是 Ed25519 私钥", "Not an Ed25519 private key"), where=str(path))
    digest = hashlib.sha256(key.public_key().public_bytes_raw()).hexdigest()
    signer = Signer(name=f"govcloud/{site}/{digest[:8]}", key=key)
    public = keys / VKEY_FILE
    if not public.exists():
        public.write_text(signer.vkey + "\n", "ascii")
    return signer


def _make(path: Path) -> None:
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(pem)
            stream.flush()
            os.fsync(descriptor)
        # link() refuses to replace: of two processes that make a key at once, one key wins for both.
        os.link(temporary, path)
    except FileExistsError:
        return
    except OSError as error:
        raise OutsideError(
            Text("无法保存签名私钥：{why}", "The signing key can't be saved: {why}").format(why=error.strerror),
            where=str(path),
            next_step=Text("检查权限和磁盘空间", "Check permissions and disk space"),
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def build_checkpoint(signer: Signer, size: int, root: bytes) -> Checkpoint:
    text = f"{signer.name}\n{size}\n{base64.b64encode(root).decode()}\n"
    return Checkpoint(size=size, root_hash=root.hex(), note=signer.sign(text))
