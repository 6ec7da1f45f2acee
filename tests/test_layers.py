"""Imports point one way: views and commands → importing, sync, services → models; sync → vendors."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LISTS = ROOT / "lists"

# {a place: what it must not import}. The longest place a module is in speaks for it, together with the shorter ones.
FORBIDDEN = {
    "lists": ["contactadmin", "tests"],
    "lists.vendors": [
        "django", "lists.models", "lists.sync", "lists.importing", "lists.rehearsal", "lists.views", "lists.forms",
    ],
    "lists.rehearsal": ["django", "requests", "lists"],
    "lists.phones": ["django", "lists"],
    "lists.importing.reading": ["django", "lists.models"],
    "lists.importing.columns": ["django", "lists.models"],
    "lists.importing.cleaning": ["django", "lists.models"],
    "lists.importing": ["lists.sync", "lists.vendors", "lists.rehearsal", "lists.views", "lists.forms"],
    "lists.sync": ["lists.importing", "lists.rehearsal", "lists.views", "lists.forms"],
    "lists.models": ["lists.sync", "lists.importing", "lists.vendors", "lists.views", "lists.forms", "lists.services"],
    "lists.forms": ["lists.sync", "lists.views"],
    "lists.services": ["lists.views", "lists.forms"],
    "lists.views": ["lists.templatetags"],
    "lists.pages": ["lists.views", "lists.templatetags"],
    "lists.jobs": ["lists.views", "lists.forms", "lists.vendors"],
}  # fmt: skip
# What a place may import although a rule above it says no.
ALLOWED = {
    "lists.rehearsal": ["lists.rehearsal"],
    "lists.phones": ["lists.countries"],
}


def within(module: str, place: str) -> bool:
    return module == place or module.startswith(place + ".")


def modules() -> dict[str, Path]:
    """{dotted name: file} of the product's own code, migrations aside."""
    found = {}
    for file in sorted(LISTS.rglob("*.py")):
        parts = file.relative_to(ROOT).with_suffix("").parts
        if "migrations" not in parts:
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def imports(module: str, file: Path) -> set[str]:
    """Every module that `file` imports, wherever in it the import stands; relative ones resolved."""
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([node.module] if node.module else [])])
            found |= {base, *(f"{base}.{name.name}" for name in node.names)}
    return found


@pytest.mark.parametrize("module", modules())
def test_imports_point_the_way_the_design_draws(module):
    wrong = set()
    for place, forbidden in FORBIDDEN.items():
        if not within(module, place):
            continue
        for target in imports(module, modules()[module]):
            if any(within(target, allowed) for allowed in ALLOWED.get(place, [])):
                continue
            wrong |= {target for name in forbidden if within(target, name)}
    assert not wrong, f"{module} imports {', '.join(sorted(wrong))}"


def test_nothing_but_the_addresses_imports_views():
    importers = {
        module
        for module, file in modules().items()
        if not within(module, "lists.views") and any(within(target, "lists.views") for target in imports(module, file))
    }
    assert importers <= {"lists.urls"}


def test_only_the_phone_module_knows_a_phone_package():
    importers = {
        module
        for module, file in modules().items()
        if any(within(target, name) for target in imports(module, file) for name in ("phonenumbers", "rphonenumbers"))
    }
    assert importers == {"lists.phones"}
