"""What we remember of earlier imports: the very same file, and how a file with the same columns was matched."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from django.db.models import QuerySet

from lists.importing.columns import SEVERAL, Mapping, first_of, key
from lists.models import Import, ImportState

LOOKED_AT = 30
"""Imports into the same list that are looked at for columns that are nearly the same."""
ALIKE = 0.8
"""The share of the columns of both files that have to be the same for that."""


def same_file(imported: Import) -> Import | None:
    """The last time this very file was imported, by its fingerprint."""
    others = Import.objects.filter(
        content_hash=imported.content_hash, purpose=imported.purpose, state=ImportState.COMPLETED
    )
    return others.exclude(pk=imported.pk).select_related("created_by").order_by("-id").first()


class Remembered(NamedTuple):
    """How a file with these columns was matched last time, in the order this file has them.

    new  headers that file did not have: they are matched as they are guessed
    """

    earlier: Import
    mapping: Mapping
    new: list[str]


def remembered(imported: Import) -> Remembered | None:
    """What a person chose for the last file with these columns, or nearly these; None when nobody did.

    What was undone or failed is no example, nor is what a command guessed.
    """
    if not imported.dialect.get("has_header", True):
        return None
    done = (
        Import.objects.filter(state=ImportState.COMPLETED, purpose=imported.purpose, created_by__isnull=False)
        .exclude(pk=imported.pk)
        .select_related("created_by")
        .order_by("-id")
    )
    earlier = done.filter(header_hash=imported.header_hash).first() or _nearly(imported, done)
    if earlier is None:
        return None
    known = set(map(key, earlier.headers))
    new = [header for header in imported.headers if key(header) not in known]
    return Remembered(earlier, moved(earlier, imported), new)


def _nearly(imported: Import, done: QuerySet[Import]) -> Import | None:
    """The newest import into the same list whose columns are nearly those of this one."""
    ours = set(map(key, imported.headers))
    for earlier in done.filter(contact_list=imported.contact_list_id)[:LOOKED_AT]:
        theirs = set(map(key, earlier.headers))
        if len(ours & theirs) >= ALIKE * len(ours | theirs):
            return earlier
    return None


def moved(earlier: Import, imported: Import) -> Mapping:
    """The mapping of an earlier file for one whose columns stand elsewhere; the list's country stays.

    Columns that are new get what they are guessed to be, and so do those that may say who must not be contacted, where
    the earlier file was matched before anybody was asked about them.
    """
    theirs, guessed = Mapping.from_dict(earlier.mapping), Mapping.from_dict(imported.mapping)
    places = {key(header): at for at, header in enumerate(imported.headers)}

    def placed(columns: Sequence[int]) -> list[int]:
        found = (places.get(key(earlier.headers[at])) for at in columns if at < len(earlier.headers))
        return [at for at in found if at is not None]

    phones, opt_outs = placed(theirs.phones), placed(theirs.opt_out_columns)
    columns = {name: at for name, was in theirs.columns.items() if name not in SEVERAL for at in placed([was])}
    mapping = replace(
        theirs,
        columns=columns | first_of(phone=phones, do_not_contact=opt_outs),
        region=guessed.region or theirs.region,
        extras=placed(theirs.extras),
        more_phones=phones[1:],
        more_opt_outs=opt_outs[1:],
        opt_out={at: answers for was, answers in theirs.opt_out.items() for at in placed([was])},
        unsure=placed(theirs.unsure),
    )
    known = set(map(key, earlier.headers))
    new = {at for at, header in enumerate(imported.headers) if key(header) not in known}
    unasked = new if "unsure" in earlier.mapping else set(range(len(imported.headers)))
    _add_fields(mapping, guessed, new)
    _add_opt_outs(mapping, guessed, unasked.difference(mapping.of_fields))
    return mapping


_SAYS_THE_SAME = {"full_name": ("first_name", "last_name"), "first_name": ("full_name",), "last_name": ("full_name",)}


def _add_fields(mapping: Mapping, guessed: Mapping, new: set[int]) -> None:
    """Give new columns the fields they are guessed to be, as far as those have no column yet."""
    phones = [*mapping.phones, *(at for at in guessed.phones if at in new)]
    if phones:
        mapping.columns["phone"], *mapping.more_phones = phones
    for name, at in guessed.columns.items():
        is_there = any(field in mapping.columns for field in (name, *_SAYS_THE_SAME.get(name, ())))
        if at in new and not is_there and name not in SEVERAL:
            mapping.columns[name] = at
            mapping.constants.pop(name, None)


def _add_opt_outs(mapping: Mapping, guessed: Mapping, unasked: set[int]) -> None:
    """Have columns that may say who must not be contacted do so, or asked about, where nobody was before."""
    asked = [at for at in guessed.unsure if at in unasked]
    opt_outs = [*mapping.opt_out_columns, *(at for at in guessed.opt_out_columns if at in unasked)]
    if opt_outs:
        mapping.columns["do_not_contact"], *mapping.more_opt_outs = opt_outs
    mapping.unsure = list(dict.fromkeys([*mapping.unsure, *asked]))
    mapping.extras = [at for at in mapping.extras if at not in (*asked, *opt_outs)]
