"""Frozen records that cost nothing to declare: what ``dataclasses`` promises, without generating code.

The standard library writes the source of every method of every class and compiles it, at each start of the program:
0.7 ms a class, more than listing a small registry takes for the sixty classes that it loads, and 7 ms for the modules
that do it. Here all classes share their methods, which read the names of the fields. Type checkers see the standard
decorator, and the standard library's functions (``fields``, ``replace``, ``asdict``) take the classes for its own.
"""

from __future__ import annotations

from operator import attrgetter

__all__ = ["Unfolding", "dataclass", "field", "folded", "replace"]

TYPE_CHECKING = False
"""What type checkers take for true under this name; importing ``typing`` for it would cost 5 ms."""

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from dataclasses import dataclass, field, replace
    from typing import Any, TypeVar

    T = TypeVar("T")
else:

    def field(*, default_factory: Callable[[], Any]) -> Any:  # noqa: ANN401 - stands for a value of any type
        """A default that is made anew for every instance."""
        return _Made(default_factory)

    def dataclass(*, frozen: bool, slots: bool, kw_only: bool = False) -> Callable[[type], type]:
        """As the standard library's, for the one kind of class that there is here: frozen, with slots."""
        if not (frozen and slots):
            raise TypeError("records are frozen and have slots; for another class take the standard library's")
        return lambda given: _declared(given, kw_only=kw_only)

    def replace(instance: Any, /, **changes: Any) -> Any:  # noqa: ANN401 - as the standard library's
        """A copy with some fields changed; of a folded record a folded one."""
        kind = type(instance)
        if isinstance(instance, Unfolding) and (unfold := _set_values(instance, ("_unfold",)).get("_unfold")):
            return folded(kind, unfold, **(_set_values(instance, kind.__slots__) | changes))
        return kind(**(dict(zip(kind.__slots__, _values(instance), strict=True)) | changes))


class Unfolding:
    """The base of a record that may be made :func:`folded`: without its fields, until one of them is asked for.

    Folded or not, it compares, prints and copies as any other of its class: whatever looks at all fields unfolds them.
    Safe for several threads: unfolding twice puts equal values in.
    """

    __slots__ = ("_unfold",)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - a field of any type
        # Called only for a name without a value: there is no such field, or nobody has asked for it so far.
        if name == "_unfold" or name not in type(self).__slots__:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        values = self._unfold(name)
        for key, value in values.items():
            object.__setattr__(self, key, value)
        return values[name]


def folded(kind: type[T], unfold: Callable[[str], Mapping[str, Any]], /, **known: Any) -> T:  # noqa: ANN401 - as above
    """A record of an :class:`Unfolding` class that holds only what is known already.

    Args:
        kind: its class.
        unfold: for the name of a field that is not known, its value, and those of others that come with it.
        known: the fields that are.
    """
    made = kind.__new__(kind)
    put = object.__setattr__
    put(made, "_unfold", unfold)
    for name, value in known.items():
        put(made, name, value)
    return made


def _set_values(instance: object, names: tuple[str, ...]) -> dict[str, Any]:
    """The fields that have a value, without unfolding any."""
    found: dict[str, Any] = {}
    for name in names:
        try:
            found[name] = object.__getattribute__(instance, name)
        except AttributeError:
            continue
    return found


class _Made:
    """The default of a field that every instance gets one of its own of."""

    def __init__(self, factory: Callable[[], Any]) -> None:
        self.factory = factory


def _declared(given: type, *, kw_only: bool) -> type:
    names = tuple(given.__annotations__)
    body = {name: value for name, value in given.__dict__.items() if name not in {"__dict__", "__weakref__"}}
    defaults = {name: body.pop(name) for name in names if name in body}
    body |= {
        "__slots__": names,
        "_values_of": staticmethod(_getter(names)),
        "__match_args__": () if kw_only else names,
        "__dataclass_fields__": _Twin(names, defaults, kw_only=kw_only),
        "__signature__": _Twin(names, defaults, kw_only=kw_only),
        "__setattr__": _refuse,
        "__delattr__": _refuse,
        "__getstate__": _state,
        "__setstate__": _set_state,
    }
    for name, method in (("__repr__", _repr), ("__eq__", _equal), ("__hash__", _hash)):
        body.setdefault(name, method)
    made = type(given)(given.__name__, given.__bases__, body)
    setters = tuple((name, getattr(made, name).__set__) for name in names)
    made.__init__ = _initialiser(given.__name__, setters, defaults, positional=() if kw_only else names)  # type: ignore[misc]  # it is not called
    return made


