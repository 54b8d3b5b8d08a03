"""The settings of one server: config.yaml, its drop-ins, the environment and the arguments of its unit, merged as
RKE2 and k3s do.

Source: k3s pkg/configfilearg/parser.go. A later file replaces a key, `key+` appends to what was
gathered, the environment counts only for keys that no file has. Files become arguments in front of the unit's
own: of these the last counts, and lists go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from vipkeeper.config.tree import Entry, Node, Scalar, Sequence, Span
from vipkeeper.config.tree import Mapping as Tree
from vipkeeper.lint.document import Document, of_type
from vipkeeper.lint.keys import Key, KeyTable, Product, table
from vipkeeper.lint.kinds import K3S, SETTINGS, Kind
from vipkeeper.lint.parsers.command import arguments
from vipkeeper.lint.parsers.config_file import ConfigFile
from vipkeeper.lint.parsers.envfile import EnvFile
from vipkeeper.lint.parsers.systemd import Unit
from vipkeeper.lint.yaml11 import Meaning, resolve

_DROPINS = (Kind.RKE2_DROPIN, Kind.K3S_DROPIN)


@dataclass(frozen=True, slots=True)
class Value:
    """One value with the place it comes from."""

    text: str
    """As the program receives it (YAML 1.1)."""
    span: Span
    scalar: Scalar | None = None
    """As it is written in YAML; None for one part of a comma list, a mapping, an argument."""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Setting:
    """One key after merging."""

    name: str
    """Without a `+`, aliases replaced."""
    key: Key | None
    """What the product says about it; None: it does not know the key."""
    span: Span
    """The key that counts."""
    values: tuple[Value, ...]
    entry: Entry | None
    """The entry of the file that counts; None from the environment or an argument."""

    @property
    def value(self) -> Value | None:
        """What a key that takes one value gets: the last; None where it is empty."""
        return self.values[-1] if self.values and self.values[-1].text else None


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting of one server."""

    product: Product
    table: KeyTable
    by_name: Mapping[str, Setting]
    files: tuple[ConfigFile, ...]
    """In the order in which they are merged."""
    units: tuple[Unit, ...] = ()
    """Those that give arguments."""

    def __iter__(self) -> Iterator[Setting]:
        return iter(self.by_name.values())

    def __contains__(self, name: str) -> bool:
        return name in self.by_name

    def get(self, name: str) -> Setting | None:
        """A setting; None where it is not given."""
        return self.by_name.get(name)

    def value(self, name: str) -> Value | None:
        """The value of a key that takes one; None where it is missing or empty."""
        setting = self.by_name.get(name)
        return setting.value if setting else None

    def values(self, name: str) -> tuple[Value, ...]:
        """Every value of a list, comma lists split."""
        setting = self.by_name.get(name)
        return setting.values if setting else ()

    def text(self, name: str, default: str = "") -> str:
        """The value as text."""
        found = self.value(name)
        return found.text if found else default

    def is_true(self, name: str) -> bool:
        """Whether a switch is on."""
        return self.text(name).lower() in ("true", "1", "t")

    @property
    def is_part(self) -> bool:
        """Whether only drop-ins or a unit are at hand: what is missing may stand in config.yaml."""
        some = bool(self.files or self.units)
        return some and all(file.kind in _DROPINS for file in self.files)

    @property
    def is_whole(self) -> bool:
        """Whether there is a file of settings, or a unit that has them as arguments."""
        return bool(self.files) or any(not unit.is_dropin for unit in self.units)

    @property
    def start(self) -> Span | None:
        """The beginning of the first file, for findings about what is missing; None without one."""
        first: Document | None = next(iter((*self.files, *self.units)), None)
        return first.source.start if first is not None else None


