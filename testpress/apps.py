from django.apps import AppConfig


class ProjectConfig(AppConfig):
    name = "testpress"

    def ready(self):
        from testpress import checks  # noqa: F401  (registers the system checks)
