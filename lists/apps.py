from contextlib import suppress
from pathlib import Path

from django.apps import AppConfig
from django.conf import settings


class ListsConfig(AppConfig):
    name = "lists"
    verbose_name = "Contact lists"

    def ready(self) -> None:
        from lists import checks  # noqa: F401, PLC0415  registering is the import's effect

        with suppress(OSError):  # `check` tells of a folder that cannot be written to
            Path(settings.FILE_UPLOAD_TEMP_DIR).mkdir(parents=True, exist_ok=True)
