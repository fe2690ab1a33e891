#!/usr/bin/env python
"""Django's command line for this project."""

import os
import sys


def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "testpress.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        import testpress.settings  # noqa: F401  (a wrong value must stop every command, with one sentence)
    except ImproperlyConfigured as error:
        sys.exit(f"configuration: {error}")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
