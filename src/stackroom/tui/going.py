"""Where one can go: what a reference names, and the screen that shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import App

from stackroom.core.names import Ref, parse_ref, version_ref
from stackroom.errors import NotFoundError, UsageError
from stackroom.tui.present.help import help_lines
from stackroom.tui.present.move import refusal
from stackroom.tui.screens.compare import ComparePage
from stackroom.tui.screens.move import MovePage
from stackroom.tui.screens.page import Page
from stackroom.tui.screens.text import TextPage
from stackroom.tui.screens.version import VersionPage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stackroom.core.names import ModelName
    from stackroom.registry.facade import Registry
    from stackroom.store.records import Model, Version
    from stackroom.tui.actions import Screen
    from stackroom.tui.glyphs import Glyphs
    from stackroom.tui.keymap import Keymap
    from stackroom.tui.picture import Picture
    from stackroom.tui.present.words import Line
    from stackroom.tui.screens.browse import BrowsePage


class Going(App[None]):
    """The screens of one registry, one on top of the other."""

    registry: Registry
    picture: Picture
    glyphs: Glyphs
    keymap: Keymap
    _browse: BrowsePage

    @property
    def page(self) -> Page | None:
        """The screen that is shown."""
        top = self.screen if self.screen_stack else None
        return top if isinstance(top, Page) else None

    def open_text(self, text: str) -> None:
        """Open what a reference names.

        Raises:
            RegistryError: it names nothing.
        """
        ref = self._resolved(text)
        if ref.kind == "model":
            while self.page is not self._browse:
                self.pop_screen()
            self._browse.open_ref(ref)
        else:
            self.open_version(ref)

    def _resolved(self, text: str) -> Ref:
        """A reference by number; stages and labels are looked up in the picture, not on the disk."""
        ref = parse_ref(text)
        model = self.picture.opened.get(ref.model) or self.picture.models.get(ref.model)
        if model is None:
            raise NotFoundError(f"there is no model {ref.model}")
        number = ref.number
        match ref.kind:
            case "model":
                return ref
            case "latest":
                number = model.latest.number if model.latest else None
            case "stage":
                held = model.holding(ref.value)
                number = held.number if held else None
            case "label":
                number = next((one.number for one in model.versions if ref.value in one.labels), None)
            case "number":
                pass
        if number is None:
            raise NotFoundError(f"there is no version {ref}")
        return version_ref(ref.model, number)

    def open_version(self, ref: Ref) -> None:
        """The screen of a version."""
        self.push_screen(VersionPage(ref))

    def show_text(self, title: str, lines: Sequence[Line]) -> None:
        """A text to read."""
        self.push_screen(TextPage(title, lines))

    def show_help(self, scope: Screen) -> None:
        """The keys of a screen."""
        self.show_text("help", help_lines(scope, self.glyphs, keys=self.keymap.keys))

    def explain_read_only(self, doing: str) -> None:
        """Why the caller may change nothing, and whom to ask."""
        lacking = self.picture.read_only
        if lacking is not None:
            self.show_text("read-only", refusal(lacking.refusal(doing, you=self.registry.who)))

    def holder_of(self, name: str) -> Version | None:
        """Who holds the last stage of a model."""
        model = self.picture.opened.get(name) or self.picture.models.get(name)
        last = self.registry.policy.last_stage
        held = model.holding(last) if model and last else None
        return model.version(held.number) if model and held and held.number is not None else None

    def compare(self, refs: Sequence[Ref]) -> None:
        """The screen of a comparison."""
        self.push_screen(ComparePage(refs))

    def compare_texts(self, texts: Sequence[str]) -> None:
        """The same, for what was typed.

        Raises:
            RegistryError: it names nothing, or only one version.
        """
        refs = [self._resolved(text) for text in texts]
        if len(refs) < 2 or any(ref.kind == "model" for ref in refs):
            raise UsageError("a comparison needs two versions, such as fraud:6 fraud:7")
        self.compare(refs)

    def compare_with_holder(self, model: Model, version: Version) -> None:
        """A version against whoever holds the last stage.

        Raises:
            NotFoundError: nobody else does.
        """
        holder = self.holder_of(model.name)
        if holder is None or holder.number == version.number:
            raise NotFoundError(
                f"nobody else holds {self.registry.policy.last_stage or 'a stage'}", hint="mark two with space"
            )
        self.compare([holder.ref, version.ref])

    def move(self, model: ModelName, number: int, stage: str | None = None) -> None:
        """The screen of a move."""
        self._check_policy()
        self.push_screen(MovePage(model, number, stage))

    def move_text(self, words: Sequence[str]) -> None:
        """The same, for what was typed.

        Raises:
            RegistryError: it names no version, or no stage.
        """
        ref = self._resolved(words[0])
        if ref.number is None:
            raise UsageError("name a version and a stage, such as fraud:7 production")
        stage = self.registry.check_stage(words[1]) if len(words) > 1 else None
        self.move(ref.model, ref.number, stage)

    def roll_back(self, name: str) -> None:
        """The screen of a roll-back."""
        self._check_policy()
        self.push_screen(MovePage(parse_ref(name).model, None))

    def _check_policy(self) -> None:
        """Nothing moves while ``registry.toml`` is wrong.

        Raises:
            InvalidInputError: it is; names file, line and key.
        """
        if self.registry.policy_error is not None:
            raise self.registry.policy_error