def _getter(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda instance: tuple(getattr(instance, name) for name in names)


def _initialiser(
    title: str,
    setters: tuple[tuple[str, Callable[[Any, Any], None]], ...],
    defaults: dict[str, Any],
    *,
    positional: tuple[str, ...],
) -> Callable[..., None]:
    def __init__(self: Any, /, *args: Any, **given: Any) -> None:  # noqa: ANN401, N807 - the method of any class
        if args:
            if len(args) > len(positional):
                raise TypeError(f"{title}() takes {len(positional)} positional arguments, and {len(args)} were given")
            for name, value in zip(positional, args, strict=False):
                if name in given:
                    raise TypeError(f"{title}() got multiple values for argument {name!r}")
                given[name] = value
        left = len(given)
        for name, put in setters:
            if name in given:
                put(self, given[name])
                left -= 1
            elif name in defaults:
                value = defaults[name]
                put(self, value.factory() if type(value) is _Made else value)
            else:
                raise TypeError(f"{title}() is missing the argument {name!r}")
        if left:
            unknown = next(name for name in given if name not in dict(setters))
            raise TypeError(f"{title}() got an unexpected argument {unknown!r}")

    return __init__


def _values(instance: Any) -> tuple[Any, ...]:  # noqa: ANN401 - of any class made here
    values: tuple[Any, ...] = instance._values_of(instance)  # noqa: SLF001 - every class made here has it
    return values


def _repr(self: Any) -> str:  # noqa: ANN401 - the same
    shown = ", ".join(f"{name}={value!r}" for name, value in zip(self.__slots__, _values(self), strict=True))
    return f"{type(self).__qualname__}({shown})"


def _equal(self: Any, other: object) -> bool:  # noqa: ANN401 - the same
    return _values(self) == _values(other) if type(self) is type(other) else NotImplemented


def _hash(self: Any) -> int:  # noqa: ANN401 - the same
    return hash(_values(self))


def _refuse(self: Any, name: str, value: object = None) -> None:  # noqa: ANN401, ARG001 - the same, for setting and deleting
    from dataclasses import FrozenInstanceError  # noqa: PLC0415 - only for a mistake

    raise FrozenInstanceError(f"{type(self).__name__} is frozen: cannot change {name!r}")


def _state(self: Any) -> tuple[Any, ...]:  # noqa: ANN401 - the same
    return _values(self)


def _set_state(self: Any, state: tuple[Any, ...]) -> None:  # noqa: ANN401 - the same
    for name, value in zip(self.__slots__, state, strict=True):
        object.__setattr__(self, name, value)


class _Twin:
    """What the standard library would know of a class, made when somebody asks for it."""

    def __init__(self, names: tuple[str, ...], defaults: dict[str, Any], *, kw_only: bool) -> None:
        self._names = names
        self._defaults = defaults
        self._kw_only = kw_only

    def __set_name__(self, owner: type, name: str) -> None:
        self._asked = name

    def __get__(self, instance: object, owner: type) -> Any:  # noqa: ANN401 - a dictionary of fields, or a signature
        import dataclasses  # noqa: PLC0415 - what this module is there to do without
        import inspect  # noqa: PLC0415 - the same

        defaults = {
            name: dataclasses.field(default_factory=value.factory) if type(value) is _Made else value
            for name, value in self._defaults.items()
        }
        body = {"__annotations__": owner.__annotations__, "__module__": owner.__module__, **defaults}
        twin: Any = dataclasses.dataclass(kw_only=self._kw_only)(type(owner.__name__, (), body))
        owner.__dataclass_fields__ = twin.__dataclass_fields__  # type: ignore[attr-defined]  # as the standard library does
        owner.__signature__ = inspect.signature(twin)  # type: ignore[attr-defined]  # the same
        return getattr(owner, self._asked)
