"""Password hashing."""

from django.contrib.auth import hashers


class Argon2Hasher(hashers.Argon2PasswordHasher):
    """Argon2id with OWASP's parameters: 19 MiB, 2 passes, 1 lane; about 20 ms, so that a class can log in together."""

    time_cost = 2
    memory_cost = 19 * 1024  # KiB
    parallelism = 1
