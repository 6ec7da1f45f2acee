import os

from django.core.management.base import BaseCommand
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contactadmin.settings")
application = get_wsgi_application()
BaseCommand().check()  # commands do before they run; a server started by itself serves nobody with broken settings
