from django.apps import AppConfig
from django.db.models.signals import post_delete


class ExamsConfig(AppConfig):
    name = "exams"

    def ready(self):
        from exams import attachments

        post_delete.connect(attachments.remove_file_of, sender="exams.Attachment")
