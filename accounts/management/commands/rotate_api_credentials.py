"""`manage.py rotate_api_credentials`: after a change of CREDENTIAL_KEYS."""

from django.core.management import BaseCommand, CommandError

from accounts import credentials


class Command(BaseCommand):
    help = (
        "Encrypts the secrets of all API credentials with the first of CREDENTIAL_KEYS, so that the others can be "
        "taken out. The secrets themselves stay as they are. Safe to repeat."
    )

    def handle(self, **options):
        done, failed = credentials.encrypt_anew()
        self.stdout.write(f"{done} secrets are encrypted with the first key")
        if failed:
            raise CommandError(f"{failed} secrets can be read with none of CREDENTIAL_KEYS; they stay as they were.")
