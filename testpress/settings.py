"""The project's settings, read top to bottom. All that differs between machines comes from the environment (README)."""

import os
from pathlib import Path

from testpress import environment

BASE_DIR = Path(__file__).resolve().parent.parent
VAR = BASE_DIR / "var"

MIB = 1024 * 1024

# --- The machine -----------------------------------------------------------------------------------------------------

DEBUG = environment.flag("DEBUG", False)
SECRET_KEY = environment.secret("SECRET_KEY", VAR / "secret_key")
ALLOWED_HOSTS = environment.hosts("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
HOST = environment.host("HOST", "127.0.0.1")
PORT = environment.whole("PORT", 8000, least=1, most=65535)
WEB_CONCURRENCY = environment.whole("WEB_CONCURRENCY", os.cpu_count() or 1, least=1, most=512)
# Threads of one server process; the database pool below is of the same size. The interpreter lets one work at a time;
# there are this many because all but three may stand in line for a password's hash (accounts/hashing.py).
THREADS = 12

HTTPS = environment.flag("HTTPS", False)
TRUST_PROXY = environment.flag("TRUST_PROXY", False)

# --- The application -------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "testpress",
    "accounts",
    "exams",
    "attempts",
    "catalog",
    "posts",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

MIDDLEWARE = [
    "testpress.middleware.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "testpress.middleware.ContentSecurityPolicyMiddleware",
    "accounts.middleware.InstituteTimeZoneMiddleware",
    "testpress.middleware.PageSessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "testpress.middleware.PageAuthenticationMiddleware",
    "testpress.middleware.PageMessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "testpress.urls"
WSGI_APPLICATION = "testpress.wsgi.application"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Database and cache ----------------------------------------------------------------------------------------------

DEFAULT_DATABASE = VAR / "db.sqlite3"
DATABASES = {"default": environment.database("DATABASE_URL", f"sqlite:///{DEFAULT_DATABASE}", base=BASE_DIR)}
# Whether `serve --prepare` (which is `make serve`) loads the demo institute into an empty database.
DEMO = environment.flag("DEMO", DATABASES["default"]["NAME"] == str(DEFAULT_DATABASE))
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        # A transaction takes the write lock when it begins: what select_for_update does elsewhere.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-20000",
    }
    DATABASES["default"]["CONN_MAX_AGE"] = None
else:
    DATABASES["default"].setdefault("OPTIONS", {}).update(
        {
            "pool": {"min_size": 1, "max_size": THREADS, "timeout": 10},
            "options": "-c statement_timeout=30s -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s",
            # Statements are prepared once a connection: planning a join costs more than running it.
            "server_side_binding": True,
            "prepare_threshold": 2,
        }
    )

REDIS_URL = environment.redis("REDIS_URL")
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    # Of each process alone: for what every request asks and may be a minute old.
    "local": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "local"},
}
if REDIS_URL:
    CACHES["default"] = {"BACKEND": "testpress.cache.ForgivingRedisCache", "LOCATION": REDIS_URL}

# --- Who -------------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = [
    "accounts.hashers.Argon2Hasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "admin:login"

TOKEN_LIFETIME = environment.days("TOKEN_LIFETIME", 30)
SIMPLE_JWT = {
    "ALGORITHM": "HS256",
    "ACCESS_TOKEN_LIFETIME": TOKEN_LIFETIME,
    "AUTH_HEADER_TYPES": ("JWT",),
    "AUTH_TOKEN_CLASSES": ("accounts.tokens.StudentToken",),
    "USER_ID_CLAIM": "user_id",
    "UPDATE_LAST_LOGIN": False,
}

# What API credentials' secrets are encrypted with: the first encrypts, all of them decrypt.
CREDENTIAL_KEYS = environment.secrets_of("CREDENTIAL_KEYS") or [SECRET_KEY]

# --- Language and time -----------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en-us"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"  # of what is stored; a middleware activates the institute's own for what is shown and typed

# --- Files -----------------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
MEDIA_URL = "/media/"
MEDIA_ROOT = environment.path("MEDIA_ROOT", VAR / "media", base=BASE_DIR)
PRIVATE_ROOT = environment.path("PRIVATE_ROOT", VAR / "private", base=BASE_DIR)

