"""`manage.py create_api_credential USERNAME`: what another system signs its requests with."""

from django.core.management import BaseCommand, CommandError

from accounts import credentials
from accounts.models import ApiCredential, User


class Command(BaseCommand):
    help = (
        "Makes an API credential for a member of staff, and prints its key and its secret. The secret cannot be shown "
        "again. The admin site revokes it."
    )

    def add_arguments(self, parser):
        parser.add_argument("username")
        parser.add_argument("--name", default="", help="Which system uses it.")

    def handle(self, *, username, name, **options):
        longest = ApiCredential._meta.get_field("name").max_length
        if len(name) > longest:
            raise CommandError(f"A name has at most {longest} characters.")
        try:
            user = User.objects.get_by_natural_key(username)
        except User.DoesNotExist:
            raise CommandError(f"There is no user {username}.") from None
        if not (user.is_staff or user.is_superuser):
            raise CommandError(f"{user.username} is no member of staff.")
        credential, secret = credentials.create(user, name)
        self.stdout.write(f"key: {credential.key}\nsecret: {secret}")
