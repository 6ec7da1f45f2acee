"""What we remember of earlier imports: the very same file, and how a file with the same columns was matched."""

from collections.abc import Sequence
from typing import NamedTuple

from lists.importing.columns import Mapping, key
from lists.models import Import, ImportState

DONE = (ImportState.COMPLETED, ImportState.UNDONE)


def same_file(imported: Import) -> Import | None:
    """The last time this very file was imported, by its fingerprint."""
    others = Import.objects.filter(content_hash=imported.content_hash, state=ImportState.COMPLETED)
    return others.exclude(pk=imported.pk).select_related("created_by").order_by("-id").first()


class Remembered(NamedTuple):
    """How a file with the same columns was matched last time, in the order this file has them."""

    earlier: Import
    mapping: Mapping
    on_existing: str


def remembered(imported: Import) -> Remembered | None:
    """What was chosen for the last file with these columns; None when there was none."""
    earlier = (
        Import.objects.filter(header_hash=imported.header_hash, state__in=DONE)
        .exclude(pk=imported.pk)
        .select_related("created_by")
        .order_by("-id")
        .first()
    )
    if earlier is None or not imported.dialect.get("has_header", True):
        return None
    return Remembered(
        earlier, moved(Mapping.from_dict(earlier.mapping), earlier.headers, imported), earlier.on_existing
    )


def moved(mapping: Mapping, headers: Sequence[str], imported: Import) -> Mapping:
    """The mapping of a file with `headers` for one whose columns stand in another order; the list's country stays."""
    places = {key(header): place for place, header in enumerate(imported.headers)}

    def place(at: int) -> int | None:
        return places.get(key(headers[at])) if at < len(headers) else None

    columns = {name: new for name, at in mapping.columns.items() if (new := place(at)) is not None}
    extras = [new for at in mapping.extras if (new := place(at)) is not None]
    region = Mapping.from_dict(imported.mapping).region or mapping.region
    return Mapping(columns, region, dict(mapping.constants), extras)