def merge(documents: Iterable[Document]) -> Settings:
    """The settings in these documents of one server."""
    every = tuple(documents)
    relevant = [d for d in every if d.kind in SETTINGS]
    units = tuple(u for u in of_type(every, Unit) if arguments(u))
    product = Product.K3S if any(d.kind in K3S for d in relevant) else Product.RKE2
    if not relevant and any(unit.name.startswith("k3s") for unit in units):
        product = Product.K3S
    keys = table(product)
    files = sorted(of_type(relevant, ConfigFile), key=_order)
    merged: dict[str, Setting] = {}
    for file in files:
        for entry in file.root.entries:
            _apply(merged, keys, entry)
    for environment in of_type(relevant, EnvFile):
        _environment(merged, keys, environment)
    for unit in units:
        _arguments(merged, keys, arguments(unit))
    return Settings(product, keys, merged, tuple(files), units)


def _order(file: ConfigFile) -> tuple[bool, str]:
    dropin = file.kind in _DROPINS
    return dropin, file.source.file.rpartition("/")[2] if dropin else ""


def _apply(merged: dict[str, Setting], keys: KeyTable, entry: Entry) -> None:
    written = entry.key.text
    name = written.removesuffix("+")
    name = keys.aliases.get(name, name)
    key = keys.find(name)
    values = tuple(_values(entry.value, key))
    before = merged.get(name)
    if written.endswith("+") and before is not None:
        values = (*before.values, *values)
    merged[name] = Setting(name, key, entry.key.span, values, entry)


def _values(node: Node, key: Key | None) -> Iterator[Value]:
    for item in node.items if isinstance(node, Sequence) else (node,):
        if isinstance(item, Tree):
            yield Value("map[...]", item.span)
        elif isinstance(item, Sequence):
            yield Value("[...]", item.span)
        else:
            found = resolve(item)
            if found.meaning is Meaning.NULL and isinstance(node, Sequence):
                continue
            parts = found.text.split(",") if key is not None and key.comma_split else []
            if len(parts) > 1:
                yield from (Value(part.strip(), item.span) for part in parts)
            else:
                yield Value(found.text, item.span, item)


def _environment(merged: dict[str, Setting], keys: KeyTable, file: EnvFile) -> None:
    for name, key in keys.keys.items():
        for variable in key.env:
            found = file.get(variable)
            if found is None or name in merged:
                continue
            text = found.value.text
            parts = text.split(",") if key.is_list or key.comma_split else [text]
            values = tuple(Value(part.strip(), found.value.span) for part in parts)
            if len(values) == 1:
                values = (Value(text, found.value.span, found.value),)
            merged[name] = Setting(name, key, found.name.span, values, None)


def _flags(keys: KeyTable, words: tuple[Scalar, ...]) -> Iterator[tuple[Key, tuple[Value, ...]]]:
    """Each flag of a command line that the product knows, with its value; one from a variable is not known."""
    rest = iter(words)
    for word in rest:
        name, equals, text = word.text.lstrip("-").partition("=")
        key = keys.find(name) if word.text.startswith("-") else None
        if key is None:
            continue
        span = word.span
        if not equals and key.type != "bool":
            following = next(rest, None)
            if following is None:
                return
            span, text = following.span, following.text
        elif not equals:
            text = "true"
        elif not word.quoted:
            first = span.end_column - len(text)
            span = Span(span.file, span.line, first, span.end_line, span.end_column)
        if "$" not in text:
            parts = text.split(",") if key.comma_split else [text]
            yield key, tuple(Value(part.strip(), span) for part in parts)


def _arguments(merged: dict[str, Setting], keys: KeyTable, words: tuple[Scalar, ...]) -> None:
    """Flags count after the files: a list goes on, anything else and what the environment says is replaced."""
    given: dict[str, tuple[Key, tuple[Value, ...]]] = {}
    for key, values in _flags(keys, words):
        _, so_far = given.get(key.name, (key, ()))
        given[key.name] = (key, (*so_far, *values))
    for name, (key, values) in given.items():
        before = merged.get(name)
        if before is not None and before.entry is not None and key.is_list:
            merged[name] = replace(before, values=(*before.values, *values))
        else:
            merged[name] = Setting(name, key, values[-1].span, values, None)
