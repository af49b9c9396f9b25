"""Another process that changes a registry while somebody looks at it: honestly, and by planting what does not belong.

A line on its input is a deed; the answer is a line of JSON. ``register 17`` does it with the choices of seed 17.
"""

from __future__ import annotations

import json
import os
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stackroom.errors import RegistryError
from stackroom.registry.editing import Edit
from stackroom.registry.facade import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

HOSTILE: Final = "\x1b]52;c;aGk=\x07\u202eevil[/x][@click=app.quit]go\x9b31m\t"
"""Says something to a terminal, to somebody who reads from left to right, and to Textual's markup."""


class Meddler:
    """Somebody else, with a registry and dice."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.registry = Registry(root)
        self.dice = random.Random()  # noqa: S311  # dice, not a secret
        self.planted: list[str] = []
        self.policy = (root / "registry.toml").read_bytes()

    def answer(self, line: str) -> dict[str, object]:
        """Do one deed; what it was, what it refused, and what went wrong that never may."""
        name, _, rest = line.strip().partition(" ")
        self.dice.seed(rest)
        try:
            DEEDS[name](self)
        except RegistryError as refused:
            return {"deed": name, "refused": str(refused)}
        except OSError as error:
            # What is planted by hand finds its place taken now and then; what goes through the door never may.
            return {"deed": name, "refused": repr(error)} if name in PLANTING else {"deed": name, "wrong": repr(error)}
        except Exception as error:  # noqa: BLE001  # whoever sent the line has to hear of it
            return {"deed": name, "wrong": repr(error)}
        return {"deed": name}

    # ---- what one may choose from

    def model(self) -> str:
        return self.dice.choice([model.name for model in self.registry.models().models if not model.problems] or ["x"])

    def ref(self) -> str:
        model = self.registry.model(self.model())
        return f"{model.name}:{self.dice.choice([each.number for each in model.versions] or [1])}"

    def stage(self) -> str:
        return self.dice.choice(["staging", "production"])

    # ---- through the door

    def register(self) -> None:
        metrics = {"accuracy": self.dice.random(), "auc": self.dice.random(), "r2": self.dice.random()}
        said = {"description": f"by another {HOSTILE}", "tags": ["eu", HOSTILE[:40]]}
        self.registry.register(self.model(), __file__, metrics=metrics, metadata=said, card=f"# {HOSTILE}")

    def new(self) -> None:
        name = f"model-{self.dice.randrange(30)}"
        self.registry.new(name, metadata={"description": HOSTILE})
        self.registry.register(name, __file__, metrics={"auc": float(self.dice.randrange(2))})

    def edit(self) -> None:
        put = self.dice.choice([{"team": f"team {self.dice.random()}"}, {"license": "MIT"}, {"description": HOSTILE}])
        self.registry.edit(self.ref(), Edit(put=dict(put), reason=HOSTILE))

    def edit_all(self) -> None:
        for model in self.registry.models().models:
            for version in self.registry.model(model.name).versions[:6]:
                if not version.problems:
                    self.registry.edit(version.ref, Edit(put={"team": f"team {self.dice.random()}"}))

    def promote(self) -> None:
        self.registry.promote(self.ref(), self.stage(), reason="another's")

    def rollback(self) -> None:
        self.registry.rollback(self.model(), self.stage(), reason="another's")

    def clear(self) -> None:
        self.registry.clear(self.model(), self.stage(), reason="another's")

    def archive(self) -> None:
        self.registry.archive(self.ref(), reason="old", undo=self.dice.random() < 0.5)

    def delete(self) -> None:
        self.registry.delete(self.ref(), reason="another's")

    def restore(self) -> None:
        model = self.registry.model(self.model())
        self.registry.restore(f"{model.name}:{self.dice.randrange(1, 9)}")

    def label(self) -> None:
        self.registry.label(self.ref(), f"{self.dice.randrange(9)}.0.{self.dice.randrange(99)}")

    def say_yes(self) -> None:
        self.registry.approve(self.ref(), self.stage(), reason=HOSTILE)

    def say_no(self) -> None:
        self.registry.reject(self.ref(), self.stage(), reason="no")

    # ---- by hand

    def plant(self, place: str) -> Path:
        """A path below the root, which is remembered as not the product's."""
        self.planted.append(place)
        return self.root / place

    def folder(self) -> str:
        name = self.model()
        return self.dice.choice(["models", f"models/{name}", "stages/staging", "live/production", ".", "feed"])

    def foreign(self) -> None:
        name = self.dice.choice(["notes.txt", "Makefile", f"a{HOSTILE}", "-rf", "@", "1@", "x@y.toml", "007", "1e3"])
        self.plant(os.path.normpath(f"{self.folder()}/{name.replace('/', '_')}")).write_text(HOSTILE)

    def pipe(self) -> None:
        os.mkfifo(self.plant(f"models/{self.model()}/{self.dice.randrange(20, 90)}@1.toml"))

    def broken_revision(self) -> None:
        model = self.registry.model(self.model())
        if not model.versions:
            return
        version = self.dice.choice(model.versions)
        place = f"models/{model.name}/{version.number}@{version.revision + 1}.toml"
        junk = self.dice.choice([b"= broken", b"\xff\xfe", b"", b"a" * 70_000, b"x = " + b"[" * 500, b"format = 1\n"])
        path = self.plant(place)
        with path.open("xb") as file:
            file.write(junk)

    def forged_event(self) -> None:
        name, stage = self.model(), self.stage()
        number = 1 + max((event.number for event in self.registry.history(name, stage)), default=0)
        text = self.dice.choice(
            [
                f"to=1 by={os.geteuid()}:me at=2026-11-23T04:22:00Z event=elsewhere/{stage}/{name}@{number}",
                "to=999999999",
                "../../models",
                f"to=1%20{HOSTILE}",
            ]
        )
        os.symlink(text, self.plant(f"stages/{stage}/{name}@{number}"))

    def unreadable(self) -> None:
        path = self.plant(f"models/{self.model()}/{self.dice.randrange(100, 900)}")
        path.mkdir(mode=0)

    def broken_policy(self) -> None:
        self.set_policy(self.dice.choice([b"= broken", b"", b"format = 99\n", b"\xff", self.policy + b"\n[x"]))

    def mend_policy(self) -> None:
        self.set_policy(self.policy)

    def set_policy(self, content: bytes) -> None:
        new = self.root / ".registry.toml"
        new.write_bytes(content)
        new.replace(self.root / "registry.toml")

    def pointer(self) -> None:
        path = self.plant(f"live/{self.stage()}/{self.model()}")
        path.unlink(missing_ok=True)
        os.symlink(self.dice.choice(["/etc/passwd", "../../models/nobody/1", "."]), path)

    def hint(self) -> None:
        name = f"{self.dice.randrange(9)}-{HOSTILE.replace('/', '_')}"
        os.symlink(f"op=register ref={HOSTILE}", self.plant(f"feed/{name}"))

    def away(self) -> None:
        """A model is gone for a moment: its folder is renamed, and renamed back."""
        name = self.model()
        path = self.root / "models" / name
        hidden = path.with_name(f"{name}~")
        path.rename(hidden)
        self.registry.models()
        hidden.rename(path)

    def end(self) -> None:
        """The policy is what it was."""
        self.mend_policy()


PLANTING: Final = (
    *("foreign", "pipe", "broken_revision", "forged_event", "unreadable", "pointer", "hint", "away"),
    *("broken_policy", "mend_policy"),
)
HONEST: Final = (
    *("register", "new", "edit", "edit_all", "promote", "rollback", "clear", "archive", "delete", "restore"),
    *("label", "say_yes", "say_no"),
)
DEEDS: Final[dict[str, Callable[[Meddler], None]]] = {
    name: getattr(Meddler, name) for name in (*HONEST, *PLANTING, "end")
}


def main() -> None:
    """Do what the lines say until there are no more; then tell what was planted."""
    meddler = Meddler(Path(sys.argv[1]))
    for line in sys.stdin:
        sys.stdout.write(json.dumps(meddler.answer(line)) + "\n")
        sys.stdout.flush()
    sys.stdout.write(json.dumps({"planted": meddler.planted}) + "\n")


if __name__ == "__main__":
    main()
