import os

from django.core.asgi import get_asgi_application
from django.core.management.base import BaseCommand

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contactadmin.settings")
application = get_asgi_application()
BaseCommand().check()  # commands do before they run; a server started by itself serves nobody with broken settings
