"""Where one can go: what a reference names, and the screen that shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.app import App

from stackroom.core.names import Ref, parse_ref, version_ref
from stackroom.errors import NotFoundError, UsageError
from stackroom.tui.actions import BY_ID
from stackroom.tui.bindings import key_text
from stackroom.tui.intents import Intent, last_own_move
from stackroom.tui.present.help import help_lines
from stackroom.tui.present.move import refusal
from stackroom.tui.present.vanished import vanished_lines
from stackroom.tui.screens.activity import ActivityPage
from stackroom.tui.screens.approve import ApprovePage
from stackroom.tui.screens.compare import ComparePage
from stackroom.tui.screens.doctor import DoctorPage
from stackroom.tui.screens.move import MovePage
from stackroom.tui.screens.page import JUDGED, Page
from stackroom.tui.screens.review import ReviewPage
from stackroom.tui.screens.search import SearchPage
from stackroom.tui.screens.text import TextPage
from stackroom.tui.screens.version import VersionPage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.screen import Screen as TextualScreen

    from stackroom.core.approvals import Op
    from stackroom.core.names import ModelName
    from stackroom.core.undoing import Undo
    from stackroom.registry.facade import Registry
    from stackroom.registry.remembering import Vanished
    from stackroom.store.records import Model, Version
    from stackroom.tui.actions import Action, Screen
    from stackroom.tui.background import Background
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
    vanished: tuple[Vanished, ...] = ()
    """Events that the user saw and that are gone, as last compared."""
    _browse: BrowsePage
    _work: Background
    _undo_asked_on: Page | None = None

    @property
    def _background_screens(self) -> list[TextualScreen[Any]]:
        # Textual's own name. Every page is opaque, yet Textual 8.2.8 counts the one below as seen through the one that
        # is shown, and paints all of it anew whenever a row of the hidden one changes.
        return []

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
        ref = self.resolved(text)
        if ref.kind == "model":
            self.check_written()
            while self.page is not self._browse:
                self.pop_screen()
            self._browse.open_ref(ref)
        else:
            self.open_version(ref)

    def check_written(self) -> None:
        """Nobody goes where the screens that hold something typed would go.

        Raises:
            UsageError: something is not written.
        """
        pages = (page for page in self.screen_stack if isinstance(page, Page))
        typed = next((words for page in pages if (words := page.unwritten())), "")
        if typed:
            raise UsageError(f"not written yet: {typed}", hint="q goes back, and asks what becomes of it")

    def resolved(self, text: str) -> Ref:
        """A reference by number; stages and labels are looked up in the picture, not on the disk."""
        ref = parse_ref(text)
        model = self.picture.models.get(ref.model)
        if model is None:
            if not self.picture.ready:
                raise NotFoundError(f"{ref.model} is not among the models that were read yet")
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
        self.show_text("help", help_lines(scope, self.glyphs, keys=self.keymap.keys, lacking=self.no_right))

    def no_right(self, action: Action) -> str:
        """Whom a caller who may change nothing would have to be for an action; nothing for everybody else."""
        lacking = self.picture.lacking(action.id) if action.writes and action.id not in JUDGED else None
        return f"read-only: needs {lacking.group or lacking.owner.label}" if lacking else ""

    def key_of(self, id_: str) -> str:
        """The key of an action, as people write it; its command where it has none."""
        keys = self.keymap.keys(BY_ID[id_])
        return key_text(keys[0]) if keys else f":{id_}"

    def explain_read_only(self, action: Action) -> None:
        """Why the caller may change nothing, and whom to ask."""
        lacking = self.picture.lacking(action.id)
        if lacking is not None:
            self.show_text("read-only", refusal(lacking.refusal(action.doing or action.label, you=self.registry.who)))

    def holder_of(self, name: str) -> Version | None:
        """Who holds the last stage of a model."""
        model = self.picture.models.get(name)
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
        refs = [self.resolved(text) for text in texts]
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
        self.push_screen(MovePage(Intent(model=model, number=number), stage))

    def move_text(self, words: Sequence[str]) -> None:
        """The same, for what was typed.

        Raises:
            RegistryError: it names no version, or no stage.
        """
        ref, number, stage = self._version_and_stage(words)
        self.move(ref.model, number, stage)

    def roll_back(self, name: str) -> None:
        """The screen of a roll-back."""
        self._check_policy()
        self.push_screen(MovePage(Intent(model=parse_ref(name).model)))

    def undo(self, name: str) -> None:
        """The screen that takes the caller's last own move of a model back, or why there is none."""
        self._check_policy()
        registry, self._undo_asked_on = self.registry, self.page
        self._work.run("undo", lambda _task: last_own_move(registry, name))

    def show_undo(self, undo: Undo) -> None:
        """The same, once it is known which move that is; not where somebody has gone on to do something else."""
        if self.page is self._undo_asked_on:
            self.push_screen(MovePage(Intent(model=undo.event.model, undo=undo), undo.event.stage))

    def speak(self, op: Op, ref: Ref, stage: str | None = None) -> None:
        """The screen of a yes or no."""
        self._check_policy()
        self.push_screen(ApprovePage(ref, op, stage))

    def speak_text(self, op: Op, words: Sequence[str]) -> None:
        """The same, for what was typed.

        Raises:
            RegistryError: it names no version, or no stage.
        """
        ref, _, stage = self._version_and_stage(words)
        self.speak(op, ref, stage)

    def _version_and_stage(self, words: Sequence[str]) -> tuple[Ref, int, str | None]:
        """The version that was typed, its number, and the stage where one was typed.

        Raises:
            RegistryError: it names no version, or no stage.
        """
        ref = self.resolved(words[0])
        if ref.number is None:
            raise UsageError("name a version and a stage, such as fraud:7 production")
        return ref, ref.number, self.registry.check_stage(words[1]) if len(words) > 1 else None

    def show_activity(self, model: str | None) -> None:
        """The screen of what happened, to one model or all."""
        self.push_screen(ActivityPage(model))

    def show_search(self, text: str) -> None:
        """The screen of a search through all versions."""
        self.push_screen(SearchPage(text))

    def show_review(self) -> None:
        """The screen of what needs attention."""
        self.push_screen(ReviewPage())

    def show_doctor(self) -> None:
        """The screen of what is not as it should be."""
        self.push_screen(DoctorPage())

    def show_vanished(self) -> None:
        """The events that this user saw and that are gone."""
        self.show_text("vanished", vanished_lines(self.vanished))

    def _check_policy(self) -> None:
        """Nothing moves while ``registry.toml`` is wrong.

        Raises:
            InvalidInputError: it is; names file, line and key.
        """
        if self.registry.policy_error is not None:
            raise self.registry.policy_error
