"""The first screen: what the keys do on models, and on the versions of one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.core.approvals import Op
from stackroom.core.listing import listed
from stackroom.core.names import parse_model_name
from stackroom.core.settings import nearest
from stackroom.errors import NotFoundError, UsageError
from stackroom.tui.actions import BY_ID
from stackroom.tui.present import lists
from stackroom.tui.screens import recalled
from stackroom.tui.screens.change_keys import ChangeKeys
from stackroom.tui.screens.exporting import Exporting
from stackroom.tui.screens.lists import sortable
from stackroom.tui.screens.panes import PANES, PanesPage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stackroom.core.export import Format
    from stackroom.store.records import Model, Version


class BrowsePage(PanesPage, ChangeKeys, Exporting):
    """Models and versions, with everything that can be done there."""

    def action_act(self, id_: str) -> None:
        """A key; those of versions do nothing on models, and say so, and the preview gives the keys back first."""
        if id_ == "list_again":
            self.go_to(self.pane)
        elif self.pane not in BY_ID[id_].screens:
            self.say("open a model first: enter" if self.pane == "models" else "not here")
        else:
            self.act(id_)

    def do_open(self, *words: str) -> None:
        """A model's versions; a version; whatever was typed."""
        if words:
            self.browser.open_text(words[0])
        elif self.pane == "models" and self.models.cursor_key:
            self.show_model(self.models.cursor_key)
            self.go_to("versions")
        elif (version := self.version()) is not None:
            self.browser.open_version(version.ref)

    def do_back(self) -> None:
        """To the models."""
        self.go_to("models")

    def do_quit_here(self) -> None:
        """End the program."""
        self.app.exit()

    def do_next_pane(self) -> None:
        """The other list."""
        if self.pane == "versions":
            self.go_to("models")
        elif self.model or self.models.cursor_key:
            self.do_open()

    def do_pane_1(self) -> None:
        """The models."""
        self.go_to("models")

    def do_pane_2(self) -> None:
        """The versions of the cursor's model."""
        if self.pane == "models":
            self.do_open()
        else:
            self.go_to("versions")

    def do_pane_3(self) -> None:
        """The preview, shown if it was not."""
        self.preview_wanted = True
        self.arrange_panes()
        self.show_preview()
        shown = self.previews[1] if self.has_right else self.previews[0]
        self.set_focus(shown, scroll_visible=False)
        self.say("the keys scroll the preview; esc goes back to the list")

    def do_pane_4(self) -> None:
        """The cursor's version, or the newest one of the cursor's model."""
        model = self.browser.picture.models.get(self.models.cursor_key or "")
        version = self.version() if self.pane == "versions" else model.latest if model else None
        if version is not None:
            self.browser.open_version(version.ref)
        else:
            self.say(self.absent("no version here"), tone="warn")

    def do_zoom(self) -> None:
        """One list, or both."""
        self.zoomed = not self.zoomed
        if not self.zoomed and self.size.width < PANES:
            self.say(f"two panes need {PANES} columns")
        self.arrange_panes()
        self.show_bars()

    def do_preview(self) -> None:
        """Show or hide the preview."""
        self.preview_wanted = not self.previews[1].display
        if self.focused in self.previews:
            self.go_to(self.pane)
        self.arrange_panes()
        self.show_preview()

    def do_archived(self) -> None:
        """Show or hide what is archived."""
        self.archived = not self.archived
        self.show_lists()

    def do_mark(self) -> None:
        """Mark and go down."""
        self.versions.action_mark()

    def do_mark_range(self) -> None:
        """Start or keep a range."""
        self.versions.action_mark_range()

    def do_unmark_all(self) -> None:
        """Forget the marks."""
        self.versions.action_unmark_all()

    def do_compare(self, *words: str) -> None:
        """What is marked, or the cursor against whoever holds the last stage."""
        if words:
            self.browser.compare_texts(words)
            return
        model = self.opened()
        marked = [int(key) for key in self.versions.marks if key.isdigit()]
        if model is None:
            self.say(self.absent(), tone="warn")
            return
        if len(marked) > 1:
            refs = [version.ref for number in sorted(marked) if (version := model.version(number))]
            self.browser.compare(refs)
            return
        version = self.version()
        if version is not None:
            self.browser.compare_with_holder(model, version)

    def do_move(self, *words: str) -> None:
        """Judge a move of the cursor's version."""
        if words:
            self.browser.move_text(words)
        elif (version := self.version()) is not None:
            self.browser.move(version.model, version.number)
        elif self.opened() is None:
            self.say(self.absent(), tone="warn")

    def do_rollback(self) -> None:
        """Judge a roll-back of the model."""
        name = self.model if self.pane == "versions" else self.models.cursor_key
        if name in self.browser.picture.models:
            self.browser.roll_back(name)
        elif name:
            self.say(f"{name} is gone", tone="warn")

    def chosen(self, *, marked: bool = True) -> list[str]:
        """The marked versions, or the cursor's row."""
        model = self.opened()
        if self.pane == "versions":
            numbers = sorted(int(key) for key in self.versions.marks if key.isdigit()) if marked and model else []
            refs = [str(found.ref) for number in numbers if model and (found := model.version(number))]
            version = self.version()
            refs = refs or ([str(version.ref)] if version else [])
            if not refs:
                self.say(self.absent("no version here"), tone="warn")
            return refs
        name = self.models.cursor_key
        if name and name not in self.browser.picture.models:
            self.say(f"{name} is gone", tone="warn")
            return []
        return [name] if name else []

    def do_new(self, *words: str) -> None:
        """A model."""
        self.browser.new_model(*words[:1])

    def do_register(self, *words: str) -> None:
        """A version of the model that is shown."""
        if self.model:
            self.browser.register(parse_model_name(self.model), " ".join(words))

    def do_undo(self) -> None:
        """Undo the last own move of the model."""
        name = self.model if self.pane == "versions" else self.models.cursor_key
        if name in self.browser.picture.models:
            self.browser.undo(name)
        elif name:
            self.say(f"{name} is gone", tone="warn")

    def do_approve(self, *words: str) -> None:
        """Say yes to the cursor's version."""
        self._speak(Op.APPROVE, words)

    def do_reject(self, *words: str) -> None:
        """Say no to the cursor's version."""
        self._speak(Op.REJECT, words)

    def _speak(self, op: Op, words: Sequence[str]) -> None:
        if words:
            self.browser.speak_text(op, words)
        elif (version := self.version()) is not None:
            self.browser.speak(op, version.ref)
        elif self.opened() is None:
            self.say(self.absent(), tone="warn")

    def model_shown(self) -> str | None:
        """The model whose versions have the keys."""
        return self.model if self.pane == "versions" else None

    def do_copy(self) -> None:
        """Ask what to copy."""
        version = self.version() if self.pane == "versions" else None
        if version is not None:
            self.browser.copy_of(self, str(version.ref), str(version.path))
        elif model := self.browser.picture.models.get(self.models.cursor_key or ""):
            self.browser.copy_of(self, model.name, str(model.path))

    def exporting(self) -> Callable[[Format], str]:
        """The models or versions that the filter lets through, in the order in which they stand."""
        model, keys, registry = self.opened(), self.shown.keys, self.browser.registry
        if self.shown.busy or (self.pane == "versions" and model is None):
            raise UsageError("still reading")
        if self.pane == "versions" and model is not None:
            return lambda form: listed(lists.of_versions(_versions(model, keys), model), form)
        models = self.browser.picture.models
        shown = [models[key] for key in keys if key in models]
        return lambda form: listed(lists.of_models(shown, registry.stages, registry.policy), form)

    def export_name(self) -> str:
        """What the list is of."""
        return f"{self.model}-versions" if self.pane == "versions" else "models"

    def sort_columns(self) -> Sequence[str]:
        """The columns that can be sorted by, without the words before the colon."""
        return [key.partition(":")[2] or key for key in sortable(self.table.columns)]

    def do_sort(self, *words: str) -> None:
        """The next column, or the one that was typed."""
        keys = sortable(self.table.columns)
        if words:
            name = words[0].removeprefix("-")
            if not any(name in {key, key.partition(":")[2]} for key in keys):
                self.say(f"no column {name}; there are {', '.join(self.sort_columns())}", tone="warn")
                return
            view, policy = self.view, self.browser.registry.policy
            view.sort_by(next(key for key in keys if name in {key, key.partition(":")[2]}), policy)
            view.descending = view.descending != words[0].startswith("-")
        elif keys:
            self.view.sort_by_next(keys, self.browser.registry.policy)
        self.show_lists()

    def do_reverse(self) -> None:
        """The other way around."""
        self.view.descending = not self.view.descending
        self.show_lists()

    def do_view(self, *words: str) -> None:
        """A saved view, or the list of them."""
        if not words:
            self.browser.choose_view()
            return
        view = next((one for one in self.browser.views() if one.name == words[0]), None)
        if view is None:
            known = [one.name for one in self.browser.views()]
            raise NotFoundError(f"there is no view {words[0]}{nearest(words[0], known)}", hint="save one: :save NAME")
        recalled.show_view(self, view)

    def do_save(self, *words: str) -> None:
        """Save how the list is shown."""
        if words:
            self.browser.save_view(recalled.view_now(self, words[0]))
        else:
            self.ask(":", "save ")

    def do_forget(self, *words: str) -> None:
        """Take a saved view away."""
        if words:
            self.browser.forget_view(words[0])
        else:
            self.ask(":", "forget ")


def _versions(model: Model, keys: Sequence[str]) -> list[Version]:
    """The versions of these rows; a holder whose folder is gone is none."""
    by_key = {str(version.number): version for version in model.versions}
    return [by_key[key] for key in keys if key in by_key]