AWS_STORAGE_BUCKET_NAME = environment.bucket("AWS_STORAGE_BUCKET_NAME")
AWS_S3_ENDPOINT_URL = environment.url("AWS_S3_ENDPOINT_URL", ("http", "https"))
AWS_S3_CUSTOM_DOMAIN = environment.domain("AWS_S3_CUSTOM_DOMAIN")
AWS_PRIVATE_BUCKET_NAME = environment.bucket("AWS_PRIVATE_BUCKET_NAME")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "private": {"BACKEND": "testpress.storage.PrivateStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
if AWS_STORAGE_BUCKET_NAME:
    STORAGES["default"] = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": AWS_STORAGE_BUCKET_NAME,
            "endpoint_url": AWS_S3_ENDPOINT_URL or None,
            "region_name": environment.text("AWS_S3_REGION_NAME") or None,
            "custom_domain": AWS_S3_CUSTOM_DOMAIN or None,
            "querystring_auth": False,
            "file_overwrite": False,
        },
    }
    STORAGES["private"] = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": STORAGES["default"]["OPTIONS"]
        | {
            # Without a bucket of its own a prefix, which the bucket's policy must not make public.
            "bucket_name": AWS_PRIVATE_BUCKET_NAME or AWS_STORAGE_BUCKET_NAME,
            "location": "" if AWS_PRIVATE_BUCKET_NAME else "private",
            "custom_domain": None,  # it would serve without asking for a signature
            "querystring_auth": True,
            "signature_version": "s3v4",
            "file_overwrite": True,  # names are random; otherwise each upload would first ask whether its own is taken
            # boto3 would hold ten parts of a file in memory.
            "use_threads": False,
        },
    }

# --- Requests --------------------------------------------------------------------------------------------------------

# What a body may hold, in bytes. Django's own limit covers forms of the admin site; the API's views set theirs.
BODY_LIMIT = 2 * MIB
PROFILE_BODY_LIMIT = 20 * MIB
PHOTO_LIMIT = 10 * MIB
PHOTO_PIXELS = 25_000_000
ATTACHMENT_LIMIT = environment.whole("ATTACHMENT_LIMIT", 100, least=1, most=100_000) * MIB
DATA_UPLOAD_MAX_MEMORY_SIZE = PROFILE_BODY_LIMIT
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000  # an exam of a few hundred questions on one page of the admin site

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
if HTTPS:
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
if TRUST_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["testpress.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "testpress.parsers.JSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_FILTER_BACKENDS": ["testpress.filters.FilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "testpress.pagination.EnvelopePagination",
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "testpress.negotiation.JSONNegotiation",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "testpress.exceptions.handle",
    "PAGE_SIZE": 20,
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Exam server",
    "VERSION": "2.1",
    "DESCRIPTION": """\
The API that students' apps talk to.

**Log in.** Send `POST /api/v2.1/auth-token/` with a `username` and a `password`; the answer holds a `token`. All other
calls carry it in a header, `Authorization: JWT <token>`. On this page: press *Authorize* and paste the token, with or
without `JWT` before it.

**Paths** answer with and without their final slash. **Lists** come 20 a page (`?page=2`), as
`{"count", "next", "previous", "per_page", "results"}`. **Errors** are always JSON: 400 by field or as
`non_field_errors`, everything else as `detail`; what a rule of the exam forbids (403) also has a `code` to switch on.
""",
    "TAGS": [
        {"name": "token", "description": "Logging in."},
        {"name": "users", "description": "Oneself, and what others may see of a user."},
        {"name": "exams", "description": "The exams one may see."},
        {"name": "attempts", "description": "Taking an exam: start, questions, answers, end, review."},
        {"name": "products", "description": "What is sold."},
        {"name": "posts", "description": "What is announced."},
        {
            "name": "attachments",
            "description": "For an institute's own systems: files of exams, by requests signed with an API credential. "
            "README.md tells how to sign, with examples.",
        },
    ],
    "SCHEMA_PATH_PREFIX": r"/api/v2\.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # As JavaScript, since it holds a function: a token that is pasted alone gets its `JWT`.
    "SWAGGER_UI_SETTINGS": """{
        deepLinking: true,
        displayRequestDuration: true,
        persistAuthorization: true,
        requestInterceptor: (request) => {
            const token = (request.headers.Authorization || "").trim();
            if (token) {
                request.headers.Authorization = /\\s/.test(token) ? token : "JWT " + token;
            }
            return request;
        },
    }""",
    "COMPONENT_SPLIT_REQUEST": True,
}

# --- Logs ------------------------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {"django": {"handlers": [], "propagate": True}},
}
