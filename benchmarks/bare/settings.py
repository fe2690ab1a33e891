"""The baseline's settings: only what its one view needs; the database's connection is the production server's own."""

from testpress.settings import ALLOWED_HOSTS, DATABASES, SECRET_KEY

__all__ = ["ALLOWED_HOSTS", "DATABASES", "SECRET_KEY"]

DEBUG = False
INSTALLED_APPS = []
MIDDLEWARE = []
ROOT_URLCONF = "benchmarks.bare.views"
USE_TZ = True
USE_I18N = False
LOGGING_CONFIG = None
