"""Imports point one way: views and commands → importing, sync, services → models; sync → vendors.

An import counts wherever in a file it stands, and so does what it brings along: whoever imports `a.b.c` runs `a`, `a.b`
and `a.b.c`, and everything these import in turn.
"""

import ast
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LISTS = ROOT / "lists"

# The modules of importing that make sense of a file. They know neither Django nor what we keep.
OF_FILES = [
    "asides", "cleaning", "columns", "decoding", "evidence", "formats", "guessing", "headers", "lines", "names",
    "opening", "opt_outs", "reading", "records", "refusals", "row_warnings", "workbooks",
]  # fmt: skip
# What pages are made of; nothing below them knows of it.
SHOWN = ["lists.views", "lists.pages", "lists.forms"]

# {a place: what it must not import, not even through others}. All places a module is in speak for it.
FORBIDDEN = {
    "lists": ["contactadmin", "tests"],
    "lists.blanks": ["django", "lists"],
    "lists.countries": ["django", "lists"],
    "lists.db": ["lists"],
    "lists.fields": ["django", "lists"],
    "lists.phones": ["django", "lists"],
    "lists.vendors": [
        "django", "lists.models", "lists.services", "lists.sync", "lists.importing", "lists.rehearsal", *SHOWN,
    ],
    "lists.rehearsal": ["django", "requests", "lists"],
    "lists.models": [
        "lists.services", "lists.sync", "lists.importing", "lists.jobs", "lists.vendors", *SHOWN,
    ],
    **{f"lists.importing.{name}": ["django", "lists.models"] for name in OF_FILES},
    "lists.importing": ["lists.sync", "lists.vendors", "lists.rehearsal", *SHOWN],
    "lists.sync": ["lists.importing", "lists.services", "lists.rehearsal", *SHOWN],
    "lists.jobs": ["lists.importing", "lists.sync", "lists.services", "lists.vendors", *SHOWN],
    "lists.services": ["lists.rehearsal", *SHOWN],
    "lists.services.lists": ["lists.sync", "lists.vendors"],
    "lists.services.contacts": ["lists.sync", "lists.vendors"],
    "lists.services.suppressions": ["lists.sync", "lists.vendors"],
    "lists.forms": ["lists.sync", "lists.views", "lists.pages"],
    "lists.views": ["lists.templatetags"],
    "lists.pages": ["lists.views", "lists.templatetags"],
}  # fmt: skip
# What a place may import although its rule says no.
ALLOWED = {
    "lists.rehearsal": ["lists.rehearsal"],
    "lists.phones": ["lists.blanks", "lists.countries", "lists.phones"],
}
# {(a place, a module it may import although that reaches what the rule forbids): why}
NOT_LOOKED_THROUGH = {
    ("lists.forms", "lists.services.connections"): "The form asks whether an address changes. Saving, in the same "
    "module, tries the settings out, which takes sync; the form itself calls no vendor.",
}

Graph = Mapping[str, Collection[str]]


def within(module: str, place: str) -> bool:
    return module == place or module.startswith(place + ".")


def packages(module: str) -> list[str]:
    """`a` and `a.b` of `a.b.c`."""
    parts = module.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts))]


def imports(module: str, file: Path) -> set[str]:
    """All that `file` imports by name, relative names resolved, with the packages these and the module are in."""
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    found = {module}
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([node.module] if node.module else [])])
            found |= {base, *(f"{base}.{name.name}" for name in node.names)}
    return (found | {outer for name in found for outer in packages(name)}) - {module}


@cache
def product() -> Graph:
    """{module: what it imports} of the product's own code, migrations aside."""
    graph = {}
    for file in LISTS.rglob("*.py"):
        parts = file.relative_to(ROOT).with_suffix("").parts
        if "migrations" not in parts:
            module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            graph[module] = imports(module, file)
    return graph


def reached(module: str, graph: Graph, not_through: Collection[str] = ()) -> dict[str, list[str]]:
    """{what importing `module` runs: the shortest way there, both ends included}, nearest first.

    Without the packages `module` itself is in.
    """
    ways = {module: [module]}
    waiting = [module]
    for importer in waiting:  # grows as it goes
        for target in sorted(graph.get(importer, ())):
            if target not in ways:
                ways[target] = [*ways[importer], target]
                if target not in not_through:
                    waiting.append(target)
    return {target: way for target, way in ways.items() if target not in {module, *packages(module)}}


def broken(place: str, graph: Graph, not_through: Collection[str] = ()) -> dict[str, list[str]]:
    """{module of the place that imports what it must not: the shortest way there}."""
    wrong: dict[str, list[str]] = {}
    for module in graph:
        if within(module, place):
            for target, way in reached(module, graph, not_through).items():
                is_allowed = any(within(target, name) for name in ALLOWED.get(place, []))
                if not is_allowed and any(within(target, name) for name in FORBIDDEN[place]):
                    wrong.setdefault(module, way)
    return wrong


def exceptions(place: str) -> set[str]:
    return {module for at, module in NOT_LOOKED_THROUGH if at == place}


@pytest.mark.parametrize("place", FORBIDDEN)
def test_imports_point_the_way_the_design_draws(place):
    wrong = broken(place, product(), exceptions(place))
    assert not wrong, "\n".join(" → ".join(way) for way in wrong.values())


@pytest.mark.parametrize(("place", "module"), NOT_LOOKED_THROUGH)
def test_an_exception_stands_only_as_long_as_it_is_needed(place, module):
    assert broken(place, product(), exceptions(place) - {module})


def test_rules_speak_of_modules_there_are():
    spoken_of = {*FORBIDDEN, *(name for names in [*FORBIDDEN.values(), *ALLOWED.values()] for name in names)}
    assert {name for name in spoken_of if within(name, "lists")} <= set(product())


def test_an_import_through_other_modules_and_their_packages_is_seen():
    graph = {
        "lists.importing.flow": {"lists", "lists.importing", "lists.services", "lists.services.lists"},
        "lists.services": {"lists", "lists.sync", "lists.sync.accounts"},
    }
    assert reached("lists.importing.flow", graph)["lists.sync.accounts"] == [
        "lists.importing.flow", "lists.services", "lists.sync.accounts",
    ]  # fmt: skip
    assert set(broken("lists.importing", graph)) == {"lists.importing.flow"}
    assert not broken("lists.importing", graph, ["lists.services"])


def test_nothing_but_the_addresses_imports_views():
    importers = {
        module
        for module in product()
        if not within(module, "lists.views")
        and any(within(target, "lists.views") for target in reached(module, product()))
    }
    assert importers <= {"lists.urls"}


def test_only_the_phone_module_knows_a_phone_package():
    importers = {
        module
        for module, targets in product().items()
        if any(within(target, name) for target in targets for name in ("phonenumbers", "rphonenumbers"))
    }
    assert importers == {"lists.phones.numbering"}
